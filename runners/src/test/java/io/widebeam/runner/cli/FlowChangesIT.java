package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.testing.TestPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A flow file that is edited between two runs: what is new is loaded, the rest goes on. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FlowChangesIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int ORDERS = 2_000;

  private static final String ORDERS_VIEW = "  - {from: Shop.orders, to: Docs.orders}\n";
  private static final String PRODUCTS_VIEW = "  - {from: Shop.products, to: Docs.products}\n";
  private static final String ORDERS_WITH_CUSTOMERS =
      """
        - from: Shop.orders
          lookups:
            - {from: Shop.customers, path: customer, type: object, relation: [[buyer, id]]}
          to: Docs.orders
      """;

  /** So many that one row at a time takes far longer than everything that goes on meanwhile. */
  private static final int REVIEWS = 100_000;

  private static final String REVIEWS_VIEW = "  - {from: Shop.reviews, to: Docs.reviews}\n";

  private static final AtomicInteger FLOWS = new AtomicInteger();

  /** Each test's own: a Postgres server has one slot of a name for all its databases. */
  private final String flow = "changing" + FLOWS.incrementAndGet();

  private final EmbeddedMongo server = EmbeddedMongo.start();
  private final MongoClient client = MongoClients.create(server.uri());
  private final List<String> printed = new ArrayList<>();

  @TempDir private Path directory;

  @AfterEach
  void close() {
    client.close();
    server.close();
  }

  /** A database with the tables, and how the flow connects to it. */
  private interface Source {
    Connection connect() throws SQLException;

    String settings();

    /** Lets the log have whole rows, where it does not by itself. */
    void wholeRowsOf(String... tables) throws SQLException;

    default void execute(String... statements) throws SQLException {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        for (String sql : statements) {
          statement.execute(sql);
        }
      }
    }
  }

  @Test
  void tablesAreAddedToAFlowOnMariaDb() throws Exception {
    try (EmbeddedMariaDb mariaDb = EmbeddedMariaDb.start()) {
      tablesAreAdded(shop(mariaDb));
    }
  }

  @Test
  void tablesAreAddedToAFlowOnPostgres() throws Exception {
    TestPostgres postgres = TestPostgres.shared();
    Source source = shop(postgres, postgres.createDatabase());
    tablesAreAdded(source);

    // Of the two views that were added; none is left of those that the flow began with.
    assertThat(slotsAndPublications(source)).isEqualTo(4);
    forget(source);
  }

  @Test
  void theRestGoesOnWhileAnAddedTableIsLoadedOnMariaDb() throws Exception {
    try (EmbeddedMariaDb mariaDb = EmbeddedMariaDb.start()) {
      theRestGoesOn(shop(mariaDb));
    }
  }

  @Test
  void theRestGoesOnWhileAnAddedTableIsLoadedOnPostgres() throws Exception {
    TestPostgres postgres = TestPostgres.shared();
    Source source = shop(postgres, postgres.createDatabase());
    theRestGoesOn(source);

    assertThat(slotsAndPublications(source)).isEqualTo(4);
    Path file = write(source, PRODUCTS_VIEW);
    try (ChildProcess run = run(file)) {
      run.awaitLine(line -> line.contains("removed publication widebeam_changing"), PATIENCE);
      run.awaitLine(line -> line.contains("job current status is"), PATIENCE);
      assertThat(slotsAndPublications(source)).isEqualTo(2);
      stop(run);
    }
    forget(source);
  }

  private void forget(Source source) throws SQLException {
    assertThat(
            Widebeam.commandLine()
                .execute(
                    "forget",
                    directory.resolve("flow.yaml").toString(),
                    "--state-dir=" + directory.resolve("state")))
        .isZero();
    assertThat(slotsAndPublications(source)).isZero();
  }

  private static Source shop(EmbeddedMariaDb mariaDb) throws SQLException {
    try (Connection connection = mariaDb.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE shop");
    }
    return new Source() {
      @Override
      public Connection connect() throws SQLException {
        return mariaDb.connect("shop");
      }

      @Override
      public String settings() {
        return "type: mariadb, host: %s, port: %d, database: shop, user: %s, password: %s"
            .formatted(
                mariaDb.host(),
                mariaDb.port(),
                EmbeddedMariaDb.CDC_USER,
                EmbeddedMariaDb.CDC_PASSWORD);
      }

      @Override
      public void wholeRowsOf(String... tables) {
        // That is this server's default.
      }
    };
  }

  private static Source shop(TestPostgres postgres, String database) {
    return new Source() {
      @Override
      public Connection connect() throws SQLException {
        return postgres.connect(database);
      }

      @Override
      public String settings() {
        return "type: postgresql, host: 127.0.0.1, port: %d, database: %s, user: postgres, password: ''"
            .formatted(postgres.port(), database);
      }

      @Override
      public void wholeRowsOf(String... tables) throws SQLException {
        for (String table : tables) {
          execute("ALTER TABLE " + table + " REPLICA IDENTITY FULL");
        }
      }
    };
  }

  private void tablesAreAdded(Source source) throws Exception {
    source.execute(
        "CREATE TABLE customers (id INT PRIMARY KEY, city VARCHAR(20))",
        "CREATE TABLE orders (id INT PRIMARY KEY, buyer INT, status VARCHAR(20))",
        "CREATE TABLE products (id INT PRIMARY KEY, name VARCHAR(20))");
    source.wholeRowsOf("customers", "orders", "products");
    source.execute(
        "INSERT INTO customers VALUES (0, 'Rome'), (1, 'Oslo'), (2, 'Bern')",
        "INSERT INTO products VALUES (1, 'pen'), (2, 'ink')",
        "INSERT INTO orders VALUES "
            + String.join(
                ", ",
                java.util.stream.IntStream.rangeClosed(1, ORDERS)
                    .mapToObj(id -> "(" + id + ", " + id % 3 + ", 'new')")
                    .toList()));
    Path file = write(source, ORDERS_VIEW + PRODUCTS_VIEW);
    try (ChildProcess run = run(file)) {
      await(
          run,
          () -> documents("orders").size() == ORDERS && documents("products").equals(products()));
      stop(run);
    }
    Map<Object, Long> versionsOfProducts = versions("products");

    // While nothing runs: all of it is in the log after the checkpoint.
    source.execute(
        "DELETE FROM orders WHERE id = 1",
        "UPDATE orders SET buyer = 2 WHERE id = 2",
        "UPDATE customers SET city = 'Kyiv' WHERE id = 2",
        "INSERT INTO customers VALUES (3, 'Lima')",
        "DELETE FROM customers WHERE id = 3",
        "UPDATE products SET name = 'nib' WHERE id = 1");
    write(source, ORDERS_WITH_CUSTOMERS + PRODUCTS_VIEW);
    try (ChildProcess run = run(file)) {
      run.awaitLine(line -> line.contains("the tables of Docs.orders are read now"), PATIENCE);
      // Killed while it loads, or soon after: it goes on with what is new.
      run.awaitLine(line -> line.contains("job current status is"), PATIENCE);
    }
    source.execute("UPDATE orders SET status = 'paid' WHERE id = 4");
    try (ChildProcess run = run(file)) {
      await(run, () -> documents("orders").equals(orders(source)));
      source.execute(
          "UPDATE customers SET city = 'Turku' WHERE id = 1",
          "INSERT INTO customers VALUES (7, 'Lyon')",
          "UPDATE orders SET buyer = 7 WHERE id = 5",
          "DELETE FROM orders WHERE id = 6");
      await(run, () -> documents("orders").equals(orders(source)));
      assertThat(documents("products")).containsEntry(1, "nib").containsEntry(2, "ink");
      assertThat(versions("products").get(2)).isEqualTo(versionsOfProducts.get(2));
      stop(run);
    }

    // A view that is taken out stays as it was; one that is new is loaded.
    source.execute("UPDATE products SET name = 'gum' WHERE id = 2");
    write(source, ORDERS_WITH_CUSTOMERS + "  - {from: Shop.customers, to: Docs.customers}\n");
    try (ChildProcess run = run(file)) {
      run.awaitLine(line -> line.contains("written for Docs.products stays"), PATIENCE);
      await(run, () -> documents("customers").size() == 4);
      source.execute("DELETE FROM orders WHERE id = 7");
      await(run, () -> documents("orders").equals(orders(source)));
      assertThat(documents("products")).containsEntry(2, "ink");
      stop(run);
    }
    assertThat(printed).noneMatch(line -> line.contains("Exception"));
  }

  /** Leaves a flow of both views that has been stopped. */
  private void theRestGoesOn(Source source) throws Exception {
    source.execute(
        "CREATE TABLE products (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE reviews (id INT PRIMARY KEY, product INT)",
        "INSERT INTO products VALUES (1, 'pen'), (2, 'ink')",
        "INSERT INTO reviews WITH RECURSIVE numbers(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM"
            + " numbers WHERE id < 1000) SELECT (a.id - 1) * 1000 + b.id, a.id FROM numbers a,"
            + " numbers b WHERE a.id <= "
            + REVIEWS / 1_000);
    source.wholeRowsOf("products", "reviews");
    Path file = write(source, PRODUCTS_VIEW);
    try (ChildProcess run = run(file)) {
      await(run, () -> documents("products").equals(products()));
      stop(run);
    }

    String slowly = ", properties: {widebeam.load.threads: \"1\", widebeam.load.chunk.rows: \"1\"}";
    write(source.settings() + slowly, PRODUCTS_VIEW + REVIEWS_VIEW);
    try (ChildProcess run = run(file)) {
      run.awaitLine(line -> line.contains("tables of Docs.reviews are read now"), PATIENCE);
      for (String name : List.of("nib", "gum")) {
        source.execute("UPDATE products SET name = '" + name + "' WHERE id = 1");
        await(run, () -> name.equals(documents("products").get(1)));
      }
      assertThat(count("reviews")).as("nothing of what is being loaded is shown").isZero();
      // Killed then, once a checkpoint has some of it.
      long checkpoint = newestCheckpoint();
      await(run, () -> newestCheckpoint() > checkpoint + 1);
    }

    source.execute(
        "DELETE FROM reviews WHERE id <= 10",
        "DELETE FROM reviews WHERE id = " + REVIEWS,
        "UPDATE products SET name = 'cap' WHERE id = 2");
    write(source, PRODUCTS_VIEW + REVIEWS_VIEW);
    try (ChildProcess run = run(file)) {
      await(run, () -> count("reviews") == REVIEWS - 11);
      assertThat(documents("products")).containsEntry(1, "gum").containsEntry(2, "cap");
      source.execute("DELETE FROM reviews WHERE id = 11");
      await(run, () -> count("reviews") == REVIEWS - 12);
      stop(run);
    }
    assertThat(printed).noneMatch(line -> line.contains("Exception"));
  }

  private long count(String collection) {
    return client.getDatabase("docs").getCollection(collection).countDocuments();
  }

  /** How many checkpoints there have been in the run that goes on. */
  private long newestCheckpoint() {
    try (Stream<Path> files = Files.walk(directory.resolve("state"))) {
      return files
          .filter(path -> path.endsWith("_metadata"))
          .map(path -> path.getParent().getFileName().toString())
          .filter(name -> name.startsWith("chk-"))
          .mapToLong(name -> Long.parseLong(name.substring("chk-".length())))
          .max()
          .orElse(0);
    } catch (IOException | UncheckedIOException e) {
      return 0; // Flink deletes old ones meanwhile.
    }
  }

  private static int slotsAndPublications(Source source) throws SQLException {
    try (Connection connection = source.connect()) {
      return TestPostgres.slotsAndPublications(connection);
    }
  }

  private static Map<Object, String> products() {
    return Map.of(1, "pen", 2, "ink");
  }

  /** What the documents must be, as the database joins them. */
  private static Map<Object, String> orders(Source source) throws SQLException {
    Map<Object, String> orders = new TreeMap<>();
    try (Connection connection = source.connect();
        Statement statement = connection.createStatement();
        var rows =
            statement.executeQuery(
                "SELECT o.id, o.status, c.city FROM orders o LEFT JOIN customers c"
                    + " ON c.id = o.buyer")) {
      while (rows.next()) {
        orders.put(rows.getInt(1), rows.getString(2) + " " + rows.getString(3));
      }
    }
    return orders;
  }

  private Map<Object, String> documents(String collection) {
    Map<Object, String> documents = new TreeMap<>();
    for (Document document : client.getDatabase("docs").getCollection(collection).find()) {
      Document customer = document.get("customer", Object.class) instanceof Document d ? d : null;
      String text =
          switch (collection) {
            case "products" -> document.getString("name");
            case "customers" -> document.getString("city");
            default ->
                document.getString("status")
                    + " "
                    + (customer == null ? null : customer.getString("city"));
          };
      documents.put(document.get("_id"), text);
    }
    return documents;
  }

  private Map<Object, Long> versions(String collection) {
    Map<Object, Long> versions = new TreeMap<>();
    for (Document document : client.getDatabase("docs").getCollection(collection).find()) {
      versions.put(document.get("_id"), document.getLong("_version"));
    }
    return versions;
  }

  /** Something that is to become true. */
  private interface Condition {
    boolean holds() throws SQLException;
  }

  private void await(ChildProcess run, Condition condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.holds()) {
      assertThat(run.isAlive()).as(run.failure("ended early")).isTrue();
      assertThat(System.nanoTime()).as("%s", printed).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private static void stop(ChildProcess run) throws InterruptedException {
    run.terminate();
    assertThat(run.awaitEnd(PATIENCE)).isZero();
  }

  private Path write(Source source, String views) throws IOException {
    return write(source.settings(), views);
  }

  private Path write(String settings, String views) throws IOException {
    return Files.writeString(
        directory.resolve("flow.yaml"),
        """
        name: %s
        connections:
          Shop: {%s}
          Docs: {type: mongodb, uri: "%s", database: docs}
        views:
        %s"""
            .formatted(flow, settings, server.uri(), views));
  }

  private ChildProcess run(Path file) {
    return ChildProcess.startJava(
        "the flow",
        512,
        Main.class.getName(),
        List.of(
            "run",
            file.toString(),
            "--state-dir=" + directory.resolve("state"),
            "--checkpointingInterval=300",
            "--minPauseBetweenCheckpoints=100"),
        Map.of(),
        printed::add);
  }
}
