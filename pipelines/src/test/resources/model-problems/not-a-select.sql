delete from orders where order_id = 1
--| not_a_select.sql:1:1: a model is a SELECT, not DELETE
--|     write a SELECT
