select o.order_id from orders_pay p
full join orders o on o.order_id = p.order_id
