select o.order_id, p.pay_id
from orders o
left join orders_pay p on p.order_id = o.order_id
  and p.create_time > o.create_time
left join refunds r on r.order_id = o.order_id + 1
left join product_catalog c on c.product_id = 5
