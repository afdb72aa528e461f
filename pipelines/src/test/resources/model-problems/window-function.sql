select
  order_id,
  row_number() over (partition by shop_id order by create_time) as n
from orders
--| window_function.sql:3:3: a window function is not supported
--|     group the rows instead
