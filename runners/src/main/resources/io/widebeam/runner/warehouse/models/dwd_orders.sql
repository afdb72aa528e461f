
{{ config(
 materialized='view')
}}

select
    o.order_id as order_id,
    o.user_id as order_user_id,
    o.shop_id as order_shop_id,
    o.product_id as order_product_id,
    o.buy_fee as order_fee,
    o.create_time as order_create_time,
    o.update_time as order_update_time,
    o.state as order_state,
    c.catalog_name as order_product_catalog_name,
    p.pay_id as pay_id,
    p.pay_platform as pay_platform,
    p.create_time as pay_create_time
from
    orders o
left join product_catalog c on o.product_id = c.product_id
left join orders_pay p on o.order_id = p.order_id
