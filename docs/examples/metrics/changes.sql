-- host a is busy, host b has calmed down
UPDATE now_on SET cpu = 97.5, at = '2024-07-01 10:02:00' WHERE host = 'a';
UPDATE now_on SET cpu = 30, at = '2024-07-01 10:02:00' WHERE host = 'b';
INSERT INTO readings VALUES ('a', '2024-07-01 10:02:00', 97.5, 55);
-- the reading of 95 turns out to be a mistake of the probe
DELETE FROM readings WHERE host = 'b';
INSERT INTO readings VALUES ('b', '2024-07-01 10:02:00', 30, 60);
