select order_id, datediff(now(), create_time) as age from orders where rand() < 0.5
