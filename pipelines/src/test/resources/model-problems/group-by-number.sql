select shop_id, count(*) as n from orders group by 3
--| group_by_number.sql:1:52: `3` is no column of the result
--|     name what to group by
