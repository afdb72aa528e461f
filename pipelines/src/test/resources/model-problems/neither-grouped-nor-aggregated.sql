select order_shop_id, order_user_id, sum(order_fee) + order_state as n
from {{ ref('dwd_orders') }}
group by order_shop_id
--| neither_grouped_nor_aggregated.sql:1:23: `order_user_id` is neither grouped by nor in an aggregate
--|     add it to GROUP BY, or say which one, as in: min(order_user_id)
--| neither_grouped_nor_aggregated.sql:1:55: `order_state` is neither grouped by nor in an aggregate
--|     add it to GROUP BY, or say which one, as in: min(order_state)
