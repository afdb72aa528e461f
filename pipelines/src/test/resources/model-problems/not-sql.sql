select order_id,
from orders
--| not_sql.sql:2:1: not an SQL statement: Encountered "from"
--|     texts stand in 'single quotes', and names that are SQL's own words in `backticks`
