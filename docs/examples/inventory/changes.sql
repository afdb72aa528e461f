-- two lamps are sold in Oslo, and one comes back
INSERT INTO movements VALUES (4, 1, 10, -2);
INSERT INTO movements VALUES (5, 1, 10, 1);
-- Rome gets three chairs from Oslo
INSERT INTO movements VALUES (6, 1, 11, -3), (7, 2, 11, 3);
-- the shop in Rome moves
UPDATE shops SET city = 'Milan' WHERE shop_id = 2;
-- a delivery had been counted wrongly
UPDATE movements SET quantity = 19 WHERE movement_id = 1;
