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
import java.util.TreeMap;
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
  void everyKnownTypeHasTheValueThatTheLogGives() throws Exception {
    Map<String, List<String>> types = new TreeMap<>();
    types.put("TINYINT", List.of("-128", "127", "0"));
    types.put("TINYINT UNSIGNED", List.of("255"));
    types.put("BOOLEAN", List.of("TRUE", "FALSE", "5"));
    types.put("SMALLINT", List.of("-32768"));
    types.put("SMALLINT UNSIGNED", List.of("65535"));
    types.put("MEDIUMINT", List.of("-8388608"));
    types.put("MEDIUMINT UNSIGNED", List.of("16777215"));
    types.put("INT", List.of("-2147483648", "2147483647"));
    types.put("INT UNSIGNED", List.of("4294967295", "1"));
    types.put("INT(8) ZEROFILL", List.of("42"));
    types.put("BIGINT", List.of("-9223372036854775808", "9223372036854775807", "0"));
    types.put("BIGINT UNSIGNED", List.of("18446744073709551615", "9223372036854775807", "7"));
    types.put("DECIMAL(10,2)", List.of("-12345678.90", "0", "-0.01", "1.5"));
    types.put("DECIMAL(5,0)", List.of("-99999", "0"));
    types.put("DECIMAL(20,4) UNSIGNED", List.of("1234567890123456.7890"));
    types.put("DECIMAL(18,17)", List.of("-1.23456789012345678"));
    types.put("DECIMAL(38,2)", List.of("123456789012345678901234567890123456.78", "-1.10"));
    types.put("DECIMAL(10,3) ZEROFILL", List.of("1.5"));
    types.put("FLOAT", List.of("0.1", "-16777215", "3.402823e38", "1.17549e-38", "1234567.9", "0"));
    types.put(
        "DOUBLE",
        List.of("0.1", "2.5e300", "-1.7976931348623157e308", "-2.2250738585072014e-308", "1e15"));
    types.put("CHAR(5)", List.of("'ab  '", "''", "'ü😀'"));
    types.put("VARCHAR(20)", List.of("'ab  '", "''", "'ü😀\\0\\n''x'"));
    types.put("VARCHAR(20) CHARACTER SET latin1", List.of("'grün €'"));
    types.put("TINYTEXT", List.of("'t'"));
    types.put("TEXT", List.of("REPEAT('ä', 20000)"));
    types.put("MEDIUMTEXT", List.of("'m'"));
    types.put("LONGTEXT", List.of("'l'"));
    types.put("JSON", List.of("'{\"k\": [1, 2.5]}'"));
    types.put("ENUM('a','b''c','ü')", List.of("'a'", "'b''c'", "'ü'", "''"));
    types.put("SET('x','y','z')", List.of("'z,x'", "''"));
    types.put("BIT(1)", List.of("b'1'", "b'0'"));
    types.put("BINARY(4)", List.of("x'0100'", "x'ffffffff'"));
    types.put("VARBINARY(4)", List.of("x'00ff'", "''"));
    types.put("BLOB", List.of("x'0102'", "REPEAT('b', 70000 DIV 2)"));
    types.put(
        "DATE",
        List.of(
            "'1969-12-31'",
            "'9999-12-31'",
            "'0000-00-00'",
            "'2024-00-00'",
            "'0024-02-29'",
            "'0070-01-02'",
            "'0100-01-01'",
            "'1582-10-10'"));
    types.put(
        "DATETIME",
        List.of(
            "'2024-02-29 12:30:15'",
            "'1969-12-31 23:59:59'",
            "'0000-00-00 00:00:00'",
            "'0001-01-01 00:00:01'",
            "'9999-12-31 23:59:59'"));
    types.put("DATETIME(3)", List.of("'2024-02-29 12:30:15.125'", "'1969-12-31 23:59:59.999'"));
    types.put(
        "DATETIME(6)", List.of("'2024-02-29 12:30:15.123999'", "'1960-01-01 00:00:00.000001'"));
    types.put(
        "TIMESTAMP",
        List.of("'2024-02-29 12:30:15'", "'1970-01-01 00:00:01'", "'0000-00-00 00:00:00'"));
    types.put("TIMESTAMP(6)", List.of("'2037-02-28 12:30:15.123999'"));
    types.put("TIME", List.of("'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"));
    types.put("TIME(3)", List.of("'01:02:03.100'"));
    types.put("TIME(6)", List.of("'-01:02:03.000004'"));
    types.put("YEAR", List.of("2024", "1901", "0"));
    StringBuilder columns = new StringBuilder();
    StringBuilder first = new StringBuilder();
    int deepest = 0;
    List<String> names = new ArrayList<>();
    List<List<String>> values = new ArrayList<>();
    for (Map.Entry<String, List<String>> type : types.entrySet()) {
      for (String nulls : new String[] {"NULL", "NOT NULL"}) {
        String name = "c" + names.size();
        names.add(name);
        values.add(type.getValue());
        columns.append(", ").append(name).append(' ').append(type.getKey()).append(' ');
        columns.append(nulls);
        deepest = Math.max(deepest, type.getValue().size());
      }
    }
    String list = String.join(", ", names);
    execute("CREATE TABLE types (id INT PRIMARY KEY" + columns + ") ROW_FORMAT=DYNAMIC");
    for (int row = 0; row < deepest; row++) {
      first.setLength(0);
      for (List<String> column : values) {
        first.append(", ").append(column.get(row % column.size()));
      }
      execute("INSERT INTO types (id, " + list + ") VALUES (" + row + first + ")");
    }
    StringBuilder nulls = new StringBuilder();
    for (int i = 0; i < names.size(); i++) {
      nulls.append(", ").append(i % 2 == 0 ? "NULL" : values.get(i).get(0));
    }
    execute("INSERT INTO types (id, " + list + ") VALUES (100" + nulls + ")");

    try (TableLoader loader = loader(server.connector(database))) {
      assertThat(loader).isNotNull();
    }
    int rows = deepest + 1;
    List<Change> loaded;
    try (Probe probe = new Probe(server.connector(database), null)) {
      probe.await(() -> probe.isLoaded() && probe.changes.size() == rows);
      execute(
          "CREATE TEMPORARY TABLE t AS SELECT * FROM types",
          "UPDATE t SET id = id + 1000",
          "INSERT INTO types SELECT * FROM t");
      probe.await(() -> probe.changes.size() == 2 * rows);
      for (int i = 0; i < rows; i++) {
        assertThat(withoutId(probe.changes.get(i)))
            .as("row %d from the table", i)
            .isEqualTo(withoutId(probe.changes.get(rows + i)));
      }
      assertThat(probe.changes.subList(0, rows)).allMatch(Change::snapshot);
      assertThat(probe.changes.subList(rows, 2 * rows)).noneMatch(Change::snapshot);
      loaded = List.copyOf(probe.changes.subList(0, rows));
    }
    assertTheConnectorGivesTheSame(names, types, loaded);
  }

  /** The connector's own snapshot must give the same, but for what it gets wrong itself. */
  private void assertTheConnectorGivesTheSame(
      List<String> names, Map<String, List<String>> types, List<Change> loaded) throws Exception {
    List<String> typeNames = new ArrayList<>(types.keySet());
    List<String> different = new ArrayList<>();
    for (int c = 0; c < names.size(); c++) {
      if (typeNames.get(c / 2).equals("YEAR")) {
        // It fails at the year 0.
        String name = names.get(c);
        execute("UPDATE types SET " + name + " = 1901 WHERE " + name + " = 0");
      }
    }
    ConnectorConfiguration slow =
        server.connector(database).withConnectionProperty("snapshot.fetch.size", "2000");
    try (Probe probe = new Probe(slow, null)) {
      probe.await(() -> probe.isLoaded() && probe.changes.size() == 2 * loaded.size());
      for (int i = 0; i < loaded.size(); i++) {
        BsonDocument fast = withoutId(loaded.get(i));
        BsonDocument other = withoutId(probe.changes.get(i));
        assertThat(other.keySet()).containsExactlyElementsOf(fast.keySet());
        for (int c = 0; c < names.size(); c++) {
          if (!fast.get(names.get(c)).equals(other.get(names.get(c)))) {
            different.add(
                typeNames.get(c / 2)
                    + " row "
                    + i
                    + ": "
                    + fast.get(names.get(c))
                    + " not "
                    + other.get(names.get(c)));
          }
        }
      }
    }
    assertThat(different)
        .as("but for seven digits, zero timestamps and the year 0, where it differs from the log")
        .allMatch(
            text ->
                text.startsWith("FLOAT ")
                    || text.startsWith("YEAR ")
                    || (text.startsWith("TIMESTAMP ") && text.endsWith("value=0} not BsonNull")));
  }

  private static BsonDocument withoutId(Change change) {
    BsonDocument row = change.after().decode(new BsonDocumentCodec());
    row.remove("id");
    return row;
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
            "id INT PRIMARY KEY, p POINT",
            "id INT PRIMARY KEY, b BIT(9)",
            "id INT PRIMARY KEY, f FLOAT(7,3)",
            "id INT PRIMARY KEY, g INT AS (id + 1) STORED",
            "id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '2020-01-01'",
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
