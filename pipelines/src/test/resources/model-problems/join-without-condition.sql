select o.order_id from orders o
join orders_pay p
