select o.order_id, p.pay_id from orders o
left join orders_pay p using (order_id)
