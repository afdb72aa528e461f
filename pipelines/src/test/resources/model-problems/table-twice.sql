select orders.order_id from orders left join orders on orders.order_id = orders.order_id
--| table_twice.sql:1:46: two tables are called `orders`
--|     give one another name: orders AS other
