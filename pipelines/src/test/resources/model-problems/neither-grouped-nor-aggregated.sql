select order_shop_id, order_user_id, sum(order_fee) + order_state as n
from {{ ref('dwd_orders') }}
group by order_shop_id
