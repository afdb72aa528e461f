package io.widebeam.runner;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static io.widebeam.runner.SameRows.awaitEqual;
import static io.widebeam.runner.SameRows.rows;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.testing.TestMariaDb;
import io.widebeam.testing.TestPostgres;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * From MariaDB to tables of Postgres and MariaDB: flat wide tables, and copies of tables; whatever
 * happens to the source's rows, they end equal to the same SQL on the source.
 */
class WarehouseIT {
  private static final String JOIN =
      "SELECT o.order_id, o.customer_id, o.state, o.fee, o.created,"
          + " c.customer_id AS customer_info_customer_id, c.city AS customer_info_city,"
          + " i.order_id AS order_items_order_id, i.n AS order_items_n,"
          + " i.product_id AS order_items_product_id, i.price AS order_items_price,"
          + " p.product_id AS order_items_product_product_id, p.name AS order_items_product_name"
          + " FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id"
          + " LEFT JOIN items i ON i.order_id = o.order_id"
          + " LEFT JOIN products p ON p.product_id = i.product_id";

  private static final String WIDE =
      "SELECT order_id, customer_id, state, fee, created, customer_info_customer_id,"
          + " customer_info_city, order_items_order_id, order_items_n, order_items_product_id,"
          + " order_items_price, order_items_product_product_id, order_items_product_name"
          + " FROM orders_wide";

  private final TestMariaDb mariadb = TestMariaDb.shared();
  private final TestPostgres postgres = TestPostgres.shared();
  private final String source;
  private final String copies;
  private final String warehouse;

  WarehouseIT() throws SQLException {
    source = mariadb.createDatabase();
    copies = mariadb.createDatabase();
    warehouse = postgres.createDatabase();
  }

  @Test
  @Timeout(value = 4, unit = TimeUnit.MINUTES)
  void flatTablesAndCopiesEndEqualToTheSameSqlOnTheSource() throws Exception {
    createShop();
    Flow flow =
        Flow.named("warehouse")
            .connection(
                Connection.mariadb(
                    "tp",
                    "127.0.0.1",
                    mariadb.port(),
                    source,
                    TestMariaDb.USER,
                    TestMariaDb.PASSWORD))
            .connection(Connection.jdbc("dwh", url(), "postgres", "unused"))
            .connection(
                Connection.jdbc(
                    "ap",
                    "jdbc:mariadb://127.0.0.1:" + mariadb.port() + "/" + copies,
                    TestMariaDb.USER,
                    TestMariaDb.PASSWORD));
    for (String target : List.of("dwh", "ap")) {
      flow =
          flow.readFrom("tp.orders")
              .lookup(
                  "tp.customers", path("customer_info"), object(), on("customer_id", "customer_id"))
              .lookup("tp.items", path("order_items"), array(), on("order_id", "order_id"))
              .lookup(
                  "tp.products",
                  path("order_items.product"),
                  object(),
                  on("order_items.product_id", "product_id"))
              .writeTo(target + ".orders_wide")
              .replicate(target, "tp.ord*", "tp.products");
    }
    RunningBeamFlow running =
        new BeamLauncher().launch(FlowPlanner.connected().plan(flow), "--parallelism=1");
    try {
      awaitEqual(running);
      assertThat(running.counter("documentsInserted")).isEqualTo(2 * (502 + 300 + 20));

      mariadb.execute(
          source,
          "UPDATE items SET order_id = 6 WHERE order_id = 8 AND n = 1",
          "UPDATE items SET product_id = 3 WHERE order_id = 9",
          "UPDATE items SET product_id = NULL WHERE order_id = 10",
          "UPDATE orders SET customer_id = 2, fee = 6499.00 WHERE order_id = 11",
          "UPDATE orders SET customer_id = NULL WHERE order_id = 12",
          "DELETE FROM items WHERE order_id = 13",
          "DELETE FROM orders WHERE order_id IN (14, 15)",
          "DELETE FROM customers WHERE customer_id = 4",
          "UPDATE products SET name = 'huawei pura 70 \\\\ 😀' WHERE product_id = 5",
          "UPDATE customers SET city = 'Zürich' WHERE customer_id = 1",
          "INSERT INTO orders VALUES (1000, 1, 0, 6499.00, '2024-10-05 12:00:00')",
          "INSERT INTO items VALUES (1000, 1, 5, 6499.00), (1000, 2, 1, NULL), (14, 9, 1, 2.50)",
          "UPDATE orders SET order_id = 1001 WHERE order_id = 20",
          "DELETE FROM orders WHERE order_id = 21",
          "INSERT INTO orders VALUES (21, 3, 1, 1.00, '2024-10-06 00:00:00.25')");
      awaitEqual(running);

      mariadb.execute(
          source,
          "ALTER TABLE products ADD COLUMN stock INT NOT NULL DEFAULT 5,"
              + " ADD COLUMN note VARCHAR(40) DEFAULT 'it''s new'",
          "UPDATE products SET stock = 7 WHERE product_id = 2",
          "INSERT INTO products VALUES (99, 'new', 1, NULL)");
      awaitCopies(running, "products", "product_id");
      assertThat(rows(mariadb.connect(copies), "SELECT * FROM products WHERE product_id = 99"))
          .hasSize(1);
      assertThat(running.status().state()).isEqualTo(FlowStatus.State.RUNNING);
      assertThat(running.counter("staleWritesRefused")).isZero();
    } finally {
      running.stop();
    }
  }

  private String url() throws SQLException {
    try (java.sql.Connection connection = postgres.connect(warehouse)) {
      return connection.getMetaData().getURL();
    }
  }

  private void createShop() throws SQLException {
    mariadb.execute(
        source,
        "CREATE TABLE customers (customer_id BIGINT PRIMARY KEY, city VARCHAR(50))",
        "CREATE TABLE products (product_id BIGINT PRIMARY KEY, name VARCHAR(50) NOT NULL)",
        "CREATE TABLE orders (order_id BIGINT PRIMARY KEY, customer_id BIGINT, state INT NOT NULL,"
            + " fee NUMERIC(20,2) NOT NULL, created DATETIME(3) NOT NULL)",
        "CREATE TABLE items (order_id BIGINT, n INT, product_id BIGINT, price DECIMAL(12,2),"
            + " PRIMARY KEY (order_id, n))",
        "INSERT INTO customers SELECT seq, CONCAT('city ', seq) FROM seq_1_to_10",
        "INSERT INTO products SELECT seq, CONCAT('iphone ', seq) FROM seq_1_to_20",
        "INSERT INTO orders SELECT seq, seq % 12, seq % 3, seq / 4, '2024-02-29 12:30:15.125'"
            + " FROM seq_1_to_300",
        // Every third order has no items, the others one or two.
        "INSERT INTO items SELECT seq, 1, seq % 25, seq / 8 FROM seq_1_to_300 WHERE seq % 3 > 0",
        "INSERT INTO items SELECT seq, 2, seq % 7, NULL FROM seq_1_to_300 WHERE seq % 3 > 0"
            + " OR seq = 300",
        "INSERT INTO items SELECT seq, 3, 1, 1 FROM seq_1_to_2");
  }

  private void awaitEqual(RunningBeamFlow running) throws Exception {
    awaitEqual(
        running,
        () -> rows(mariadb.connect(source), JOIN),
        () -> rows(postgres.connect(warehouse), WIDE));
    awaitEqual(
        running,
        () -> rows(mariadb.connect(source), JOIN),
        () -> rows(mariadb.connect(copies), WIDE));
    awaitCopies(running, "orders", "order_id");
    awaitCopies(running, "products", "product_id");
  }

  private void awaitCopies(RunningBeamFlow running, String table, String key) throws Exception {
    Callable<List<String>> wanted =
        () -> rows(mariadb.connect(source), "SELECT *, 'v' FROM " + table);
    awaitEqual(running, wanted, () -> copy(postgres.connect(warehouse), table, key));
    awaitEqual(running, wanted, () -> copy(mariadb.connect(copies), table, key));
  }

  /** A copy's rows, without their versions, in the source's order of columns. */
  private List<String> copy(java.sql.Connection target, String table, String key)
      throws SQLException {
    List<String> columns = new ArrayList<>();
    try (java.sql.Connection connection = mariadb.connect(source);
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery("SELECT * FROM " + table + " LIMIT 0")) {
      for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
        columns.add(found.getMetaData().getColumnName(i));
      }
    }
    assertThat(columns).contains(key);
    return rows(target, "SELECT " + String.join(", ", columns) + ", 'v' FROM " + table);
  }
}
