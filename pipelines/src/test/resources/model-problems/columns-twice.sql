select o.order_id, p.order_id
from orders o left join orders_pay p on p.order_id = o.order_id
