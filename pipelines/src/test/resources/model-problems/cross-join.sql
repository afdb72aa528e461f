select o.order_id from orders o
cross join product_catalog c
--| cross_join.sql:2:12: CROSS JOIN is not supported
--|     write LEFT JOIN ... ON ..., or INNER JOIN ... ON ...
