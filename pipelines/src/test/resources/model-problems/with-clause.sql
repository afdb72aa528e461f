with paid as (select * from orders)
select order_id from paid
