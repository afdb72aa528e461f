select shop_id, sum(user_id) as n, avg(create_time) as t from orders group by shop_id
--| sum_of_text.sql:1:17: `sum` needs numbers, not values of type TEXT
--|     bring them to one with CAST(... AS DECIMAL(p, s))
--| sum_of_text.sql:1:36: `avg` needs numbers, not values of type DATETIME
--|     bring them to one with CAST(... AS DECIMAL(p, s))
