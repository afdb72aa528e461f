select o.order_id, p.pay_id
from orders o
left join orders_pay p on p.order_id = o.order_id
  and p.create_time > o.create_time
left join refunds r on r.order_id = o.order_id + 1
left join product_catalog c on c.product_id = 5
--| non_equi_join.sql:4:7: `p` is joined by other things than columns that are equal, which is not supported
--|     join by p.column = other.column, with AND between several
--| non_equi_join.sql:5:24: `r` is joined by other things than columns that are equal, which is not supported
--|     join by r.column = other.column, with AND between several
