-- ada pays bob
INSERT INTO entries VALUES (4, 2, 'ada', -120.50), (5, 2, 'bob', 120.50);
-- bob passes half of it on, to somebody new
INSERT INTO entries VALUES (6, 3, 'bob', -60.25), (7, 3, 'cy', 60.25);
-- the first payment is corrected, in one transaction
START TRANSACTION;
UPDATE entries SET amount = -100.50 WHERE entry_id = 4;
UPDATE entries SET amount = 100.50 WHERE entry_id = 5;
COMMIT;
-- and the second one was meant for dee
UPDATE entries SET account = 'dee' WHERE entry_id = 7;
