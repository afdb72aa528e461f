select order_id from orders;
delete from orders;
