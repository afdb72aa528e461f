package io.widebeam.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.sun.net.httpserver.HttpServer;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bson.Document;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The examples of the documentation: their files are run, and what their pages say that a
 * collection holds is what it comes to hold.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ExamplesIT {
  private static final Path EXAMPLES = Path.of("..", "docs", "examples");
  private static final long PATIENCE_SECONDS = 120;

  /** As in: `balances` holds, and a table. */
  private static final Pattern HOLDS = Pattern.compile("`(\\w+)` holds\n\n((?:\\|.*\n)+)");

  private static final Pattern SEPARATOR = Pattern.compile(";\\s*\n");

  /** What notifications say. */
  private static final List<String> ALERTS = new CopyOnWriteArrayList<>();

  private static EmbeddedMariaDb source;
  private static EmbeddedMongo target;
  private static MongoClient client;
  private static HttpServer hook;

  @BeforeAll
  static void start() throws IOException {
    source = EmbeddedMariaDb.start();
    target = EmbeddedMongo.start();
    client = MongoClients.create(target.uri());
    hook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hook.createContext(
        "/alerts",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          ALERTS.add(Document.parse(new String(body, StandardCharsets.UTF_8)).getString("text"));
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    hook.start();
  }

  @AfterAll
  static void stop() {
    hook.stop(0);
    client.close();
    target.close();
    source.close();
  }

  @Test
  void everyExampleIsTestedAndShowsItsFiles() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      assertThat(files.filter(Files::isDirectory).map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("balances", "behaviour", "customers", "inventory", "metrics");
    }
    for (String example : List.of("balances", "behaviour", "customers", "inventory", "metrics")) {
      assertThat(file(example, "README.md"))
          .contains("```yaml\n" + file(example, "flow.yaml") + "```")
          .contains("```sql\n" + file(example, "changes.sql") + "```");
      assertThat(Files.readString(EXAMPLES.resolve("README.md"))).contains(example + "/README.md");
    }
  }

  @Test
  void balancesFollowTransfersAndTheTotalStaysZero() throws Exception {
    try (Example balances = Example.run("balances")) {
      balances.awaitRows("totals", List.of("total"), List.of(List.of("0.00")));
      balances.change();
      balances.awaitPage();
      balances.awaitRows("totals", List.of("total", "entries"), List.of(List.of("0.00", "7")));
    }
  }

  @Test
  void stockFollowsMovementsAndShopsThatMove() throws Exception {
    try (Example inventory = Example.run("inventory")) {
      inventory.awaitRows(
          "stock",
          List.of("product", "city", "on_hand"),
          List.of(
              List.of("chair", "Oslo", "8"),
              List.of("lamp", "Oslo", "20"),
              List.of("lamp", "Rome", "5")));
      inventory.change();
      inventory.awaitPage();
      inventory.awaitRows(
          "stock_of_all_shops",
          List.of("product", "on_hand", "shops"),
          List.of(List.of("chair", "8", "2"), List.of("lamp", "23", "2")));
    }
  }

  @Test
  void anAlertIsThereWhileItsRuleHolds() throws Exception {
    ALERTS.clear();
    try (Example metrics = Example.run("metrics")) {
      metrics.awaitRows("alerts", List.of("host", "cpu"), List.of(List.of("b", "95.00")));
      metrics.change();
      metrics.awaitPage();
      metrics.awaitRows(
          "alerts",
          List.of("host", "cpu", "since"),
          List.of(List.of("a", "97.50", "2024-07-01 10:02:00")));
      metrics.await(() -> List.copyOf(ALERTS), List.of("busy: cpu > 90, for host a"));
    }
  }

  @Test
  void aCustomerShowsTheThreeLatestInteractions() throws Exception {
    try (Example customers = Example.run("customers")) {
      customers.awaitLatest("Ada", "10:00 phone", "11:00 shop", "12:00 chat");
      customers.change();
      customers.awaitLatest("Ada", "09:00 mail", "10:00 phone", "13:00 mail");
      customers.awaitLatest("Bob", "09:30 mail", "11:00 shop");
    }
  }

  @Test
  void behaviourIsCountedByUserAndByItem() throws Exception {
    try (Example behaviour = Example.run("behaviour")) {
      behaviour.awaitRows(
          "behaviour",
          List.of("user_id", "kind", "events"),
          List.of(
              List.of("1", "click", "1"), List.of("1", "view", "2"), List.of("2", "view", "1")));
      behaviour.change();
      behaviour.awaitPage();
      behaviour.awaitRows(
          "bought", List.of("item_id", "sold", "buyers"), List.of(List.of("100", "2", "2")));
    }
  }

  private static String file(String example, String name) throws IOException {
    return Files.readString(EXAMPLES.resolve(example).resolve(name));
  }

  /** An example's flow while it runs. */
  private static final class Example implements AutoCloseable {
    private final String name;
    private final Connection connection;
    private final MongoDatabase documents;
    private final RunningBeamFlow running;

    private Example(String name, Connection connection, RunningBeamFlow running) {
      this.name = name;
      this.connection = connection;
      this.documents = client.getDatabase(name);
      this.running = running;
    }

    static Example run(String name) throws Exception {
      try (Connection connection = source.connect("");
          Statement statement = connection.createStatement()) {
        statement.execute("CREATE DATABASE " + name);
      }
      Connection connection = source.connect(name);
      execute(connection, file(name, "tables.sql"));
      Map<String, String> environment =
          Map.of(
              "SOURCE_PORT",
              Integer.toString(source.port()),
              "SOURCE_PASSWORD",
              EmbeddedMariaDb.CDC_PASSWORD,
              "DOCS_URI",
              target.uri(),
              "ALERTS_URL",
              "http://127.0.0.1:" + hook.getAddress().getPort() + "/alerts");
      Flow flow = FlowYaml.parse(EXAMPLES.resolve(name).resolve("flow.yaml"), environment::get);
      return new Example(
          name, connection, new BeamLauncher().launch(FlowPlanner.connected().plan(flow)));
    }

    private static void execute(Connection connection, String sql) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        for (String one : SEPARATOR.split(sql.replaceAll("(?m)^--.*\n", ""), -1)) {
          if (!one.isBlank()) {
            statement.execute(one);
          }
        }
      }
    }

    void change() throws Exception {
      execute(connection, file(name, "changes.sql"));
    }

    /** Waits for what the page says. */
    void awaitPage() throws Exception {
      Matcher holds = HOLDS.matcher(file(name, "README.md"));
      assertThat(holds.find()).as("the page says what a collection holds").isTrue();
      do {
        List<List<String>> table =
            holds
                .group(2)
                .lines()
                .filter(line -> !line.startsWith("| ---"))
                .map(Example::cells)
                .toList();
        awaitRows(holds.group(1), table.get(0), table.subList(1, table.size()));
      } while (holds.find());
    }

    private static List<String> cells(String line) {
      return Arrays.stream(line.strip().split("\\|")).skip(1).map(String::strip).toList();
    }

    void awaitRows(String collection, List<String> fields, List<List<String>> expected)
        throws InterruptedException {
      await(
          () -> {
            List<List<String>> rows = new ArrayList<>();
            for (Document document : documents.getCollection(collection).find()) {
              rows.add(fields.stream().map(field -> text(document.get(field))).toList());
            }
            rows.sort(java.util.Comparator.comparing(Object::toString));
            return rows;
          },
          expected);
    }

    void awaitLatest(String customer, String... expected) throws InterruptedException {
      await(
          () -> {
            Map<String, List<String>> latest = new LinkedHashMap<>();
            for (Document document : documents.getCollection("customers").find()) {
              latest.put(
                  document.getString("name"),
                  document.getList("latest", Document.class).stream()
                      .map(row -> text(row.get("at")).substring(11, 16) + " " + row.get("channel"))
                      .toList());
            }
            return latest.get(customer);
          },
          List.of(expected));
    }

    private <T> void await(java.util.function.Supplier<T> actual, T expected)
        throws InterruptedException {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!expected.equals(actual.get()) && System.nanoTime() < deadline) {
        assertThat(running.failure()).isEmpty();
        TimeUnit.MILLISECONDS.sleep(50);
      }
      assertThat(actual.get()).isEqualTo(expected);
    }

    private static String text(Object value) {
      if (value instanceof Decimal128 decimal) {
        return decimal.bigDecimalValue().toPlainString();
      }
      if (value instanceof Date date) {
        String time =
            LocalDateTime.ofInstant(date.toInstant(), ZoneOffset.UTC)
                .format(DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss"));
        return time.endsWith(" 00:00:00") ? time.substring(0, 10) : time;
      }
      return String.valueOf(value);
    }

    @Override
    public void close() throws SQLException {
      running.stop();
      running.close();
      connection.close();
    }
  }
}
