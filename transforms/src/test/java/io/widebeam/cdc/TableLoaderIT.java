package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.Change;
import io.widebeam.testing.TestMariaDb;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
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
  void whatIsWrittenWhileItReadsIsNotLost() throws Exception {
    createRows(30_000);
    AtomicBoolean writing = new AtomicBoolean(true);
    CompletableFuture<Void> writer = writer(writing);
    CdcCheckpoint inLoad;
    long before;
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.await(() -> probe.changes.size() > 2_000);
      inLoad = probe.checkpoint();
      assertThat(inLoad.position().clock().held()).isTrue();
      assertThat(inLoad.position().offsets()).isEmpty();
      before = probe.changes.get(probe.changes.size() - 1).sequence();
    }
    CdcCheckpoint afterLoad;
    Map<String, BsonDocument> rows = new HashMap<>();
    try (Probe probe = new Probe(server.connector(database), inLoad)) {
      probe.await(probe::isLoaded);
      afterLoad = probe.checkpoint();
      assertThat(afterLoad.position().offsets()).isNotEmpty();
      assertThat(probe.changes.get(0).sequence()).isGreaterThan(before);
      assertThat(probe.changes).anyMatch(change -> !change.snapshot());
      assertThat(probe.times).isSorted();
      apply(probe.changes, rows);
    }
    writing.set(false);
    writer.join();
    execute("INSERT INTO goods VALUES (-1, 'the end', 0)");
    try (Probe probe = new Probe(server.connector(database), afterLoad)) {
      probe.await(
          () ->
              probe.changes.stream()
                  .anyMatch(c -> c.after() != null && c.after().getInt32("id").getValue() == -1));
      apply(probe.changes, rows);
    }
    assertThat(rows).isEqualTo(selectRows());
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
                      "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT%goods`%'"
                          + " AND id <> CONNECTION_ID()")) {
        while (readers.next()) {
          statement.execute("KILL CONNECTION " + readers.getLong(1));
          killed++;
        }
      }
      assertThat(killed).isEqualTo(1);
      probe.await(probe::isLoaded);
      assertThat(probe.changes).hasSizeGreaterThan(300_000);
      Map<String, BsonDocument> rows = new HashMap<>();
      apply(probe.changes, rows);
      assertThat(rows).isEqualTo(selectRows());
    }
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

  private static void apply(List<Change> changes, Map<String, BsonDocument> rows) {
    long sequence = 0;
    for (Change change : changes) {
      assertThat(change.sequence()).isGreaterThan(sequence);
      sequence = change.sequence();
      if (change.before() != null) {
        rows.remove(change.before().getInt32("id").toString());
      }
      if (change.after() != null) {
        BsonDocument row = change.after().decode(new BsonDocumentCodec());
        rows.put(row.getInt32("id").toString(), row);
      }
    }
  }

  private Map<String, BsonDocument> selectRows() throws Exception {
    Map<String, BsonDocument> rows = new HashMap<>();
    try (TableLoader loader = loader(server.connector(database))) {
      for (TableLoader.Table table : loader.tables()) {
        loader.read(
            table,
            raw -> {
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

    Probe(ConnectorConfiguration configuration, CdcCheckpoint checkpoint) {
      reader =
          CdcIO.readChanges()
              .withConnectorConfiguration(configuration)
              .source()
              .createReader(null, checkpoint);
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
