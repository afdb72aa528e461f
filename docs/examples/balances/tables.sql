CREATE TABLE entries (
  entry_id    INT PRIMARY KEY,
  transfer_id INT NOT NULL,
  account     VARCHAR(20) NOT NULL,
  amount      DECIMAL(12, 2) NOT NULL
);
INSERT INTO entries VALUES
  (1, 1, 'bank', -500.00), (2, 1, 'ada',  300.00), (3, 1, 'bob', 200.00);
