select order_id, state || 1 - create_time as odd from orders where shop_id
