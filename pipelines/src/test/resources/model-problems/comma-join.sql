select o.order_id from orders o, orders_pay p
where o.order_id = p.order_id
--| comma_join.sql:1:34: a comma between tables is not supported
--|     write LEFT JOIN ... ON ..., or INNER JOIN ... ON ...
