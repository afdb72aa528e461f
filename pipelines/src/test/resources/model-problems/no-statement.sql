{{ config(materialized='table') }}
-- nothing yet
--| no_statement.sql:1:1: there is no SELECT
--|     a model is one SELECT
