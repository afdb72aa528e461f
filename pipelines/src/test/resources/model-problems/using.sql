select o.order_id, p.pay_id from orders o
left join orders_pay p using (order_id)
--| using.sql:2:11: USING is not supported
--|     write the condition: ON a.id = b.id
