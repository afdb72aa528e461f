package io.widebeam.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.testing.TestMariaDb;
import io.widebeam.testing.TestPostgres;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rollups of a MariaDB's tables into collections and tables, by the program itself; whatever
 * happens to the rows and to the program, they end equal to the same SQL on the source.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class RollupIT {
  private static final long SEED = Long.getLong("widebeam.seed", 1);
  private static final int HEAP_MEGABYTES = 512;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private static final String SALES =
      "SELECT DATE(o.created) AS day, s.city, COUNT(*) AS items,"
          + " COUNT(DISTINCT o.order_id) AS orders, SUM(i.price * i.quantity) AS fee,"
          + " AVG(i.price) AS mean, MIN(i.price) AS least, MAX(i.price) AS most,"
          + " COUNT(i.price) AS priced"
          + " FROM orders o JOIN items i ON i.order_id = o.order_id"
          + " LEFT JOIN shops s ON s.shop_id = o.shop_id WHERE o.state <> 3"
          + " GROUP BY DATE(o.created), s.city";

  private static final String SHOPS =
      "SELECT shop_id, state, COUNT(*) AS orders, COUNT(note) AS notes, MIN(note) AS first_note,"
          + " MAX(created) AS latest FROM orders GROUP BY shop_id, state";

  private static final String TOTAL =
      "SELECT COUNT(*) AS items, SUM(quantity) AS quantity, COUNT(DISTINCT order_id) AS orders"
          + " FROM items";

  private final TestMariaDb mariadb = TestMariaDb.shared();
  private final TestPostgres postgres = TestPostgres.shared();
  private final EmbeddedMongo server = EmbeddedMongo.start();
  private final MongoClient client = MongoClients.create(server.uri());
  private final Random random = new Random(SEED);
  private final String source;
  private final String tables;
  private final String warehouse;

  @TempDir private Path directory;

  RollupIT() throws SQLException {
    source = mariadb.createDatabase();
    tables = mariadb.createDatabase();
    warehouse = postgres.createDatabase();
  }

  @BeforeEach
  void createShop() throws SQLException {
    mariadb.execute(
        source,
        "CREATE TABLE shops (shop_id INT PRIMARY KEY, city VARCHAR(20) COLLATE utf8mb4_bin)",
        "CREATE TABLE orders (order_id INT PRIMARY KEY, shop_id INT, state INT NOT NULL,"
            + " note VARCHAR(20) COLLATE utf8mb4_bin, created DATETIME(3) NOT NULL)",
        "CREATE TABLE items (order_id INT, n INT, price DECIMAL(12,2), quantity INT NOT NULL,"
            + " PRIMARY KEY (order_id, n))",
        "INSERT INTO shops SELECT seq, IF(seq % 4 = 0, NULL, CONCAT('c/', seq % 4))"
            + " FROM seq_1_to_8",
        "INSERT INTO orders SELECT seq, IF(seq % 7 = 0, NULL, seq % 10), seq % 4, NULL,"
            + " TIMESTAMPADD(HOUR, seq, '2024-10-01 00:00:00.5') FROM seq_1_to_100",
        "INSERT INTO items SELECT seq, 1, seq / 8, seq % 3 FROM seq_1_to_100 WHERE seq % 5 > 0",
        "INSERT INTO items SELECT seq, 2, NULL, 1 FROM seq_1_to_100 WHERE seq % 3 > 0");
  }

  @AfterEach
  void stopServers() {
    client.close();
    server.close();
  }

  @Test
  void groupsEndEqualToTheSameSqlOnTheSourceWhateverHappensToItsRows() throws Exception {
    try (ChildProcess run = run()) {
      awaitEqual(run);
      for (int round = 0; round < 4; round++) {
        change(100);
        awaitEqual(run);
      }
      // Everything goes: no group is left but that of everything.
      mariadb.execute(source, "DELETE FROM items", "DELETE FROM orders", "DELETE FROM shops");
      awaitEqual(run);
      assertThat(client.getDatabase("docs").getCollection("sales").countDocuments()).isZero();
      assertThat(documents("total")).containsExactly("items=0 orders=0 quantity=null");
      mariadb.execute(source, "INSERT INTO items VALUES (1, 1, 1.10, 2)");
      awaitEqual(run);
    }
  }

  @Test
  void killsInTheMiddleLeaveTheGroupsExact() throws Exception {
    for (int kill = 0; kill < 3; kill++) {
      try (ChildProcess run = run()) {
        awaitEqual(run);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500 + random.nextInt(1_500));
        while (System.nanoTime() < end) {
          change(5);
        }
      }
      // What happened while nothing ran is in the log.
      change(20);
    }
    try (ChildProcess run = run()) {
      run.awaitLine(line -> line.contains("resuming from "), PATIENCE);
      awaitEqual(run);
    }
  }

  @Test
  void aFreshRunRemovesTheGroupsThatAreNoMore() throws Exception {
    try (ChildProcess run = run()) {
      awaitEqual(run);
    }
    mariadb.execute(
        source,
        "DELETE FROM orders WHERE DAY(created) = 2 OR state = 2",
        "UPDATE shops SET city = 'c/9'",
        "DELETE FROM items WHERE order_id % 2 = 0");
    try (ChildProcess run = run("--fresh")) {
      awaitEqual(run);
    }
  }

  private void change(int times) throws SQLException {
    try (Connection connection = mariadb.connect(source);
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < times; i++) {
        int order = 1 + random.nextInt(120);
        String shop = random.nextInt(5) == 0 ? "NULL" : "" + (1 + random.nextInt(10));
        String day = String.format("'2024-10-%02d 10:00:00.125'", 1 + random.nextInt(6));
        String price = random.nextInt(6) == 0 ? "NULL" : random.nextInt(40) + ".25";
        String note = random.nextInt(3) == 0 ? "NULL" : "'n" + random.nextInt(9) + "'";
        statement.execute(
            switch (random.nextInt(9)) {
              case 0 -> "DELETE FROM orders WHERE order_id = " + order;
              case 1, 2 ->
                  String.format(
                      "INSERT INTO orders VALUES (%d, %s, %d, %s, %s) ON DUPLICATE KEY UPDATE"
                          + " shop_id = VALUES(shop_id), created = VALUES(created)",
                      order, shop, random.nextInt(4), note, day);
              case 3 ->
                  String.format(
                      "UPDATE orders SET state = %d, note = %s WHERE order_id = %d",
                      random.nextInt(4), note, order);
              case 4 -> "DELETE FROM items WHERE order_id = " + order + " AND n = 1";
              case 5, 6 ->
                  String.format(
                      "REPLACE INTO items VALUES (%d, %d, %s, %d)",
                      order, 1 + random.nextInt(3), price, random.nextInt(5));
              case 7 ->
                  String.format(
                      "UPDATE IGNORE items SET order_id = %d WHERE order_id = %d",
                      1 + random.nextInt(120), order);
              default ->
                  random.nextInt(3) == 0
                      ? "DELETE FROM shops WHERE shop_id = " + (1 + random.nextInt(10))
                      : String.format(
                          "REPLACE INTO shops VALUES (%d, 'c/%d')",
                          1 + random.nextInt(10), random.nextInt(4));
            });
      }
    }
  }

  private ChildProcess run(String... options) throws IOException, SQLException {
    String flow =
        Files.writeString(
                directory.resolve("rollups.yaml"),
                """
                name: rollups
                connections:
                  tp: {type: mariadb, host: 127.0.0.1, port: %d, database: %s, user: %s, password: "%s"}
                  docs: {type: mongodb, uri: "%s", database: docs}
                  dwh: {type: jdbc, url: "%s", user: postgres, password: unused}
                  ap: {type: jdbc, url: "jdbc:mariadb://127.0.0.1:%d/%s", user: %s, password: "%s"}
                views:
                  - from: tp.orders
                    lookups:
                      - {from: tp.shops, path: shop, type: object, relation: [[shop_id, shop_id]]}
                      - {from: tp.items, path: items, type: array, relation: [[order_id, order_id]]}
                    to: docs.orders
                rollups:
                %s
                  - from: tp.orders
                    groupBy: [shop_id, state]
                    aggregates: {orders: COUNT(*), notes: COUNT(note), first_note: MIN(note), latest: MAX(created)}
                    to: docs.shops
                  - from: tp.orders
                    groupBy: [shop_id, state]
                    aggregates: {orders: COUNT(*), notes: COUNT(note), first_note: MIN(note), latest: MAX(created)}
                    to: ap.shops
                  - from: tp.items
                    aggregates: {items: COUNT(*), quantity: SUM(quantity), orders: COUNT(DISTINCT order_id)}
                    every: change
                    to: docs.total
                  - from: tp.items
                    aggregates: {items: COUNT(*), quantity: SUM(quantity), orders: COUNT(DISTINCT order_id)}
                    to: dwh.total
                """
                    .formatted(
                        mariadb.port(),
                        source,
                        TestMariaDb.USER,
                        TestMariaDb.PASSWORD,
                        server.uri(),
                        url(),
                        mariadb.port(),
                        tables,
                        TestMariaDb.USER,
                        TestMariaDb.PASSWORD,
                        salesInto("docs") + salesInto("dwh") + salesInto("ap")))
            .toString();
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "run",
                flow,
                "--checkpointingInterval=300",
                "--minPauseBetweenCheckpoints=100",
                "--state-dir=" + directory.resolve("state")));
    arguments.addAll(List.of(options));
    return ChildProcess.startJava(
        "run", HEAP_MEGABYTES, Main.class.getName(), arguments, Map.of(), line -> {});
  }

  private static String salesInto(String target) {
    return """
      - from: docs.orders
        unwind: items
        filter: state <> 3
        groupBy: {day: DATE(created), city: shop.city}
        aggregates:
          items: COUNT(*)
          orders: COUNT(DISTINCT order_id)
          fee: SUM(items.price * items.quantity)
          mean: AVG(items.price)
          least: MIN(items.price)
          most: MAX(items.price)
          priced: COUNT(items.price)
        to: %s.sales
    """
        .formatted(target);
  }

  private String url() throws SQLException {
    try (Connection connection = postgres.connect(warehouse)) {
      return connection.getMetaData().getURL();
    }
  }

  private void awaitEqual(ChildProcess run) throws Exception {
    awaitEqual(run, SALES, () -> documents("sales"));
    awaitEqual(run, SALES, () -> rows(postgres.connect(warehouse), "SELECT * FROM sales"));
    awaitEqual(run, SALES, () -> rows(mariadb.connect(tables), "SELECT * FROM sales"));
    awaitEqual(run, SHOPS, () -> documents("shops"));
    awaitEqual(run, SHOPS, () -> rows(mariadb.connect(tables), "SELECT * FROM shops"));
    awaitEqual(run, TOTAL, () -> documents("total"));
    awaitEqual(run, TOTAL, () -> rows(postgres.connect(warehouse), "SELECT * FROM total"));
  }

  private void awaitEqual(ChildProcess run, String sql, Callable<List<String>> target)
      throws Exception {
    List<String> wanted = rows(mariadb.connect(source), sql);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      List<String> found;
      try {
        found = target.call();
      } catch (SQLException e) {
        // The table is yet to come.
        found = List.of(String.valueOf(e.getMessage()));
      }
      if (found.equals(wanted)) {
        return;
      }
      assertThat(run.isAlive()).as(() -> run.failure("the program ended")).isTrue();
      if (System.nanoTime() > end) {
        assertThat(found).as("seed %d", SEED).containsExactlyElementsOf(wanted);
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private List<String> documents(String collection) {
    List<String> documents = new ArrayList<>();
    for (Document document : client.getDatabase("docs").getCollection(collection).find()) {
      documents.add(row(document));
    }
    documents.sort(null);
    return documents;
  }

  /** All rows, sorted. Closes the connection. */
  private static List<String> rows(Connection connection, String sql) throws SQLException {
    try (connection;
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (found.next()) {
        Document row = new Document();
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          row.put(found.getMetaData().getColumnLabel(i), found.getObject(i));
        }
        rows.add(row(row));
      }
      rows.sort(null);
      return rows;
    }
  }

  /** The fields but Widebeam's own, as texts that do not depend on the database. */
  private static String row(Document row) {
    List<String> fields = new ArrayList<>();
    row.forEach(
        (name, value) -> {
          if (!name.startsWith("_")) {
            fields.add(name + "=" + text(value));
          }
        });
    fields.sort(null);
    return String.join(" ", fields);
  }

  private static String text(Object value) {
    if (value instanceof Timestamp time) {
      return time.toLocalDateTime().toString();
    } else if (value instanceof java.sql.Date date) {
      return date.toLocalDate().atStartOfDay().toString();
    } else if (value instanceof Date date) {
      return date.toInstant().atOffset(ZoneOffset.UTC).toLocalDateTime().toString();
    } else if (value instanceof Decimal128 decimal) {
      return text(decimal.bigDecimalValue());
    } else if (value instanceof BigDecimal decimal) {
      return decimal.signum() == 0 ? "0" : decimal.stripTrailingZeros().toPlainString();
    }
    return String.valueOf(value);
  }
}
