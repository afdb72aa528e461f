select o.order_id from orders o
join orders_pay p
--| join_without_condition.sql:2:6: the join has no condition
--|     add one: ON a.id = b.id
