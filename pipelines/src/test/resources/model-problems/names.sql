select
  order_id,
  o.shop,
  amuont,
  p.*,
  x.*,
  date_fromat(o.create_time, '%Y')
from orders o
left join orders_pay p on p.order_id = o.order_id
--| names.sql:7:3: the column has no name
--|     give it one: ... AS name
