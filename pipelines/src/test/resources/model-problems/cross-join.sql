select o.order_id from orders o
cross join product_catalog c
