select shop_id, count(*) as n from orders group by rollup(shop_id)
