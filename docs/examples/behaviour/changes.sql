-- user 1 looks again, and buys
INSERT INTO events VALUES (5, 1, 100, 'view', '2024-07-01 10:03:00'), (6, 1, 100, 'buy', '2024-07-01 10:04:00');
-- user 2 buys two, and takes one back
INSERT INTO events VALUES (7, 2, 100, 'buy', '2024-07-01 10:05:00'), (8, 2, 101, 'buy', '2024-07-01 10:05:00');
DELETE FROM events WHERE event_id = 8;
-- what looked like a click was a view
UPDATE events SET kind = 'view' WHERE event_id = 2;
