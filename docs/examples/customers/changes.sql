-- Ada writes again
INSERT INTO interactions VALUES (6, 1, '2024-07-01 13:00:00', 'mail');
-- her visit to the shop was somebody else's
UPDATE interactions SET customer_id = 2 WHERE interaction_id = 3;
-- the chat is deleted, at her request
DELETE FROM interactions WHERE interaction_id = 4;
