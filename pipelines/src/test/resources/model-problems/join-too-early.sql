select o.order_id from orders o
left join refunds r on r.refund_id = p.pay_id
left join orders_pay p on p.order_id = o.order_id
--| join_too_early.sql:2:24: `p` is joined only later
--|     join it before `r`
