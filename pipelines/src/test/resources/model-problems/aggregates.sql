select
  group_concat(user_id) as users,
  sum(max(buy_fee)) as a,
  count(distinct shop_id, user_id) as b,
  sum(distinct buy_fee) as c
from orders
where count(*) > 1
group by sum(buy_fee)
--| aggregates.sql:2:3: the aggregate `GROUP_CONCAT` is not supported
--|     there are: sum, count, count(distinct ...), avg, min, max
--| aggregates.sql:3:7: `max` is an aggregate inside an aggregate
--|     write two models
--| aggregates.sql:4:3: `count` of 2 values is not supported
--|     give it one, as in: count(a), or concat(a, '-', b)
--| aggregates.sql:5:3: `sum(DISTINCT ...)` is not supported
--|     DISTINCT is for count, as it is
--| aggregates.sql:7:7: `count` is an aggregate, which is known only after the rows are grouped
--|     compare it in HAVING
--| aggregates.sql:8:10: `sum` is an aggregate, which is known only after the rows are grouped
--|     compare it in HAVING
