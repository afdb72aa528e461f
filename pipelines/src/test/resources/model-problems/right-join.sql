select o.order_id from orders_pay p
right join orders o on o.order_id = p.order_id
--| right_join.sql:2:12: RIGHT JOIN is not supported
--|     write the tables the other way round, with LEFT JOIN
