select order_id from dwd_orders
