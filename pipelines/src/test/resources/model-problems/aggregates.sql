select
  group_concat(user_id) as users,
  sum(max(buy_fee)) as a,
  count(distinct shop_id, user_id) as b,
  sum(distinct buy_fee) as c
from orders
where count(*) > 1
group by sum(buy_fee)
