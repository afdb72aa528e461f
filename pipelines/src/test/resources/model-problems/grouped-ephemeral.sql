{{ config(materialized='ephemeral') }}
select shop_id, count(*) as n from orders group by shop_id
--| grouped_ephemeral.sql:1:1: a model that groups cannot be ephemeral, since no other can build on it
--|     materialize it as a table, or take it out
