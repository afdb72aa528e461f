select order_id from dwd_orders
--| model_as_a_table.sql:1:22: there is no table `dwd_orders` that tp can read
--|     for the model write {{ ref('dwd_orders') }}
