package io.widebeam.runner;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Documents follow their tables' columns while the flow runs. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class AlteredTablesIT {
  private static final int ORDERS = 40;

  /** Each is made between changes of rows, whose columns are those of their time. */
  private static final List<String> STATEMENTS =
      List.of(
          "ALTER TABLE items ADD COLUMN colour VARCHAR(9) NOT NULL DEFAULT 'red'",
          "ALTER TABLE orders ADD COLUMN note TEXT FIRST",
          "ALTER TABLE orders RENAME COLUMN status TO state",
          "ALTER TABLE items MODIFY price DECIMAL(12,3)",
          "ALTER TABLE orders MODIFY id BIGINT",
          "ALTER TABLE items MODIFY order_id BIGINT, MODIFY line BIGINT UNSIGNED",
          "ALTER TABLE orders MODIFY id DECIMAL(20,0)",
          "ALTER TABLE orders DROP COLUMN note");

  private final EmbeddedMongo mongo = EmbeddedMongo.start();
  private final MongoClient client = MongoClients.create(mongo.uri());
  private final MongoCollection<Document> documents =
      client.getDatabase("docs").getCollection("orders");
  private EmbeddedMariaDb server;

  @BeforeEach
  void createTables() throws SQLException {
    server = EmbeddedMariaDb.start();
    try (Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE shop");
    }
    execute(
        "CREATE TABLE orders (id INT PRIMARY KEY, status VARCHAR(20))",
        "CREATE TABLE items (order_id INT, line INT, price INT, PRIMARY KEY (order_id, line))",
        "INSERT INTO orders SELECT seq, 'new' FROM seq_1_to_" + ORDERS,
        "INSERT INTO items SELECT seq % 30, seq, seq FROM seq_1_to_60");
  }

  @AfterEach
  void stop() {
    client.close();
    mongo.close();
    server.close();
  }

  @Test
  void documentsFollowTheirTablesColumns() throws Exception {
    RunningBeamFlow running =
        new BeamLauncher()
            .launch(
                FlowPlanner.connected()
                    .plan(
                        Flow.named("orders")
                            .connection(
                                io.widebeam.flow.Connection.mariadb(
                                    "shop",
                                    server.host(),
                                    server.port(),
                                    "shop",
                                    EmbeddedMariaDb.CDC_USER,
                                    EmbeddedMariaDb.CDC_PASSWORD))
                            .connection(
                                io.widebeam.flow.Connection.mongodb("docs", mongo.uri(), "docs"))
                            .readFrom("shop.orders")
                            .lookup("shop.items", path("items"), array(), on("id", "order_id"))
                            .writeTo("docs.orders")));
    try {
      awaitEqual(running, "the load");
      for (int i = 0; i < STATEMENTS.size(); i++) {
        touch(i + 1);
        execute(STATEMENTS.get(i));
        touch(i + 11);
        awaitEqual(running, STATEMENTS.get(i));
      }
    } finally {
      running.stop();
    }
  }

  private void touch(int id) throws SQLException {
    execute(
        "UPDATE items SET price = price + 1 WHERE order_id = " + id,
        "DELETE FROM orders WHERE id = " + (id + 20),
        "INSERT INTO orders (id) VALUES (" + (id + 100) + ")",
        "INSERT INTO items (order_id, line, price) VALUES (" + (id + 100) + ", 1, 5)");
  }

  private void awaitEqual(RunningBeamFlow running, String after) throws Exception {
    Map<String, Map<String, Object>> expected = select();
    Map<String, Map<String, Object>> found = Map.of();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!found.equals(expected)) {
      if (running.status().state() == FlowStatus.State.ERROR) {
        running.awaitEnd();
        throw new AssertionError("the flow failed", running.failure().orElse(null));
      }
      if (System.nanoTime() > deadline) {
        assertThat(found).as("documents after: %s", after).isEqualTo(expected);
      }
      TimeUnit.MILLISECONDS.sleep(20);
      found = found();
    }
  }

  /** What SQL makes of the tables, by order; values as texts. */
  private Map<String, Map<String, Object>> select() throws SQLException {
    Map<String, Map<String, Object>> orders = new TreeMap<>();
    try (Connection connection = server.connect("shop");
        Statement statement = connection.createStatement()) {
      for (Map<String, Object> order : rows(statement, "SELECT * FROM orders")) {
        orders.put((String) order.get("id"), order);
      }
      orders.values().forEach(order -> order.put("items", new ArrayList<>()));
      for (Map<String, Object> item :
          rows(
              statement,
              "SELECT items.* FROM items JOIN orders ON order_id = id ORDER BY order_id, line")) {
        items(orders.get((String) item.get("order_id"))).add(item);
      }
    }
    return orders;
  }

  @SuppressWarnings("unchecked")
  private static List<Object> items(Map<String, Object> order) {
    return (List<Object>) order.get("items");
  }

  private static List<Map<String, Object>> rows(Statement statement, String sql)
      throws SQLException {
    List<Map<String, Object>> rows = new ArrayList<>();
    try (ResultSet row = statement.executeQuery(sql)) {
      ResultSetMetaData columns = row.getMetaData();
      while (row.next()) {
        Map<String, Object> values = new TreeMap<>();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          values.put(columns.getColumnName(i), row.getString(i));
        }
        rows.add(values);
      }
    }
    return rows;
  }

  private Map<String, Map<String, Object>> found() {
    Map<String, Map<String, Object>> orders = new TreeMap<>();
    for (Document document : documents.find()) {
      Map<String, Object> order = texts(document);
      order.put(
          "items",
          document.getList("items", Document.class).stream()
              .map(item -> (Object) texts(item))
              .toList());
      Map<String, Object> other = orders.put(String.valueOf(document.get("_id")), order);
      assertThat(other).as("another document of the key %s", document.get("_id")).isNull();
    }
    return orders;
  }

  private static Map<String, Object> texts(Document document) {
    Map<String, Object> texts = new TreeMap<>();
    document.forEach(
        (name, value) -> {
          if (!name.startsWith("_") && !(value instanceof List)) {
            texts.put(name, value == null ? null : value.toString());
          }
        });
    return texts;
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = server.connect("shop");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
