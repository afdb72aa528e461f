select sum(sum_fee) as total from {{ ref('dwd_shops') }}
