select o.order_id from orders o
natural left join orders_pay p
