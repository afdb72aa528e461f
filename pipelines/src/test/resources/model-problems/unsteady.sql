select order_id, datediff(now(), create_time) as age from orders where rand() < 0.5
--| unsteady.sql:1:27: `now` changes without the row, so the document would not follow it
--|     compare with a value that is written down, or filter when reading the documents
--| unsteady.sql:1:72: `rand` changes without the row, so the document would not follow it
--|     compare with a value that is written down, or filter when reading the documents
