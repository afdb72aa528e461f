{{ config(materialized='table') }}
-- nothing yet
