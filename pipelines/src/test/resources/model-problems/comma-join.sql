select o.order_id from orders o, orders_pay p
where o.order_id = p.order_id
