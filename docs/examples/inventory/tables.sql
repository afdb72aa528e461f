CREATE TABLE shops (shop_id INT PRIMARY KEY, city VARCHAR(20) NOT NULL);
CREATE TABLE products (product_id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE movements (
  movement_id INT PRIMARY KEY,
  shop_id     INT NOT NULL,
  product_id  INT NOT NULL,
  quantity    INT NOT NULL
);
INSERT INTO shops VALUES (1, 'Oslo'), (2, 'Rome');
INSERT INTO products VALUES (10, 'lamp'), (11, 'chair');
INSERT INTO movements VALUES (1, 1, 10, 20), (2, 2, 10, 5), (3, 1, 11, 8);
