CREATE TABLE events (
  event_id INT PRIMARY KEY,
  user_id  INT NOT NULL,
  item_id  INT NOT NULL,
  kind     VARCHAR(10) NOT NULL,
  at       DATETIME NOT NULL
);
INSERT INTO events VALUES
  (1, 1, 100, 'view', '2024-07-01 10:00:00'), (2, 1, 100, 'click', '2024-07-01 10:00:05'),
  (3, 1, 101, 'view', '2024-07-01 10:01:00'), (4, 2, 100, 'view', '2024-07-01 10:02:00');
