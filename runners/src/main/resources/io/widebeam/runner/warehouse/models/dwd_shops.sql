{{
config(materialized='table')
}}

select
    order_shop_id,
    str_to_date(date_format(pay_create_time, '%Y%m%d'), '%Y%m%d') as ds,
    sum(order_fee) as sum_fee
from
    {{ ref('dwd_orders') }}
where
    order_state=1
GROUP BY
    order_shop_id,
date_format(pay_create_time, '%Y%m%d')
