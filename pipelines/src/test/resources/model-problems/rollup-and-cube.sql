select shop_id, count(*) as n from orders group by rollup(shop_id)
--| rollup_and_cube.sql:1:52: ROLLUP is not supported
--|     write a model for each of the groupings
