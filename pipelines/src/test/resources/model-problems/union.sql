select order_id from orders
union all
select order_id from orders_pay
--| union.sql:3:1: UNION is not supported
--|     write a model for each of the queries
