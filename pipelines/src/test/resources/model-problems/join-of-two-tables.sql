select o.order_id
from orders o
left join orders_pay p on p.order_id = o.order_id
left join refunds r on r.order_id = o.order_id and r.refund_id = p.pay_id
--| join_of_two_tables.sql:4:52: `r` is joined to two tables at once, `o` and `p`, which is not supported
--|     join it to one of them
