select order_id, buy_fee as _version from orders
