select o.order_id from orders_pay p
full join orders o on o.order_id = p.order_id
--| full_join.sql:2:11: FULL JOIN is not supported
--|     write LEFT JOIN ... ON ..., or INNER JOIN ... ON ...
