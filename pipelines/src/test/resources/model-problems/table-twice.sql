select orders.order_id from orders left join orders on orders.order_id = orders.order_id
