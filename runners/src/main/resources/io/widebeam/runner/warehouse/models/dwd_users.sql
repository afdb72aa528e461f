
{{
config(materialized='table')
}}

select
    order_user_id,
    str_to_date(concat(date_format(pay_create_time, '%Y%m'), '01'), '%Y%m%d') as ds,
    sum(order_fee) as sum_fee
from
    {{ ref('dwd_orders') }}
where
    order_state = 1
group by
    order_user_id,
date_format(pay_create_time, '%Y%m')
