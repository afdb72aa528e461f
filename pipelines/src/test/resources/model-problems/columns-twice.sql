select o.order_id, p.order_id
from orders o left join orders_pay p on p.order_id = o.order_id
--| columns_twice.sql:1:20: two columns of the result are called `order_id`
--|     call one of them otherwise: ... AS other
