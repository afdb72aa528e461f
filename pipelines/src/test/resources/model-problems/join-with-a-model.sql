select o.order_id, r.refund_id
from {{ ref('dwd_orders') }} o
left join refunds r on r.order_id = o.order_id
--| join_with_a_model.sql:3:11: a join with another model is not supported
--|     join the tables that `dwd_orders` reads
