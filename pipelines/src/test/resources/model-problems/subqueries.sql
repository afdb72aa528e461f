select order_id, (select max(amount) from refunds) as most
from (select * from orders) o
where shop_id in (select shop_id from refunds) and exists (select 1 from refunds)
