select order_id
from {{ ref('dwd_order') }}
--| no_such_model.sql:2:13: there is no model `dwd_order`, and no view is written there
--|     did you mean `dwd_orders`?
