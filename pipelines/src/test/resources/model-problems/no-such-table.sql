select order_id from order_pay
--| no_such_table.sql:1:22: there is no table `order_pay` that tp can read
--|     did you mean `orders_pay`?
