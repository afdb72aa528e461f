select order_id from orders;
delete from orders;
--| several_statements.sql:2:1: there are several statements
--|     a model is one SELECT: write each into a file of its own
