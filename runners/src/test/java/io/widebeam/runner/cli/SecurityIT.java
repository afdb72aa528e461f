package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Passwords stay where they were given, and nothing listens where others reach it. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class SecurityIT {
  private static final String PASSWORD = "open-sesame-4711";
  private static final String OTHER = "shut-sesame-4712";
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static EmbeddedMariaDb source;
  private static EmbeddedMongo target;

  @TempDir private Path directory;

  @BeforeAll
  static void startServers() throws SQLException {
    source = EmbeddedMariaDb.start();
    target = EmbeddedMongo.start();
    execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (order_id INT PRIMARY KEY, status VARCHAR(20))",
        "INSERT INTO shop.orders VALUES (1, 'paid'), (2, 'sent'), (3, 'paid')",
        "SET PASSWORD FOR cdc@'%' = PASSWORD('" + PASSWORD + "')");
  }

  @AfterAll
  static void stopServers() {
    target.close();
    source.close();
  }

  @Test
  void aFlowThatRunsLeavesItsPasswordsNowhere() throws Exception {
    Path flow = flow();
    Process run = start("run", "-v", flow.toString(), "--checkpointingInterval=200");
    awaitDocuments();
    awaitCheckpoint();
    execute("INSERT INTO shop.orders VALUES (4, 'paid') ON DUPLICATE KEY UPDATE status = 'paid'");
    while (!messages("run").contains("mail to b@example.com does not take notifications")) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    Process status = start("status", flow.toString());
    assertThat(status.waitFor()).isZero();
    run.destroy();
    assertThat(run.waitFor()).as(messages("run")).isZero();
    Process plan = start("plan", flow.toString());
    assertThat(plan.waitFor()).isZero();

    assertThat(messages("run"))
        .contains("io.debezium", "webhook 127.0.0.1:1", "mail to b@example.com");
    assertThat(filesWith(".widebeam")).as("files of state and log").isNotEmpty();
    assertNowhere(PASSWORD);
  }

  @Test
  void aRunningFlowThatIsShutOutFailsWithoutSayingItsPassword() throws Exception {
    Path flow = flow();
    Process run =
        start("run", "-v", flow.toString(), "--checkpointingInterval=200", "--state-dir=state");
    awaitDocuments();
    try {
      execute("SET PASSWORD FOR cdc@'%' = PASSWORD('" + OTHER + "')", "KILL USER cdc");
      assertThat(run.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } finally {
      execute("SET PASSWORD FOR cdc@'%' = PASSWORD('" + PASSWORD + "')");
      run.destroyForcibly();
    }

    assertThat(run.exitValue()).isEqualTo(1);
    assertThat(messages("run")).contains("Access denied for user 'cdc'");
    assertNowhere(PASSWORD);
  }

  @Test
  void passwordsThatAreRefusedAreNotShownEither() throws Exception {
    String uri = "mongodb://writer:" + OTHER + "@127.0.0.1:" + target.port();
    Process run = start(Map.of("CDC", OTHER, "DOCS", uri), "run", "-v", flow().toString());

    assertThat(run.waitFor()).isNotZero();
    assertThat(messages("run")).contains("refuses user `cdc`");
    assertNowhere(OTHER);
  }

  @Test
  void whatTheDemoStartsListensOnTheLoopbackInterfaceOnly() throws Exception {
    Process demo = start("demo", "--orders=20");
    try {
      Path output = directory.resolve("demo.out");
      while (!Files.readString(output).contains("Loaded ")) {
        assertThat(demo.isAlive()).as(messages("demo")).isTrue();
        TimeUnit.MILLISECONDS.sleep(100);
      }

      List<ListeningSockets.Address> addresses = new ArrayList<>();
      for (ProcessHandle process :
          Stream.concat(Stream.of(demo.toHandle()), demo.descendants()).toList()) {
        addresses.addAll(ListeningSockets.of(process.pid()));
      }
      // At least the source, the target and Flink's three: RPC, blobs, REST.
      assertThat(addresses)
          .hasSizeGreaterThanOrEqualTo(3)
          .allMatch(ListeningSockets.Address::isLoopback);
    } finally {
      demo.destroy();
      demo.waitFor();
    }
  }

  /** The file names the secrets; what shows them elsewhere is our doing. */
  private Path flow() throws IOException {
    return Files.writeString(
        directory.resolve("flow.yaml"),
        """
        name: orders
        connections:
          Shop: {type: mariadb, host: %s, port: %d, database: shop, user: cdc, password: "${CDC}"}
          Docs: {type: mongodb, uri: "${DOCS}", database: docs}
        views:
          - from: Shop.orders
            to: Docs.orders
        rollups:
          - {from: Shop.orders, groupBy: [status], aggregates: {orders: COUNT(*)}, to: Docs.states}
        notifications:
          - webhook: "http://ops:${CDC}@127.0.0.1:1/hook-${CDC}?token=${CDC}"
            headers: {Authorization: "Bearer ${CDC}"}
          - mail: {host: 127.0.0.1, port: 1, user: ops, password: "${CDC}", from: a@example.com, to: b@example.com, tls: none}
        rules:
          - {name: many, rollup: states, when: orders > 2}
        """
            .formatted(source.host(), source.port()));
  }

  private Process start(String command, String... arguments) throws IOException {
    return start(Map.of("CDC", PASSWORD, "DOCS", target.uri()), command, arguments);
  }

  private Process start(Map<String, String> environment, String command, String... arguments)
      throws IOException {
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens") || option.startsWith("-Xmx"))
        .forEach(all::add);
    all.addAll(
        List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), command));
    all.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .directory(directory.toFile())
            .redirectOutput(directory.resolve(command + ".out").toFile())
            .redirectError(directory.resolve(command + ".err").toFile());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private String messages(String command) throws IOException {
    return Files.readString(directory.resolve(command + ".err"));
  }

  private static void awaitDocuments() throws InterruptedException {
    try (MongoClient client = MongoClients.create(target.uri())) {
      while (client.getDatabase("docs").getCollection("orders").countDocuments() < 3) {
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
  }

  private void awaitCheckpoint() throws IOException, InterruptedException {
    while (filesWith("_metadata").isEmpty()) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private List<Path> filesWith(String part) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).filter(f -> f.toString().contains(part)).toList();
    }
  }

  /** Looks into every file that the test's processes left: output, logs, plans and state. */
  private void assertNowhere(String secret) throws IOException {
    List<Path> files = filesWith("");
    assertThat(files).hasSizeGreaterThan(2);
    for (Path file : files) {
      assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
          .as(file.toString())
          .doesNotContain(secret);
    }
  }

  private static void execute(String... statements) throws SQLException {
    try (Connection connection = source.connect("");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
