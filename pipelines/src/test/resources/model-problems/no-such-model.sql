select order_id
from {{ ref('dwd_order') }}
