select order_id, (select max(amount) from refunds) as most
from (select * from orders) o
where shop_id in (select shop_id from refunds) and exists (select 1 from refunds)
--| subqueries.sql:1:18: a subquery is not supported
--|     join the table, or write a model of its own
--| subqueries.sql:2:7: a subquery is not supported
--|     write it into a file of its own, materialized='ephemeral', and name it by {{ ref('…') }}
--| subqueries.sql:3:19: a subquery is not supported
--|     join the table, or write a model of its own
--| subqueries.sql:3:59: a subquery is not supported
--|     join the table, or write a model of its own
