select order_id, state || 1 - create_time as odd from orders where shop_id
--| wrong_types.sql:1:18: Cannot apply '-' to arguments of type '<VARCHAR> - <TIMESTAMP(3)>'. Supported form(s): '<NUMERIC> - <NUMERIC>'
--|     bring both to one type with CAST, or call another function
--| wrong_types.sql:1:68: `shop_id` is not a condition: it is true or false of no row
--|     compare it with something, as in: shop_id = 1
