{{ config(materialized='materialized_view') }}
{% if is_incremental() %}
select order_id, {{ var('x') }}, '{{ this }}' from orders
{% endif %}
where order_id > {{ ref(x) }}
