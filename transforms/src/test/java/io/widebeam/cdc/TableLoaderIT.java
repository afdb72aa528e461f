package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.Change;
import io.widebeam.testing.TestMariaDb;
import java.io.IOException;
import java.lang.Thread.State;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.util.CoderUtils;
import org.bson.BsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TableLoaderIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static TestMariaDb server;

  private String database;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @BeforeEach
  void createDatabase() throws Exception {
    database = server.createDatabase();
  }

  @Test
  void whatItDoesNotKnowIsLeftToTheConnector() throws Exception {
    execute("CREATE TABLE good (id INT PRIMARY KEY)");
    assertThat(isFast(server.connector(database))).isTrue();
    assertThat(
            isFast(
                server
                    .connector(database)
                    .withConnectionProperty("database.ssl.mode", "disable")
                    .withConnectionProperty("database.ssl.truststore", "/nowhere/trusted.p12")
                    .withConnectionProperty("database.ssl.truststore.password", "secret")))
        .as("one whose encryption is set up as the documentation says")
        .isTrue();
    assertThat(isFast(server.connector(database).withConnectionProperty("snapshot.mode", "always")))
        .isFalse();
    assertThat(
            isFast(
                server.connector(database).withConnectionProperty("column.exclude.list", "x.y.z")))
        .isFalse();
    assertThat(isFast(server.connector(database, "wrong"))).isFalse();
    for (String table :
        List.of(
            "id INT PRIMARY KEY, g INT AS (id + 1) STORED",
            "id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET armscii8",
            "id INT")) {
      execute("CREATE OR REPLACE TABLE other (" + table + ")");
      assertThat(isFast(server.connector(database))).as(table).isFalse();
    }
    execute("INSERT INTO other VALUES (1)", "INSERT INTO good VALUES (2)");
    assertThat(
            isFast(
                server
                    .connector(database)
                    .withConnectionProperty("table.include.list", database + "\\.good")))
        .isTrue();
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.await(() -> probe.isLoaded() && probe.changes.size() == 2);
      assertThat(probe.changes).allMatch(Change::snapshot);
    }
  }

  @Test
  void whatIsRolledBackIsNotReadThoughTheServerShowsIt() throws Exception {
    execute(
        "CREATE TABLE good (id INT PRIMARY KEY)",
        "INSERT INTO good VALUES (1)",
        "SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
    try (Connection other = server.connect(database);
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("INSERT INTO good VALUES (2)");
      try (Probe probe = new Probe(server.connector(database), null)) {
        probe.await(probe::isLoaded);
        assertThat(probe.changes)
            .extracting(change -> change.after().getInt32("id").getValue())
            .containsExactly(1);
      }
      other.rollback();
    } finally {
      execute("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    }
  }

  @Test
  void whatIsWrittenWhileItReadsIsNotLost() throws Exception {
    createRows(30_000);
    AtomicBoolean writing = new AtomicBoolean(true);
    CompletableFuture<Void> writer = writer(writing);
    CdcCheckpoint afterLoad;
    Replica replica = new Replica();
    try (Probe probe = new Probe(chunks(2, 5_000), null)) {
      probe.await(probe::isLoaded);
      afterLoad = probe.checkpoint();
      assertThat(afterLoad.position().offsets()).isNotEmpty();
      assertThat(probe.changes).anyMatch(change -> !change.snapshot());
      assertThat(probe.times).isSorted();
      replica.apply(probe.changes);
    }
    writing.set(false);
    writer.join();
    goOnToTheEnd(afterLoad, replica);
    assertThat(replica.rows()).isEqualTo(selectRows());
  }

  @Test
  void aLoadThatIsKilledGoesOnInTheMiddleOfItsChunksAndLeavesNoGhosts() throws Exception {
    createRows(30_000);
    int batchRows = 1_024;
    Random random = new Random(11);
    AtomicBoolean writing = new AtomicBoolean(true);
    CompletableFuture<Void> writer = writer(writing);
    Replica replica = new Replica();
    CdcCheckpoint checkpoint = null;
    long read = 0;
    long kept = 0;
    int kills = 0;
    boolean loaded = false;
    while (!loaded) {
      try (Probe probe = new Probe(chunks(2, 10_000), checkpoint)) {
        int target = 2_000 + random.nextInt(4_000);
        probe.await(() -> probe.isLoaded() || probe.snapshotRows() >= target);
        // What is given out after the checkpoint is lost with the crash, or not.
        checkpoint = probe.checkpoint();
        kept += probe.snapshotRows();
        assertThat(checkpoint.position().load().tables().get(0).given())
            .as("rows that the checkpoint has, of this reader and those before")
            .isEqualTo(kept);
        loaded = probe.isLoaded();
        if (random.nextBoolean() && !loaded) {
          probe.awaitBatch();
        }
        replica.apply(probe.changes);
        read += probe.snapshotRows();
      }
      if (!loaded) {
        kills++;
        execute("DELETE FROM goods WHERE id BETWEEN " + kills * 1_000 + " AND " + kills * 1_005);
      }
    }
    assertThat(kills).isGreaterThan(3);
    assertThat(read)
        .as(
            "rows given out, with %d kills, each after at most a batch that no checkpoint has",
            kills)
        .isLessThanOrEqualTo(30_000 + 1_000L + (long) kills * 2 * batchRows);
    writing.set(false);
    writer.join();
    goOnToTheEnd(checkpoint, replica);
    assertThat(replica.rows()).isEqualTo(selectRows());
  }

  @Test
  void aLoadDoesNotReadAheadOfAReaderThatIsNotPolled() throws Exception {
    createRows(30_000);
    long before = rowsSent();
    try (Probe probe = new Probe(chunks(1, 1_000), null)) {
      probe.awaitBatch();
      while (threadsOfLoads().anyMatch(thread -> thread.getState() != State.TIMED_WAITING)) {
        Thread.onSpinWait();
      }
      assertThat(threadsOfLoads()).as("threads that wait").hasSize(1);
      assertThat(rowsSent() - before)
          .as("rows given out, waiting, and of other statements, out of 30,000")
          .isBetween(1_000L, 10_000L);
    }
    assertThat(threadsOfLoads()).as("threads after the end").isEmpty();
  }

  private Stream<Thread> threadsOfLoads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("cdc-load-" + database + "-"));
  }

  private long rowsSent() throws SQLException {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet status = statement.executeQuery("SHOW GLOBAL STATUS LIKE 'Rows_sent'")) {
      status.next();
      return status.getLong(2);
    }
  }

  @Test
  void aLoadGoesOnFromWhereTheLogWasWhenItBeganThoughNothingHasComeOutOfThatYet() throws Exception {
    createRows(30_000);
    Replica replica = new Replica();
    CdcCheckpoint checkpoint;
    try (Probe probe = new Probe(chunks(1, 1_000), null)) {
      probe.awaitBatch();
      checkpoint = probe.checkpoint();
      replica.apply(probe.changes);
    }
    execute("DELETE FROM goods WHERE id <= 10");
    goOnToTheEnd(checkpoint, replica);
    assertThat(replica.rows()).isEqualTo(selectRows());
  }

  @Test
  void aLoadThatAwaitsACheckpointIsHeldUntilThen() throws Exception {
    createRows(1_000);
    for (boolean own : new boolean[] {false, true}) {
      if (own) {
        execute("ALTER TABLE goods ADD more INT AS (id + 1) STORED");
      }
      int before = selectCount();
      try (Probe probe =
          new Probe(
              CdcIO.readChanges()
                  .withConnectorConfiguration(server.connector(database))
                  .withReleaseByCheckpoint(true),
              null)) {
        probe.await(() -> probe.changes.size() == before);
        execute("INSERT INTO goods (id, text) VALUES (" + -before + ", 'behind the load')");
        probe.await(() -> probe.changes.size() == before + 1);
        assertThat(probe.isLoaded()).isFalse();
        probe.checkpoint().finalizeCheckpoint();
        probe.await(probe::isLoaded);
      }
    }
  }

  @Test
  void aReaderGoesOnBetweenTheTwoRecordsOfARowWithANewKey() throws Exception {
    createRows(1_000);
    ConnectorConfiguration connector =
        server
            .connector(database)
            .withConnectionProperty("max.batch.size", "1")
            .withConnectionProperty("max.queue.size", "2");
    Replica replica = new Replica();
    CdcCheckpoint between = null;
    try (Probe probe = new Probe(connector, null)) {
      probe.await(probe::isLoaded);
      for (int id = 1; between == null; id++) {
        int before = probe.changes.size();
        execute("UPDATE goods SET id = -id WHERE id = " + id);
        while (probe.changes.size() < before + 2 && between == null) {
          // Given together, most of the time.
          if (probe.step() && probe.changes.size() == before + 1) {
            between = probe.checkpoint();
          }
        }
      }
      replica.apply(probe.changes);
    }
    try (Probe probe = new Probe(connector, between)) {
      probe.step();
      probe.await(probe::isLoaded);
      replica.apply(probe.changes);
    }
    assertThat(replica.rows()).isEqualTo(selectRows());
  }

  @Test
  void theConnectorsOwnSnapshotIsNotTakenTwiceForOneLoad() throws Exception {
    createRows(30_000);
    execute("ALTER TABLE goods ADD more INT AS (id + 1) STORED");
    CdcCheckpoint checkpoint;
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.awaitBatch();
      checkpoint = probe.checkpoint();
    }
    execute("DELETE FROM goods WHERE id <= 10");
    try (Probe probe = new Probe(server.connector(database), checkpoint)) {
      assertThatThrownBy(() -> probe.await(probe::isLoaded))
          .isInstanceOf(LoadInterruptedException.class)
          .hasMessageContaining("begins again");
      assertThat(probe.changes).isEmpty();
    }
  }

  @Test
  void tablesThatOnlyTheConnectorCanReadFromNowOnEndTheLoad() throws Exception {
    createRows(300_000);
    try (Probe probe = new Probe(chunks(1, 1_000), null)) {
      probe.awaitBatch();
      execute("ALTER TABLE goods ADD more INT AS (id + 1) STORED");
      assertThatThrownBy(() -> probe.await(probe::isLoaded))
          .isInstanceOf(LoadInterruptedException.class)
          .hasMessageContaining("goods.more is generated");
    }
  }

  private void goOnToTheEnd(CdcCheckpoint checkpoint, Replica replica) throws Exception {
    execute("INSERT INTO goods VALUES (-1, 'the end', 0)");
    try (Probe probe = new Probe(chunks(1, 1_000), checkpoint)) {
      probe.await(
          () ->
              probe.isLoaded()
                  && probe.changes.stream()
                      .anyMatch(
                          c -> c.after() != null && c.after().getInt32("id").getValue() == -1));
      replica.apply(probe.changes);
    }
  }

  @Test
  void rowsComeInTheOrderOfTheirKeysSoThatALoadGoesOnBehindTheLastOne() throws Exception {
    createRows(3_000);
    try (Probe probe = new Probe(chunks(1, 1_100), null)) {
      probe.await(probe::isLoaded);
      assertThat(probe.changes.stream().map(change -> change.after().getInt32("id").getValue()))
          .containsExactlyElementsOf(IntStream.rangeClosed(1, 3_000).boxed().toList());
    }
  }

  @Test
  void aLostConnectionWhileItReadsIsTriedAgain() throws Exception {
    createRows(300_000);
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.awaitBatch();
      execute("DELETE FROM goods WHERE id <= 10");
      long killed = 0;
      try (Connection connection = server.connect("");
          Statement statement = connection.createStatement();
          ResultSet readers =
              connection
                  .createStatement()
                  .executeQuery(
                      "SELECT id FROM information_schema.processlist WHERE user = '"
                          + TestMariaDb.USER
                          + "' AND id <> CONNECTION_ID()")) {
        while (readers.next()) {
          try {
            statement.execute("KILL CONNECTION " + readers.getLong(1));
            killed++;
          } catch (SQLException e) {
            // The connector also has connections that end by themselves.
            assertThat(e.getErrorCode()).as("no such thread: %s", e.getMessage()).isEqualTo(1094);
          }
        }
      }
      assertThat(killed).isGreaterThanOrEqualTo(2);
      probe.await(probe::isLoaded);
      assertThat(probe.changes).hasSizeGreaterThan(300_000);
      Replica replica = new Replica();
      replica.apply(probe.changes);
      assertThat(replica.rows()).isEqualTo(selectRows());
    }
  }

  @Test
  void keysOfEveryTypeAreReadInChunks() throws Exception {
    Map<String, String> keys = new TreeMap<>();
    keys.put("k INT", "CAST(seq AS SIGNED) - 20");
    keys.put("k BIGINT UNSIGNED", "18446744073709551615 - seq");
    keys.put("k DECIMAL(20,4)", "(CAST(seq AS SIGNED) - 20) / 7");
    keys.put("k YEAR", "1950 + seq");
    keys.put("k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci", "ELT(seq, %s)");
    keys.put("k VARCHAR(20) COLLATE utf8mb4_unicode_ci", "ELT(seq, %s)");
    keys.put("k VARCHAR(20) COLLATE utf8mb4_bin", "ELT(seq, %s)");
    keys.put("k CHAR(9)", "CONCAT(CHAR(96 + seq % 26), '\\\\''\"%%', seq)");
    keys.put("k VARBINARY(9)", "UNHEX(CONCAT(LPAD(HEX(255 - seq * 5), 2, '0'), '00'))");
    keys.put("k BINARY(4)", "UNHEX(LPAD(HEX(seq * 7), 2, '0'))");
    keys.put("k DATE", "'1969-12-20' + INTERVAL seq DAY");
    keys.put("k DATETIME(6)", "'1969-12-31 23:59:59.5' + INTERVAL seq * 30000 MICROSECOND");
    keys.put("k TIMESTAMP(3)", "'2024-03-31 00:59:59' + INTERVAL seq * 100000 MICROSECOND");
    keys.put("k TIME", "SEC_TO_TIME((CAST(seq AS SIGNED) - 20) * 50000)");
    keys.put(
        "k UUID",
        "CAST(CONCAT('123e4567-e89b-12d3-a456-4266141740', LPAD(HEX(seq), 2, '0')) AS UUID)");
    keys.put("k ENUM('z','y','x','w','v','u','t')", "1 + seq % 7");
    keys.put("k FLOAT", "seq / 3");
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      words
          .append(i == 0 ? "" : ",")
          .append("'")
          .append("aÄbßCöz".charAt(i % 7))
          .append(40 - i)
          .append("'");
    }
    int tables = 0;
    for (Map.Entry<String, String> key : keys.entrySet()) {
      String table = "t" + tables++;
      String value = key.getValue().replace("%s", words).replace("%%", "%");
      execute(
          "CREATE TABLE " + table + " (v INT, " + key.getKey() + ", PRIMARY KEY (k))",
          "INSERT IGNORE INTO " + table + " SELECT seq, " + value + " FROM seq_1_to_40");
    }
    execute(
        "CREATE TABLE composite (v INT, c INT, a VARCHAR(9), b DATE, PRIMARY KEY (a, b, c))",
        "INSERT INTO composite SELECT seq, seq % 5, CONCAT('a', seq % 3),"
            + " '2024-01-01' + INTERVAL seq % 4 DAY FROM seq_1_to_60");
    Map<String, Long> expected = new TreeMap<>();
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement()) {
      for (int t = 0; t <= tables; t++) {
        String table = t == tables ? "composite" : "t" + t;
        try (ResultSet row = statement.executeQuery("SELECT COUNT(*) FROM " + table)) {
          row.next();
          expected.put(table, row.getLong(1));
        }
      }
    }
    assertThat(expected.values()).allMatch(count -> count >= 7);
    try (Probe probe = new Probe(chunks(2, 3), null)) {
      probe.await(probe::isLoaded);
      Map<String, Long> read = new TreeMap<>();
      Map<String, Set<Object>> distinct = new TreeMap<>();
      for (Change change : probe.changes) {
        read.merge(change.table().name(), 1L, Long::sum);
        distinct
            .computeIfAbsent(change.table().name(), n -> new HashSet<>())
            .add(change.after().get("v"));
      }
      assertThat(read).as("each row once").isEqualTo(expected);
      assertThat(distinct.keySet()).isEqualTo(expected.keySet());
      distinct.forEach(
          (table, rows) -> assertThat((long) rows.size()).as(table).isEqualTo(expected.get(table)));
    }
  }

  private ConnectorConfiguration chunks(int threads, int rows) {
    return server
        .connector(database)
        .withConnectionProperty("widebeam.load.threads", Integer.toString(threads))
        .withConnectionProperty("widebeam.load.chunk.rows", Integer.toString(rows));
  }

  @Test
  void theWatermarkGoesOnWhenOnlyOtherTablesAreWritten() throws Exception {
    createRows(20_000);
    String elsewhere = server.createDatabase();
    server.execute(elsewhere, "CREATE TABLE t (id INT)");
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.awaitBatch();
      for (int i = 0; i < 20; i++) {
        server.execute(elsewhere, "INSERT INTO t VALUES (1)");
      }
      probe.await(() -> probe.changes.size() == 20_000);
      long loaded = System.nanoTime();
      probe.await(probe::isLoaded);
      assertThat(Duration.ofNanos(System.nanoTime() - loaded)).isLessThan(Duration.ofSeconds(15));
    }
  }

  private void createRows(int count) throws SQLException {
    execute(
        "CREATE TABLE goods (id INT PRIMARY KEY, text VARCHAR(200), amount DECIMAL(12,2))",
        "INSERT INTO goods SELECT seq, REPEAT('x', 100), seq / 4 FROM seq_1_to_" + count);
  }

  /** Inserts, updates, deletes and gives rows new keys until told to stop. */
  private CompletableFuture<Void> writer(AtomicBoolean writing) {
    return CompletableFuture.runAsync(
        () -> {
          Random random = new Random(7);
          try (Connection connection = server.connect(database);
              Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (int i = 1; writing.get(); i++) {
              int id = 1 + random.nextInt(30_000);
              statement.execute(
                  switch (random.nextInt(4)) {
                    case 0 -> "DELETE FROM goods WHERE id = " + id;
                    case 1 -> "REPLACE INTO goods VALUES (" + id + ", 'new " + i + "', " + i + ")";
                    case 2 -> "UPDATE goods SET amount = amount + 1 WHERE id = " + id;
                    default -> "UPDATE IGNORE goods SET id = " + (30_000 + i) + " WHERE id = " + id;
                  });
              if (i % 3 == 0) {
                connection.commit();
              }
            }
            connection.commit();
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  /** The table as who trusts in numbers alone sees it: a greater one outranks, deletes too. */
  private static final class Replica {
    private final Map<String, Change> latest = new HashMap<>();

    void apply(List<Change> changes) {
      for (Change change : changes) {
        if (change.before() != null) {
          keep(change.before().getInt32("id").toString(), change);
        }
        if (change.after() != null) {
          keep(change.after().getInt32("id").toString(), change);
        }
      }
    }

    private void keep(String id, Change change) {
      Change known = latest.get(id);
      if (known == null || known.sequence() <= change.sequence()) {
        latest.put(id, change);
      }
    }

    Map<String, BsonDocument> rows() {
      Map<String, BsonDocument> rows = new HashMap<>();
      latest.forEach(
          (id, change) -> {
            if (change.after() != null && change.after().getInt32("id").toString().equals(id)) {
              rows.put(id, change.after().decode(new BsonDocumentCodec()));
            }
          });
      return rows;
    }
  }

  private int selectCount() throws SQLException {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT COUNT(*) FROM goods")) {
      row.next();
      return row.getInt(1);
    }
  }

  private Map<String, BsonDocument> selectRows() throws Exception {
    Map<String, BsonDocument> rows = new HashMap<>();
    try (TableLoader loader = loader(server.connector(database))) {
      for (TableLoader.Table table : loader.tables()) {
        loader.read(
            table,
            new LoadProgress.KeyRange(null, null),
            (raw, key) -> {
              BsonDocument row = raw.decode(new BsonDocumentCodec());
              rows.put(row.getInt32("id").toString(), row);
            });
      }
    }
    return rows;
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement()) {
      statement.execute("SET sql_mode = ''");
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private static TableLoader loader(ConnectorConfiguration configuration) {
    return TableLoader.open(
        CdcIO.readChanges().withConnectorConfiguration(configuration).connectorProperties(),
        TableLoaderIT.class.getClassLoader());
  }

  private static boolean isFast(ConnectorConfiguration configuration) {
    try (TableLoader loader = loader(configuration)) {
      return loader != null;
    }
  }

  /** A reader, and everything it has handed out. */
  private static final class Probe implements AutoCloseable {
    final CdcReader<Change> reader;
    final List<Change> changes = new ArrayList<>();
    final List<Long> times = new ArrayList<>();
    private boolean started;

    Probe(ConnectorConfiguration configuration, CdcCheckpoint checkpoint) throws IOException {
      this(CdcIO.readChanges().withConnectorConfiguration(configuration), checkpoint);
    }

    Probe(CdcIO.Read<Change> read, CdcCheckpoint checkpoint) throws IOException {
      reader = read.source().createReader(null, checkpoint);
    }

    boolean step() throws Exception {
      boolean available = started ? reader.advance() : reader.start();
      started = true;
      if (available) {
        CdcBatch<Change> batch = reader.getCurrent();
        for (int i = 0; i < batch.size(); i++) {
          changes.add(batch.value(i));
          times.add(batch.eventMillis(i));
        }
      }
      return available;
    }

    void awaitBatch() throws Exception {
      await(() -> !changes.isEmpty());
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

    long snapshotRows() {
      return changes.stream().filter(Change::snapshot).count();
    }

    boolean isLoaded() {
      return !reader.getCheckpointMark().position().clock().held();
    }

    CdcCheckpoint checkpoint() throws Exception {
      return CoderUtils.clone(CdcCheckpoint.coder(), reader.getCheckpointMark());
    }

    @Override
    public void close() {
      reader.close();
    }
  }
}
