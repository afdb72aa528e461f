select order_id from orders
order by order_id
limit 10
--| order_and_limit.sql:2:1: ORDER BY is not supported: a table's rows have no order
--|     leave it out, and order the rows when reading them
--| order_and_limit.sql:3:7: LIMIT is not supported
--|     leave it out, and limit the rows when reading
