package io.widebeam.runner.cli;

import static com.mongodb.client.model.Filters.eq;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.state.RunReport;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program started again: what it goes on from, and what it says. */
@Timeout(1800)
class ResumeIT {
  private static final int HEAP_MEGABYTES = 512;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final EmbeddedMariaDb source = EmbeddedMariaDb.start();
  private final EmbeddedMongo server = EmbeddedMongo.start();
  private final MongoClient client = MongoClients.create(server.uri());
  private final MongoCollection<Document> target =
      client.getDatabase("docs").getCollection("orders");

  /** The source's, as they stand in the flow file. */
  private String properties = "";

  @TempDir private Path directory;

  @BeforeEach
  void fillTables() throws SQLException {
    execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.customers (customer_id INT PRIMARY KEY, city VARCHAR(20))",
        "CREATE TABLE shop.orders (order_id INT PRIMARY KEY, customer_id INT, status VARCHAR(20))",
        "INSERT INTO shop.customers VALUES (1, 'Rome'), (2, 'Oslo')",
        "INSERT INTO shop.orders VALUES (1, 1, 'paid'), (2, 2, 'sent'), (3, 1, 'paid')");
  }

  @AfterEach
  void stopServers() {
    client.close();
    server.close();
    source.close();
  }

  @Test
  void aFlowThatWasStoppedGoesOnWhereItWasLeft() throws Exception {
    try (ChildProcess run = run("orders")) {
      awaitDocuments(Map.of(1, "paid Rome", 2, "sent Oslo", 3, "paid Rome"));
      assertThat(program(0, "status", flow("orders")))
          .contains("job current status is: running")
          .contains("running for ")
          .contains(" as process ");
      assertThat(program(2, "run", flow("orders"))).contains("is in use by process ");
      assertThat(program(0, "stop", flow("orders"))).contains("is: stopped").contains("rows: 3");
      assertThat(run.awaitEnd(PATIENCE)).isZero();
    }
    assertThat(program(0, "status", flow("orders"))).contains("stopped ").contains(" checkpoint ");
    assertThat(program(0, "stop", flow("orders"))).contains("is not running");
    Map<Object, Long> versions = versions();

    execute(
        "UPDATE shop.customers SET city = 'Bern' WHERE customer_id = 1",
        "DELETE FROM shop.orders WHERE order_id = 3",
        "INSERT INTO shop.orders VALUES (4, 2, 'new')");
    try (ChildProcess run = run("orders")) {
      run.awaitLine(line -> line.contains("resuming from "), PATIENCE);
      awaitDocuments(Map.of(1, "paid Bern", 2, "sent Oslo", 4, "new Oslo"));
      assertThat(version(1)).isGreaterThan(versions.get(1));
      assertThat(version(2)).isEqualTo(versions.get(2));
    }
    assertThat(program(1, "status", flow("orders"))).contains("killed");

    assertThat(program(2, "run", flow("renamed")))
        .contains("the flow has changed", "now:   view Docs.renamed", "--fresh");
  }

  @Test
  void aKilledFlowGoesOnFromItsNewestCheckpointThatIsWhole() throws Exception {
    killAfterCheckpoints(3);
    List<Path> checkpoints = checkpoints();
    Path newest = checkpoints.get(checkpoints.size() - 1);
    cutInHalf(newest.resolve("_metadata"));
    execute("UPDATE shop.orders SET status = 'late' WHERE order_id = 2");

    try (ChildProcess run = run("orders")) {
      run.awaitLine(line -> line.contains(newest + " is damaged"), PATIENCE);
      String from = checkpoints.get(checkpoints.size() - 2).getFileName().toString();
      run.awaitLine(line -> line.contains("resuming from ") && line.contains(from), PATIENCE);
      awaitDocuments(Map.of(1, "paid Rome", 2, "late Oslo", 3, "paid Rome"));
    }
  }

  @Test
  void aCheckpointWhoseDamageOnlyFlinkFindsIsPassedOverToo() throws Exception {
    killAfterCheckpoints(3);
    List<Path> checkpoints = checkpoints();
    Path newest = checkpoints.get(checkpoints.size() - 1);
    spoilSerializedObjects(newest.resolve("_metadata"));
    execute("UPDATE shop.orders SET status = 'late' WHERE order_id = 2");

    try (ChildProcess run = run("orders")) {
      run.awaitLine(line -> line.contains(newest + " is damaged"), PATIENCE);
      awaitDocuments(Map.of(1, "paid Rome", 2, "late Oslo", 3, "paid Rome"));
    }
  }

  @Test
  void aFreshRunRemovesWhatWasDeletedWhileNothingRanAndNothingElse() throws Exception {
    try (ChildProcess run = run("orders")) {
      awaitDocuments(Map.of(1, "paid Rome", 2, "sent Oslo", 3, "paid Rome"));
      assertThat(program(0, "stop", flow("orders"))).contains("is: stopped");
      assertThat(run.awaitEnd(PATIENCE)).isZero();
    }
    Map<Object, Long> versions = versions();
    execute("DELETE FROM shop.orders WHERE order_id = 3");
    // The log of that is gone as well, as it would be after a long time.
    execute("RESET MASTER");
    target.insertOne(new Document("_id", 77).append("status", "foreign"));
    target.insertOne(new Document("_id", 78).append("status", "foreign").append("_version", "x"));

    assertThat(program(1, "run", flow("orders")))
        .contains(
            "does not go back to where it was last read: the server no longer has that part of it.",
            "to rebuild all documents, use --fresh")
        .doesNotContain("OffsetContext");
    try (ChildProcess run = run("orders", "--fresh")) {
      awaitDocuments(
          Map.of(1, "paid Rome", 2, "sent Oslo", 77, "foreign null", 78, "foreign null"));
      assertThat(version(1)).isGreaterThan(versions.get(1));
      assertThat(run.isAlive()).isTrue();
    }
  }

  @Test
  void aTruncatedTableIsFollowedByRebuildingAllDocuments() throws Exception {
    try (ChildProcess run = run("orders")) {
      awaitDocuments(Map.of(1, "paid Rome", 2, "sent Oslo", 3, "paid Rome"));
      execute("TRUNCATE TABLE shop.customers", "INSERT INTO shop.customers VALUES (2, 'Kyiv')");
      run.awaitLine(line -> line.contains("Rebuilding all documents"), PATIENCE);
      awaitDocuments(Map.of(1, "paid null", 2, "sent Kyiv", 3, "paid null"));
      execute("TRUNCATE TABLE shop.orders");
      awaitDocuments(Map.of());
    }
  }

  @Test
  void theConnectorsOwnSnapshotThatWasKilledIsFollowedByRebuildingAllDocuments() throws Exception {
    execute(
        "INSERT INTO shop.orders (order_id, customer_id, status)"
            + " SELECT seq, 1, 'paid' FROM shop.seq_4_to_30000");
    // The connector's own it is because of these; it reads no more than a row a millisecond.
    properties =
        ", properties: {snapshot.select.statement.overrides: shop.orders,"
            + " snapshot.select.statement.overrides.shop.orders:"
            + " 'SELECT * FROM shop.orders WHERE SLEEP(0.001) = 0'}";
    try (ChildProcess run = run("orders")) {
      while (rowsRead() == 0) {
        assertThat(run.isAlive()).as(run.failure("ended")).isTrue();
        TimeUnit.MILLISECONDS.sleep(50);
      }
      int before = lastNumber();
      while (lastNumber() < before + 2) {
        assertThat(run.isAlive()).as(run.failure("ended")).isTrue();
        TimeUnit.MILLISECONDS.sleep(50);
      }
      assertThat(target.countDocuments()).as("documents before everything is read").isZero();
    }

    execute("DELETE FROM shop.orders WHERE order_id <= 5");
    properties = "";
    try (ChildProcess run = run("orders")) {
      run.awaitLine(line -> line.contains("Rebuilding all documents"), PATIENCE);
      awaitCount(29_995);
      execute("DELETE FROM shop.orders WHERE order_id = 6");
      awaitCount(29_994);
    }
  }

  @Test
  void otherColumnsOfATableThatTheConnectorHasLoadedAreFollowedByRebuildingAllDocuments()
      throws Exception {
    execute("ALTER TABLE shop.orders ADD doubled INT AS (order_id * 2) STORED");
    try (ChildProcess run = run("orders")) {
      awaitDocuments(Map.of(1, "paid Rome", 2, "sent Oslo", 3, "paid Rome"));
      execute(
          "ALTER TABLE shop.orders DROP COLUMN status,"
              + " ADD COLUMN status VARCHAR(20) NOT NULL DEFAULT 'new'");
      run.awaitLine(line -> line.contains("Rebuilding all documents"), PATIENCE);
      awaitDocuments(Map.of(1, "new Rome", 2, "new Oslo", 3, "new Rome"));
    }
  }

  private long rowsRead() {
    return RunReport.read(directory.resolve("state"))
        .map(report -> report.load().rowsRead())
        .orElse(0L);
  }

  private void awaitCount(long count) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (target.countDocuments() != count) {
      assertThat(System.nanoTime())
          .as("%d documents instead of %d", target.countDocuments(), count)
          .isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  @Test
  void stateInRocksDbSurvivesTheSame() throws Exception {
    killAfterCheckpoints(2, "--state-backend=rocksdb");
    execute("UPDATE shop.customers SET city = 'Bern' WHERE customer_id = 1");

    try (ChildProcess run = run("orders")) {
      run.awaitLine(line -> line.contains("resuming from "), PATIENCE);
      awaitDocuments(Map.of(1, "paid Bern", 2, "sent Oslo", 3, "paid Bern"));
    }
  }

  private void killAfterCheckpoints(int count, String... options) throws Exception {
    try (ChildProcess run = run("orders", options)) {
      awaitDocuments(Map.of(1, "paid Rome", 2, "sent Oslo", 3, "paid Rome"));
      int before = lastNumber();
      while (checkpoints().size() < count || lastNumber() < before + 2) {
        assertThat(run.isAlive()).isTrue();
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }
  }

  private int lastNumber() throws IOException {
    List<Path> all = checkpoints();
    return all.isEmpty() ? 0 : number(all.get(all.size() - 1));
  }

  private static int number(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring("chk-".length()));
  }

  /** The complete checkpoints of the only run, oldest first. */
  private List<Path> checkpoints() throws IOException {
    Path state = directory.resolve("state");
    if (!Files.exists(state)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(state)) {
      return files
          .filter(file -> file.getFileName().toString().matches("chk-\\d+"))
          .filter(file -> Files.exists(file.resolve("_metadata")))
          .sorted(Comparator.comparing(ResumeIT::number))
          .toList();
    } catch (java.io.UncheckedIOException e) {
      return checkpoints(); // Old ones are being deleted meanwhile.
    }
  }

  private static void cutInHalf(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() / 2);
    }
  }

  /** Spoils the objects that sources keep; what frames them stays readable. */
  private static void spoilSerializedObjects(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int spoilt = 0;
    for (int at = text.indexOf("sr\0"); at >= 0; at = text.indexOf("sr\0", at + 1)) {
      bytes[at] = 0x7f;
      spoilt++;
    }
    assertThat(spoilt).isPositive();
    Files.write(file, bytes);
  }

  private void awaitDocuments(Map<Integer, String> expected) throws InterruptedException {
    Map<Object, String> found = documents();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!found.equals(expected) && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(20);
      found = documents();
    }
    assertThat(found).isEqualTo(new TreeMap<Object, String>(expected));
  }

  private Map<Object, String> documents() {
    Map<Object, String> documents = new TreeMap<>();
    for (Document document : target.find()) {
      Document customer = document.get("customer", Document.class);
      documents.put(
          document.get("_id"),
          document.get("status") + " " + (customer == null ? null : customer.get("city")));
    }
    return documents;
  }

  private Map<Object, Long> versions() {
    Map<Object, Long> versions = new TreeMap<>();
    for (Document document : target.find()) {
      versions.put(document.get("_id"), document.getLong("_version"));
    }
    return versions;
  }

  private long version(int order) {
    return target.find(eq("_id", order)).first().getLong("_version");
  }

  private String flow(String collection) throws IOException {
    return Files.writeString(
            directory.resolve(collection + ".yaml"),
            """
            name: orders
            connections:
              Shop: {type: mariadb, host: %s, port: %d, database: shop, user: %s, password: "${CDC}"%s}
              Docs: {type: mongodb, uri: "%s", database: docs}
            views:
              - from: Shop.orders
                lookups:
                  - {from: Shop.customers, path: customer, type: object, relation: [[customer_id, customer_id]]}
                to: Docs.%s
            """
                .formatted(
                    source.host(),
                    source.port(),
                    EmbeddedMariaDb.CDC_USER,
                    properties,
                    server.uri(),
                    collection))
        .toString();
  }

  private ChildProcess run(String collection, String... options) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("run", flow(collection)));
    arguments.add("--checkpointingInterval=300");
    arguments.add("--minPauseBetweenCheckpoints=100");
    arguments.addAll(List.of(options));
    return start(arguments);
  }

  /** Runs a command to its end and answers what it printed. */
  private String program(int expectedStatus, String... arguments) {
    List<String> lines = new ArrayList<>();
    try (ChildProcess process = start(List.of(arguments), lines)) {
      assertThat(process.awaitEnd(PATIENCE)).as(process.failure("")).isEqualTo(expectedStatus);
    }
    return String.join("\n", lines);
  }

  private ChildProcess start(List<String> arguments) {
    return start(arguments, new ArrayList<>());
  }

  private ChildProcess start(List<String> arguments, List<String> lines) {
    List<String> all = new ArrayList<>(arguments);
    all.add("--state-dir=" + directory.resolve("state"));
    return ChildProcess.startJava(
        String.join(" ", arguments),
        HEAP_MEGABYTES,
        Main.class.getName(),
        all,
        Map.of("CDC", EmbeddedMariaDb.CDC_PASSWORD),
        lines::add);
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = source.connect("");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
