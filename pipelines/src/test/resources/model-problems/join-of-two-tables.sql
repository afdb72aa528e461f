select o.order_id
from orders o
left join orders_pay p on p.order_id = o.order_id
left join refunds r on r.order_id = o.order_id and r.refund_id = p.pay_id
