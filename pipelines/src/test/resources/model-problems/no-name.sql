select order_id, buy_fee * 2 from orders
--| no_name.sql:1:18: the column has no name
--|     give it one: ... AS name
