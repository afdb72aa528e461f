select sum(sum_fee) as total from {{ ref('dwd_shops') }}
--| model_of_groups.sql:1:42: `dwd_shops` groups its rows, and a model over groups is not supported
--|     group the rows that `dwd_shops` reads
