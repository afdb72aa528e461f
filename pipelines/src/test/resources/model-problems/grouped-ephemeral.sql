{{ config(materialized='ephemeral') }}
select shop_id, count(*) as n from orders group by shop_id
