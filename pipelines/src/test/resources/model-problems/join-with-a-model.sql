select o.order_id, r.refund_id
from {{ ref('dwd_orders') }} o
left join refunds r on r.order_id = o.order_id
