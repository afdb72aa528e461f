select order_id from {{ ref('dwd_orders') }}
--| model_of_a_model.sql:1:29: a model over another model can only group its rows
--|     select from the tables that `dwd_orders` reads
