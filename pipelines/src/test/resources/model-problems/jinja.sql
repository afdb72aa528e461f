{{ config(materialized='materialized_view') }}
{% if is_incremental() %}
select order_id, {{ var('x') }}, '{{ this }}' from orders
{% endif %}
where order_id > {{ ref(x) }}
--| jinja.sql:1:11: a model cannot be materialized as `materialized_view`
--|     write table, view or incremental, which are all a table that is kept up to date, or ephemeral for none
--| jinja.sql:2:1: Jinja's `{% if is_incremental() %}` is not supported
--|     write the SQL that it stands for, as `dbt compile` shows it
--| jinja.sql:3:18: Jinja's `{{ var('x') }}` is not supported
--|     there are {{ ref('model') }}, {{ source('connection', 'table') }} and {{ config(materialized='table') }}; write all else as `dbt compile` shows it
--| jinja.sql:3:35: templating inside a text is not supported
--|     write the text itself, as `dbt compile` shows it
--| jinja.sql:4:1: Jinja's `{% endif %}` is not supported
--|     write the SQL that it stands for, as `dbt compile` shows it
--| jinja.sql:5:18: `{{ ref(x) }}` does not name a table
--|     as in: {{ ref('orders') }}
