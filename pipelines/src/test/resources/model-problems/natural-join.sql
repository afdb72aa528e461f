select o.order_id from orders o
natural left join orders_pay p
--| natural_join.sql:2:19: NATURAL JOIN is not supported
--|     write LEFT JOIN ... ON ..., or INNER JOIN ... ON ...
