select order_id, buy_fee as _version from orders
--| taken_name.sql:1:1: the column name `_version` is taken by Widebeam
--|     call it otherwise: ... AS other
