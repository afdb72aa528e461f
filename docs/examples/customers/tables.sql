CREATE TABLE customers (customer_id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE interactions (
  interaction_id INT PRIMARY KEY,
  customer_id    INT NOT NULL,
  at             DATETIME NOT NULL,
  channel        VARCHAR(20) NOT NULL,
  KEY (customer_id)
);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO interactions VALUES
  (1, 1, '2024-07-01 09:00:00', 'mail'), (2, 1, '2024-07-01 10:00:00', 'phone'),
  (3, 1, '2024-07-01 11:00:00', 'shop'), (4, 1, '2024-07-01 12:00:00', 'chat'),
  (5, 2, '2024-07-01 09:30:00', 'mail');
