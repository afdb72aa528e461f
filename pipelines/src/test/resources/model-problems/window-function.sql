select
  order_id,
  row_number() over (partition by shop_id order by create_time) as n
from orders
