package io.widebeam.runner;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.shop.Shop;
import io.widebeam.runner.shop.ShopWorkload;
import io.widebeam.testing.FlakyNetwork;
import java.io.IOException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A running flow between two servers of which one is away for a while, and changes meanwhile: in
 * the end the target is what SQL gives at the source, and the flow never stopped.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class OutagesIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final List<String> TABLES =
      List.of("ecom_orders", "ecom_order_payments", "ecom_order_items", "ecom_customers");

  /** Its rows are those of {@link #JOIN}. */
  private static final String WIDE =
      "SELECT order_id, order_status, customer_info_customer_city,"
          + " order_items_order_item_id, order_items_price FROM orders_wide";

  private static final String JOIN =
      "SELECT o.order_id, o.order_status, c.customer_city AS customer_info_customer_city,"
          + " i.order_item_id AS order_items_order_item_id, i.price AS order_items_price"
          + " FROM ecom_orders o LEFT JOIN ecom_customers c USING (customer_id)"
          + " LEFT JOIN ecom_order_items i ON i.order_id = o.order_id";

  private static EmbeddedMariaDb source;
  private static EmbeddedMariaDb target;

  private FlakyNetwork toSource;
  private FlakyNetwork toTarget;
  private RunningBeamFlow flow;
  private ShopWorkload workload;
  private java.sql.Connection application;

  @BeforeAll
  static void startServers() {
    source = EmbeddedMariaDb.start();
    target = EmbeddedMariaDb.start();
  }

  @AfterAll
  static void stopServers() {
    source.close();
    target.close();
  }

  @BeforeEach
  void startFlow() throws Exception {
    execute(source, "DROP DATABASE IF EXISTS " + Shop.DATABASE);
    execute(
        target,
        "DROP DATABASE IF EXISTS wide",
        "CREATE DATABASE wide",
        // Not one of those whom a read-only server lets write.
        "CREATE OR REPLACE USER dwh@'%' IDENTIFIED BY 'dwh'",
        "GRANT ALL ON wide.* TO dwh@'%'",
        "SET GLOBAL userstat = 1");
    try (java.sql.Connection connection = source.connect("")) {
      Shop.createTables(connection);
      Shop.fill(connection, 300);
    }
    toSource = new FlakyNetwork(source.port());
    toTarget = new FlakyNetwork(target.port());
    flow = new BeamLauncher().launch(FlowPlanner.connected().plan(shop()), "--parallelism=1");
    application = source.connect(Shop.DATABASE);
    workload = new ShopWorkload(application, 7, Set.of());
    awaitEqual();
  }

  @AfterEach
  void stopFlow() throws SQLException, IOException {
    flow.stop();
    application.close();
    toSource.close();
    toTarget.close();
  }

  private Flow shop() {
    return Flow.named("outages")
        .connection(
            Connection.mariadb(
                "tp",
                "127.0.0.1",
                toSource.port(),
                Shop.DATABASE,
                EmbeddedMariaDb.CDC_USER,
                EmbeddedMariaDb.CDC_PASSWORD))
        .connection(
            Connection.jdbc(
                "ap", "jdbc:mariadb://127.0.0.1:" + toTarget.port() + "/wide", "dwh", "dwh"))
        .readFrom("tp.ecom_orders")
        .lookup(
            "tp.ecom_customers", path("customer_info"), object(), on("customer_id", "customer_id"))
        .lookup("tp.ecom_order_items", path("order_items"), array(), on("order_id", "order_id"))
        .writeTo("ap.orders_wide")
        .replicate("ap", TABLES.stream().map(table -> "tp." + table).toArray(String[]::new));
  }

  @Test
  void aTargetThatIsReadOnlyForAWhileGetsEverything() throws Exception {
    execute(target, "SET GLOBAL read_only = 1");
    try {
      long before = attempts();
      work(200);
      await(() -> attempts() > before + 20, "refused writes");
      work(200);
      assertThat(flow.status().state()).isEqualTo(FlowStatus.State.RUNNING);
      assertThat(flow.status().targetsDown()).anyMatch(name -> name.contains("orders_wide"));
    } finally {
      execute(target, "SET GLOBAL read_only = 0");
    }
    awaitEqual();
    assertThat(flow.status().targetsDown()).isEmpty();
    assertThat(flow.counter("writeRetries")).isPositive();
  }

  @Test
  void aTargetThatIsKilledWhileItIsWrittenGetsEverything() throws Exception {
    for (int kill = 0; kill < 3; kill++) {
      work(150);
      target.kill();
      work(50);
      target.startAgain();
    }
    awaitEqual();
    assertThat(flow.counter("writeRetries")).isPositive();
  }

  @Test
  void aSourceThatIsKilledWhileItIsReadLosesNothing() throws Exception {
    for (int kill = 0; kill < 3; kill++) {
      work(150);
      source.kill();
      await(() -> flow.status().sourcesDown().equals(List.of("tp")), "news of the outage");
      source.startAgain();
      application = source.connect(Shop.DATABASE);
      workload.continueOn(application);
      work(50);
    }
    awaitEqual();
    assertThat(flow.status().sourcesDown()).isEmpty();
  }

  @Test
  @Tag("slow")
  void connectionsThatAreSilentForAMinuteLoseNothing() throws Exception {
    work(100);
    toSource.swallow();
    toTarget.swallow();
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (System.nanoTime() < end) {
      work(10);
    }
    assertThat(flow.status().sourcesDown()).containsExactly("tp");
    toSource.restore();
    toTarget.restore();
    awaitEqual();
  }

  private void work(int transactions) throws SQLException {
    for (int i = 0; i < transactions; i++) {
      workload.transaction();
    }
  }

  private void awaitEqual() throws Exception {
    for (String table : TABLES) {
      awaitEqual("SELECT * FROM " + table, "SELECT * FROM " + table);
    }
    awaitEqual(JOIN, WIDE);
  }

  private void awaitEqual(String atSource, String atTarget) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    List<String> wanted = rows(source, Shop.DATABASE, atSource);
    List<String> found = null;
    while (!wanted.equals(found)) {
      assertThat(flow.failure()).isEmpty();
      try {
        found = rows(target, "wide", atTarget);
      } catch (SQLException e) {
        found = List.of(String.valueOf(e.getMessage())); // The table is yet to come.
      }
      if (System.nanoTime() > end) {
        assertThat(found).as(atTarget).containsExactlyElementsOf(wanted);
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  /** How many statements the flow has sent to the target, whether or not they were refused. */
  private static long attempts() throws SQLException {
    try (java.sql.Connection connection = target.connect("");
        Statement statement = connection.createStatement();
        ResultSet found =
            statement.executeQuery(
                "SELECT SUM(UPDATE_COMMANDS + OTHER_COMMANDS)"
                    + " FROM information_schema.USER_STATISTICS WHERE USER = 'dwh'")) {
      found.next();
      return found.getLong(1);
    }
  }

  private void await(Callable<Boolean> condition, String what) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("waiting for %s", what).isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  /** All rows, sorted, without their versions. */
  private static List<String> rows(EmbeddedMariaDb server, String database, String sql)
      throws SQLException {
    try (java.sql.Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (found.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          String name = found.getMetaData().getColumnLabel(i);
          if (!name.equals("_version")) {
            Object value = found.getObject(i);
            columns.add(
                name + "=" + (value instanceof Timestamp time ? time.toLocalDateTime() : value));
          }
        }
        columns.sort(null);
        rows.add(String.join(" ", columns));
      }
      rows.sort(null);
      return rows;
    }
  }

  private static void execute(EmbeddedMariaDb server, String... statements) throws SQLException {
    try (java.sql.Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
