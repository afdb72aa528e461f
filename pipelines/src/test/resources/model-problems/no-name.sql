select order_id, buy_fee * 2 from orders
