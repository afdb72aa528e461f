select o.order_id from orders_pay p
right join orders o on o.order_id = p.order_id
