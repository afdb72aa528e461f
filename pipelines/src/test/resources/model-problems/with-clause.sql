with paid as (select * from orders)
select order_id from paid
--| with_clause.sql:1:1: WITH is not supported
--|     write the query behind it into a file of its own, materialized='ephemeral', and name it by {{ ref('…') }}
