select order_id from {{ ref('orders')
--| jinja_not_closed.sql:1:22: the `{{` is not closed
--|     close it
