select shop_id, sum(user_id) as n, avg(create_time) as t from orders group by shop_id
