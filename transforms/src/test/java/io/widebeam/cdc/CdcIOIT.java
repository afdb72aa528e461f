package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.Change;
import io.widebeam.testing.TestMariaDb;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.transforms.Count;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.windowing.AfterWatermark;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.bson.BsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CdcIOIT {

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** How far the pipeline is, for the test that has to wait for it. */
  private static final AtomicInteger SNAPSHOT_ROWS = new AtomicInteger();

  private static TestMariaDb server;

  private String database;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @BeforeEach
  void createTables() throws Exception {
    database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(40) DEFAULT 'nobody',"
            + " total DECIMAL(12,2), at DATETIME(3))",
        "CREATE TABLE items (order_id INT, n INT, sku VARCHAR(20), PRIMARY KEY (order_id, n))");
  }

  @Test
  void goesOnAfterIdlenessAndResumesWithNothingLostOrReadTwice() throws Exception {
    server.execute(
        database,
        "INSERT INTO orders SELECT seq, NULL, seq / 4, '2024-02-29 12:30:15.125' FROM seq_1_to_3000",
        "INSERT INTO items SELECT seq, 1, 'a' FROM seq_1_to_10");
    CdcCheckpoint beforeUpdates;
    List<Change> firstRead;
    try (Probe probe = new Probe(database)) {
      probe.await(() -> probe.changes.size() == 3010);
      assertThat(probe.changes).allMatch(Change::snapshot);
      assertThat(new HashSet<>(probe.times)).as("event times of the snapshot").hasSize(1);
      Instant snapshotTime = probe.times.get(0);
      probe.await(() -> probe.reader.getWatermark().isAfter(snapshotTime));
      Change order =
          probe.changes.stream()
              .filter(c -> c.table().name().equals("orders"))
              .findFirst()
              .orElseThrow();
      assertThat(order.table().source()).isEqualTo(database);
      assertThat(order.table().namespace()).isEqualTo(database);
      assertThat(order.after().keySet()).containsExactly("id", "customer", "total", "at");
      assertThat(order.after().isNull("customer")).as("null in spite of the default").isTrue();

      // The case that stops other sources for good.
      Thread.sleep(10_000);

      assertThat(probe.drain()).isZero();
      server.execute(database, "UPDATE orders SET customer = 'eve' WHERE id = 7");
      probe.await(() -> probe.changes.size() == 3011);
      Change update = probe.changes.get(3010);
      assertThat(update.snapshot()).isFalse();
      assertThat(update.before().isNull("customer")).isTrue();
      assertThat(update.after().getString("customer").getValue()).isEqualTo("eve");
      beforeUpdates = probe.checkpoint();

      try (Connection connection = server.connect(database);
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        statement.execute("UPDATE orders SET total = total + 1 WHERE id <= 2500");
        statement.execute("DELETE FROM items WHERE order_id = 3");
        statement.execute("UPDATE items SET order_id = 40 WHERE order_id = 4");
        connection.commit();
        statement.execute("UPDATE orders SET customer = 'x' WHERE id = 1");
        connection.commit();
      }
      int expected = 3011 + 2500 + 1 + 2 + 1;
      probe.await(() -> probe.changes.size() >= expected);
      assertThat(probe.changes).hasSize(expected);
      assertThat(new HashSet<>(probe.times.subList(3011, 3011 + 2503)))
          .as("event times of one transaction")
          .hasSize(1);
      assertThat(probe.times).isSorted();
      firstRead = List.copyOf(probe.changes.subList(3011, expected));
      beforeUpdates.finalizeCheckpoint();
    }

    CdcCheckpoint inTransaction;
    List<Change> secondRead = new ArrayList<>();
    try (Probe probe = new Probe(database, beforeUpdates)) {
      probe.awaitBatch();
      secondRead.addAll(probe.changes);
      assertThat(secondRead).as("a part of the transaction").hasSizeLessThan(2500);
      inTransaction = probe.checkpoint();
    }
    try (Probe probe = new Probe(database, inTransaction)) {
      probe.await(() -> secondRead.size() + probe.changes.size() >= firstRead.size());
      secondRead.addAll(probe.changes);
      assertThat(secondRead)
          .usingRecursiveFieldByFieldElementComparatorIgnoringFields("sequence")
          .isEqualTo(firstRead);
      assertThat(secondRead.get(0).sequence())
          .as("outranks what was given out before")
          .isGreaterThan(firstRead.get(firstRead.size() - 1).sequence());
      assertThat(secondRead)
          .isSortedAccordingTo((a, b) -> Long.compare(a.sequence(), b.sequence()));

      server.execute(database, "INSERT INTO orders (id, customer) VALUES (9000, 'new')");
      int replayed = probe.changes.size();
      probe.await(() -> probe.changes.size() == replayed + 1);
      assertThat(probe.changes.get(replayed).after().getString("customer").getValue())
          .isEqualTo("new");
    }
  }

  @Test
  void whoGoesOnFromACheckpointIsHeldUntilTheLogHasBeenRead() throws Exception {
    CdcCheckpoint stopped;
    try (Probe probe = new Probe(database)) {
      probe.await(() -> !probe.position().clock().held());
      server.execute(database, "INSERT INTO items VALUES (1, 1, 'a')");
      probe.await(() -> probe.changes.size() == 1);
      stopped = probe.checkpoint();
    }
    Instant last = Instant.ofEpochMilli(stopped.position().clock().watermark());
    server.execute(
        database,
        "INSERT INTO items SELECT seq, 2, 'b' FROM seq_1_to_3000",
        "INSERT INTO items VALUES (2, 1, 'a')");
    CdcCheckpoint held;
    Instant heldTime;
    try (Probe probe = new Probe(database, stopped)) {
      probe.awaitBatch();
      assertThat(probe.reader.getWatermark()).isEqualTo(BoundedWindow.TIMESTAMP_MIN_VALUE);
      assertThat(probe.changes).hasSizeLessThan(3_000);
      heldTime = probe.times.get(0);
      assertThat(heldTime).isGreaterThan(last);
      held = probe.checkpoint();
      probe.await(() -> !probe.position().clock().held());
      assertThat(probe.changes).hasSize(3_001);
      assertThat(probe.times).containsOnly(heldTime);
      assertThat(probe.reader.getWatermark()).isGreaterThan(heldTime);
      server.execute(database, "INSERT INTO items VALUES (3, 1, 'a')");
      probe.await(() -> probe.changes.size() == 3_002);
      assertThat(probe.times.get(3_001)).isGreaterThan(heldTime);
    }
    try (Probe probe = new Probe(database, held)) {
      probe.await(() -> !probe.changes.isEmpty());
      assertThat(probe.reader.getWatermark()).isEqualTo(BoundedWindow.TIMESTAMP_MIN_VALUE);
      assertThat(probe.times.get(0)).isEqualTo(heldTime);
      probe.await(() -> !probe.position().clock().held());
      stopped = probe.checkpoint();
    }
    // Nothing follows, or nothing that is read: no change will tell that it has caught up.
    for (String elsewhere : new String[] {"DO 0", "CREATE TABLE IF NOT EXISTS other.t (n INT)"}) {
      server.execute(database, "CREATE DATABASE IF NOT EXISTS other", elsewhere);
      try (Probe probe = new Probe(database, stopped)) {
        probe.step();
        assertThat(probe.reader.getWatermark()).isEqualTo(BoundedWindow.TIMESTAMP_MIN_VALUE);
        long started = System.nanoTime();
        probe.await(() -> !probe.position().clock().held());
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(8));
        assertThat(probe.changes).isEmpty();
        stopped = probe.checkpoint();
      }
    }
  }

  @Test
  void everyColumnTypeHasTheSameValueFromTheSnapshotAndFromTheLog() throws Exception {
    String columns =
        "t TINYINT, tu TINYINT UNSIGNED, b1 BOOLEAN, s SMALLINT, m MEDIUMINT, iu INT UNSIGNED,"
            + " l BIGINT, lu BIGINT UNSIGNED, lb BIGINT UNSIGNED, d DECIMAL(38,2), de DECIMAL(12,3),"
            + " f FLOAT, g DOUBLE, bit1 BIT, bit9 BIT(9), day DATE, at DATETIME, at6 DATETIME(6),"
            + " ts TIMESTAMP(3) NULL, tm TIME, tm6 TIME(6), y YEAR, c CHAR(3), v VARCHAR(9),"
            + " tx TEXT, bi BINARY(4), bin VARBINARY(4), bl BLOB, en ENUM('a','b'), st SET('x','y'), js JSON,"
            + " u UUID";
    String values =
        "-5, 250, TRUE, -30000, 8000000, 4000000000, -9000000000000000000, 7, 18446744073709551615,"
            + " 123456789012345678901234567890123456.78, -1.500, 0.1, 2.5e300, b'1', b'100000001',"
            + " '1969-12-31', '2024-02-29 12:30:15', '2024-02-29 12:30:15.123456',"
            + " '2024-02-29 12:30:15.125', '-838:59:59', '01:02:03.000004', 2024, 'ab', 'ü😀',"
            + " 'text', x'0100', x'00ff', x'0102', 'b', 'x,y', '{\"k\": [1, 2.5]}',"
            + " '123e4567-e89b-12d3-a456-426614174001'";
    server.execute(
        database,
        "CREATE TABLE types (id INT PRIMARY KEY, " + columns + ")",
        "INSERT INTO types VALUES (1, " + values + ")",
        "INSERT INTO types (id) VALUES (2)");
    try (Probe probe = new Probe(database)) {
      probe.await(() -> probe.changes.size() == 2 && !probe.position().clock().held());
      server.execute(
          database,
          "INSERT INTO types SELECT id + 2, "
              + "t, tu, b1, s, m, iu, l, lu, lb, d, de, f, g, bit1, bit9, day, at, at6, ts, tm, tm6,"
              + " y, c, v, tx, bi, bin, bl, en, st, js, u"
              + " FROM types");
      probe.await(() -> probe.changes.size() == 4);
      for (int row = 0; row < 2; row++) {
        BsonDocument snapshot = plain(probe.changes.get(row));
        BsonDocument log = plain(probe.changes.get(row + 2));
        assertThat(log.remove("id")).isNotEqualTo(snapshot.remove("id"));
        assertThat(log).isEqualTo(snapshot);
      }
      assertThat(plain(probe.changes.get(0)).toJson())
          .isEqualTo(
              BsonDocument.parse(
                      "{id: 1, t: -5, tu: 250, b1: 1, s: -30000, m: 8000000,"
                          + " iu: {$numberLong: '4000000000'},"
                          + " l: {$numberLong: '-9000000000000000000'}, lu: {$numberLong: '7'},"
                          + " lb: {$numberDecimal: '18446744073709551615'},"
                          + " d: '123456789012345678901234567890123456.78',"
                          + " de: {$numberDecimal: '-1.500'}, f: 0.1, g: 2.5e300, bit1: true,"
                          + " bit9: {$binary: {base64: 'AQE=', subType: '00'}},"
                          + " day: {$date: '1969-12-31T00:00:00Z'},"
                          + " at: {$date: '2024-02-29T12:30:15Z'},"
                          + " at6: {$date: '2024-02-29T12:30:15.123Z'},"
                          + " ts: {$date: '2024-02-29T12:30:15.125Z'}, tm: '-838:59:59',"
                          + " tm6: '01:02:03.000004', y: 2024, c: 'ab', v: 'ü😀', tx: 'text',"
                          + " bi: {$binary: {base64: 'AQAAAA==', subType: '00'}},"
                          + " bin: {$binary: {base64: 'AP8=', subType: '00'}},"
                          + " bl: {$binary: {base64: 'AQI=', subType: '00'}}, en: 'b', st: 'x,y',"
                          + " js: '{\"k\": [1, 2.5]}', u: '123e4567-e89b-12d3-a456-426614174001'}")
                  .toJson());
    }
  }

  private static BsonDocument plain(Change change) {
    return change.after().decode(new BsonDocumentCodec());
  }

  @Test
  void theSnapshotOfEmptyTablesLetsTheWatermarkGo() throws Exception {
    long start = System.currentTimeMillis();
    try (Probe probe = new Probe(database)) {
      probe.await(() -> probe.reader.getWatermark().getMillis() > start + 2_000);
      assertThat(probe.changes).isEmpty();
      Instant idle = probe.reader.getWatermark();
      server.execute(database, "INSERT INTO items VALUES (1, 1, 'b')");
      probe.await(() -> probe.changes.size() == 1);
      assertThat(probe.times.get(0)).isGreaterThan(idle);
    }
  }

  @Test
  void aFailedTaskIsAnErrorWithoutThePassword() throws Exception {
    String wrong = "not-the-" + TestMariaDb.PASSWORD;
    try (Probe probe = new Probe(server.connector(database, wrong), null)) {
      assertThatThrownBy(() -> probe.await(() -> false))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("Access denied")
          .hasMessageContaining("127.0.0.1:" + server.port())
          .hasMessageNotContaining(wrong);
    }
  }

  @Test
  void aLostConnectionIsTriedAgainWhereItStopped() throws Exception {
    try (Probe probe = new Probe(database)) {
      probe.await(() -> !probe.position().clock().held());
      server.execute(database, "INSERT INTO items VALUES (1, 1, 'b')");
      probe.await(() -> probe.changes.size() == 1);
      try (Connection connection = server.connect("");
          Statement statement = connection.createStatement();
          var processes =
              connection
                  .createStatement()
                  .executeQuery(
                      "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog%'")) {
        while (processes.next()) {
          statement.execute("KILL CONNECTION " + processes.getLong(1));
        }
      }
      server.execute(database, "INSERT INTO items VALUES (2, 1, 'c'), (3, 1, 'd')");
      probe.await(() -> probe.changes.size() >= 3);
      assertThat(probe.changes).hasSize(3);
    }
  }

  /** Which is why a flow tells of such keys when it starts, and what to do instead. */
  @Test
  void theLogHasWhatATriggerDeletesAndNotWhatAForeignKeyDoes() throws Exception {
    server.execute(
        database,
        "CREATE TABLE depots (id INT PRIMARY KEY)",
        "CREATE TABLE stock (id INT PRIMARY KEY, depot INT,"
            + " FOREIGN KEY (depot) REFERENCES depots (id) ON DELETE CASCADE)",
        "INSERT INTO depots VALUES (1), (2), (3)",
        "INSERT INTO stock VALUES (10, 1), (20, 2)");
    try (Probe probe = new Probe(database)) {
      probe.await(() -> !probe.position().clock().held());
      probe.changes.clear();

      server.execute(
          database,
          "DELETE FROM depots WHERE id = 1",
          "CREATE TRIGGER emptied BEFORE DELETE ON depots FOR EACH ROW"
              + " DELETE FROM stock WHERE depot = OLD.id",
          "DELETE FROM depots WHERE id = 2",
          "DELETE FROM depots WHERE id = 3");
      probe.await(() -> deleted(probe, "depots").size() == 3);

      assertThat(deleted(probe, "depots")).containsExactlyInAnyOrder(1, 2, 3);
      assertThat(deleted(probe, "stock")).containsExactly(20);
    }
  }

  private static List<Integer> deleted(Probe probe, String table) {
    return probe.changes.stream()
        .filter(change -> change.table().name().equals(table) && change.after() == null)
        .map(change -> change.before().getInt32("id").getValue())
        .toList();
  }

  @Test
  void aClosedReaderLeavesNoThread() throws Exception {
    Probe probe = new Probe(database);
    probe.await(() -> !probe.position().clock().held());
    probe.close();
    assertThat(threadsOf("cdc-" + database)).isEmpty();
    assertThat(threadsOf(database)).isEmpty();
  }

  @Test
  void aClosedReaderStopsAConnectorThatIsHeldUp() throws Exception {
    Probe probe = new Probe(database);
    probe.await(() -> !probe.position().clock().held());
    server.execute(
        database, "INSERT INTO orders SELECT seq, REPEAT('x', 40), 1, NOW() FROM seq_1_to_150000");
    // Nobody takes anything: the queues fill, and the connector has to wait.
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (probe.reader.getSplitBacklogBytes() < 8L << 20) {
      assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
      Thread.sleep(20);
    }
    Thread.sleep(500);
    assertThat(probe.reader.getSplitBacklogBytes()).isLessThan(18L << 20);
    long closing = System.nanoTime();
    probe.close();
    assertThat(Duration.ofNanos(System.nanoTime() - closing)).isLessThan(Duration.ofSeconds(15));
    assertThat(threadsOf(database)).isEmpty();
  }

  @Test
  void aPipelineOnTheDirectRunnerReadsSnapshotAndLog() throws Exception {
    server.execute(database, "INSERT INTO orders SELECT seq, 'c', 1, NOW() FROM seq_1_to_20000");
    Pipeline pipeline = Pipeline.create(PipelineOptionsFactory.create());
    PCollection<String> kinds =
        pipeline
            .apply(
                "Read",
                CdcIO.readChanges()
                    .withConnectorConfiguration(server.connector(database))
                    .withMaxNumberOfRecords(20_003)
                    .withMaxTimeToRun(PATIENCE.toMillis()))
            .apply(MapElements.into(TypeDescriptors.strings()).via(CdcIOIT::kind))
            .setCoder(StringUtf8Coder.of())
            .apply(
                Window.<String>configure()
                    .triggering(AfterWatermark.pastEndOfWindow())
                    .withAllowedLateness(org.joda.time.Duration.ZERO)
                    .discardingFiredPanes());
    PAssert.that(kinds.apply(Count.perElement()))
        .satisfies(
            counts -> {
              Set<String> texts = new HashSet<>();
              counts.forEach(count -> texts.add(count.getKey() + "=" + count.getValue()));
              assertThat(texts).containsExactlyInAnyOrder("snapshot=20000", "write=2", "delete=1");
              return null;
            });
    Thread writer =
        new Thread(
            () -> {
              try {
                while (SNAPSHOT_ROWS.get() < 20_000) {
                  Thread.sleep(20);
                }
                server.execute(
                    database,
                    "UPDATE orders SET total = 2 WHERE id = 1",
                    "INSERT INTO items VALUES (1, 1, 'b')",
                    "DELETE FROM items");
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    writer.setDaemon(true);
    writer.start();
    pipeline.run().waitUntilFinish();
  }

  private static String kind(Change change) {
    if (change.snapshot()) {
      SNAPSHOT_ROWS.incrementAndGet();
      return "snapshot";
    }
    return change.after() == null ? "delete" : "write";
  }

  private static List<String> threadsOf(String name) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(thread -> thread.endsWith(name) || thread.contains("-" + name + "-"))
        .toList();
  }

  /** A reader, and everything it has handed out. */
  private static final class Probe implements AutoCloseable {
    final CdcReader<Change> reader;
    final List<Change> changes = new ArrayList<>();
    final List<Instant> times = new ArrayList<>();
    private boolean started;

    Probe(String database) throws IOException {
      this(server.connector(database), null);
    }

    Probe(String database, CdcCheckpoint checkpoint) throws IOException {
      this(server.connector(database), checkpoint);
    }

    Probe(ConnectorConfiguration configuration, CdcCheckpoint checkpoint) throws IOException {
      reader =
          CdcIO.readChanges()
              .withConnectorConfiguration(configuration)
              .source()
              .createReader(null, checkpoint);
    }

    /** Takes one batch if there is one. */
    boolean step() throws IOException {
      Instant before = reader.getWatermark();
      boolean available = started ? reader.advance() : reader.start();
      started = true;
      if (available) {
        CdcBatch<Change> batch = reader.getCurrent();
        for (int i = 0; i < batch.size(); i++) {
          changes.add(batch.value(i));
          times.add(Instant.ofEpochMilli(batch.eventMillis(i)));
        }
        assertThat(reader.getCurrentTimestamp()).as("never late").isGreaterThan(before);
      }
      assertThat(reader.getWatermark()).as("never runs back").isGreaterThanOrEqualTo(before);
      assertThat(reader.getWatermark()).isLessThan(BoundedWindow.TIMESTAMP_MAX_VALUE);
      return available;
    }

    int drain() throws IOException {
      int before = changes.size();
      while (step()) {}
      return changes.size() - before;
    }

    void awaitBatch() throws Exception {
      int before = changes.size();
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!step()) {
        assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
        Thread.sleep(1);
      }
      assertThat(changes.size()).isGreaterThan(before);
    }

    void await(BooleanSupplier condition) throws Exception {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (!condition.getAsBoolean()) {
        assertThat(System.nanoTime())
            .as("deadline, after %d changes", changes.size())
            .isLessThan(deadline);
        if (!step()) {
          Thread.sleep(1);
        }
      }
    }

    CdcCheckpoint.Position position() {
      return reader.getCheckpointMark().position();
    }

    /** The reader's checkpoint, as a runner would restore it. */
    CdcCheckpoint checkpoint() throws Exception {
      return CoderUtils.clone(CdcCheckpoint.coder(), reader.getCheckpointMark());
    }

    @Override
    public void close() {
      reader.close();
    }
  }
}
