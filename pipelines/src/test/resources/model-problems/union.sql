select order_id from orders
union all
select order_id from orders_pay
