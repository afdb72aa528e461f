package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.debezium.connector.postgresql.PostgresConnector;
import io.widebeam.change.Change;
import io.widebeam.testing.FlakyNetwork;
import io.widebeam.testing.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresSourceIT {
  private static TestPostgres server;

  private String database;
  private String slot;
  private ConnectorConfiguration connector;

  @BeforeAll
  static void startServer() {
    server = TestPostgres.shared();
  }

  @BeforeEach
  void createDatabase() throws Exception {
    database = server.createDatabase();
    slot = database + "_slot";
    connector = connector(2, 7);
  }

  private ConnectorConfiguration connector(int threads, int chunkRows) {
    return ConnectorConfiguration.create()
        .withConnectorClass(PostgresConnector.class)
        .withHostName("127.0.0.1")
        .withPort(Integer.toString(server.port()))
        .withUsername("postgres")
        .withPassword("unused")
        .withConnectionProperty("topic.prefix", database)
        .withConnectionProperty("database.dbname", database)
        .withConnectionProperty("plugin.name", "pgoutput")
        .withConnectionProperty("slot.name", slot)
        .withConnectionProperty("publication.name", slot)
        .withConnectionProperty("publication.autocreate.mode", "all_tables")
        .withConnectionProperty("heartbeat.interval.ms", "1000")
        .withConnectionProperty("widebeam.load.threads", Integer.toString(threads))
        .withConnectionProperty("widebeam.load.chunk.rows", Integer.toString(chunkRows));
  }

  @AfterEach
  void dropSlot() throws Exception {
    dropSlotWhenFree();
  }

  private void dropSlotWhenFree() throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (true) {
      try {
        server.execute(
            database,
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name"
                + " = '"
                + slot
                + "'");
        return;
      } catch (SQLException e) {
        assertThat(System.nanoTime()).as("deadline, %s", e.getMessage()).isLessThan(deadline);
      }
    }
  }

  @Test
  void rowsComeInTheOrderOfTheirKeysSoThatALoadGoesOnBehindTheLastOne() throws Exception {
    server.execute(
        database,
        "CREATE TABLE numbers (id bigint PRIMARY KEY)",
        "ALTER TABLE numbers REPLICA IDENTITY FULL",
        "INSERT INTO numbers SELECT n FROM generate_series(3000, 1, -1) n");
    try (ReaderProbe probe = new ReaderProbe(connector(1, 1_100))) {
      probe.await(probe::isLoaded);
      assertThat(probe.changes.stream().map(change -> change.after().getInt64("id").getValue()))
          .containsExactlyElementsOf(LongStream.rangeClosed(1, 3000).boxed().toList());
    }
  }

  @Test
  void tablesAreReadInChunksWithTheValuesOfTheLog() throws Exception {
    Map<String, String> keys = new TreeMap<>();
    keys.put("bigint", "n - 20");
    keys.put("numeric(20,4)", "(n - 20) / 7.0");
    keys.put("text", "'aÄ''\\' || n");
    keys.put("text COLLATE \"C\"", "chr(60 + n) || 'x'");
    keys.put("char(9)", "'k' || n");
    keys.put("uuid", "md5(n::text)::uuid");
    keys.put("bytea", "decode(lpad(to_hex(n * 6), 2, '0') || '00', 'hex')");
    keys.put("date", "date '1969-12-20' + n");
    keys.put("timestamp", "timestamp '1969-12-31 23:59:59.5' + n * interval '30 milliseconds'");
    keys.put("timestamptz", "timestamptz '2024-03-31 00:59:59+02' + n * interval '100 ms'");
    keys.put("boolean", "n % 2 = 0");
    keys.put("double precision", "n / 3.0");
    keys.put("mood", "(ARRAY['sad','ok','happy']::mood[])[1 + n % 3]");
    keys.put("positive", "n");
    server.execute(
        database,
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
        "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)");
    int table = 0;
    int rows = 0;
    for (Map.Entry<String, String> key : keys.entrySet()) {
      String name = "\"T " + table++ + "\"";
      server.execute(
          database,
          "CREATE TABLE "
              + name
              + " (k "
              + key.getKey()
              + ", half int, v "
              + key.getKey().replace("positive", "positive NULL")
              + ", j jsonb, c char(5), a int[], r real, f numeric,"
              + " PRIMARY KEY (half, k))",
          "ALTER TABLE " + name + " REPLICA IDENTITY FULL",
          "INSERT INTO "
              + name
              + " SELECT "
              + key.getValue()
              + ", n % 2, CASE WHEN n % 3 = 0 THEN NULL ELSE "
              + key.getValue()
              + " END, jsonb_build_object('n', n, 'a', ARRAY[1, n]), 'ab', ARRAY[n, NULL],"
              + " n / 7.0, n / 7.0 FROM generate_series(1, 40) n ON CONFLICT DO NOTHING");
      rows += count(name);
    }
    int expected = rows;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      assertThat(probe.changes).hasSize(expected).allMatch(Change::snapshot);
      Map<String, BsonDocument> loaded = byKey(probe.changes);
      assertThat(loaded).as("each row once").hasSize(expected);
      assertThat(probe.checkpoint().position().load().tables())
          .as("loaded beside the log")
          .hasSize(keys.size())
          .allMatch(progress -> progress.round() == 0);
      for (int t = 0; t < table; t++) {
        server.execute(database, "UPDATE \"T " + t + "\" SET half = half");
      }
      probe.await(() -> probe.changes.size() == 2 * expected);
      Map<String, BsonDocument> logged = byKey(probe.changes.subList(expected, 2 * expected));
      assertThat(logged.keySet()).isEqualTo(loaded.keySet());
      loaded.forEach((row, values) -> assertThat(logged.get(row)).as(row).isEqualTo(values));
    }
  }

  private int count(String table) throws SQLException {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
      row.next();
      return row.getInt(1);
    }
  }

  private static Map<String, BsonDocument> byKey(List<Change> changes) {
    Map<String, BsonDocument> rows = new TreeMap<>();
    for (Change change : changes) {
      BsonDocument row = change.after().decode(new BsonDocumentCodec());
      rows.put(change.table().name() + row.get("half") + row.get("k"), row);
    }
    return rows;
  }

  @Test
  void aLoadThatIsKilledGoesOnWithItsChunks() throws Exception {
    createGoods(2_000);
    CdcCheckpoint checkpoint;
    List<Change> changes = new ArrayList<>();
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(() -> probe.changes.size() > 300);
      checkpoint = probe.checkpoint();
      changes.addAll(probe.changes);
    }
    assertThat(checkpoint.position().clock().phase()).isEqualTo(EventClock.Phase.LOAD);
    server.execute(
        database,
        "DELETE FROM goods WHERE id <= 100",
        "UPDATE goods SET name = 'new' WHERE id % 10 = 0");
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      probe.await(probe::isLoaded);
      changes.addAll(probe.changes);
    }
    assertThat(changes.stream().filter(Change::snapshot).count())
        .as("no more than the open chunks are read again")
        .isLessThan(2_000 + 100);
    Map<Integer, String> names = new TreeMap<>();
    Map<Integer, Long> sequences = new TreeMap<>();
    for (Change change : changes) {
      int id =
          (change.after() == null ? change.before() : change.after()).getInt32("id").getValue();
      if (sequences.getOrDefault(id, 0L) <= change.sequence()) {
        sequences.put(id, change.sequence());
        if (change.after() == null) {
          names.remove(id);
        } else {
          names.put(id, change.after().getString("name").getValue());
        }
      }
    }
    Map<Integer, String> expected = new TreeMap<>();
    for (int id = 101; id <= 2_000; id++) {
      expected.put(id, id % 10 == 0 ? "new" : "n" + id);
    }
    assertThat(names).isEqualTo(expected);
  }

  private void createGoods(int rows) throws Exception {
    server.execute(
        database,
        "CREATE TABLE goods (id int PRIMARY KEY, name text)",
        "ALTER TABLE goods REPLICA IDENTITY FULL",
        "INSERT INTO goods SELECT n, 'n' || n FROM generate_series(1, " + rows + ") n");
  }

  @Test
  void whoGoesOnIsHeldUntilTheLogHasBeenReadAndNoLongerWhenItIsIdle() throws Exception {
    createGoods(10);
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      checkpoint = probe.checkpoint();
    }
    for (int round = 1; round <= 2; round++) {
      try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
        long started = System.nanoTime();
        probe.await(probe::isLoaded);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(9));
        assertThat(probe.changes).hasSize(round == 1 ? 0 : 5);
        checkpoint = probe.checkpoint();
      }
      server.execute(database, "UPDATE goods SET name = 'x' WHERE id <= 5");
    }
  }

  @Test
  void aChangeRightBehindTheLastMessageInTheLogIsNotLostByARestart() throws Exception {
    createGoods(1);
    CdcCheckpoint checkpoint = null;
    for (int round = 0; round < 10; round++) {
      String name = "x" + round;
      try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
        probe.await(probe::isLoaded);
        if (round > 0) {
          assertThat(probe.changes)
              .extracting(change -> change.after().getString("name").getValue())
              .as("round %d", round)
              .contains("x" + (round - 1));
        }
        // Of heartbeats: they are the last in the log when there is nothing else.
        CdcCheckpoint before = probe.checkpoint();
        probe.await(() -> !position(probe).offsets().equals(before.position().offsets()));
        checkpoint = probe.checkpoint();
      }
      server.execute(database, "UPDATE goods SET name = '" + name + "' WHERE id = 1");
    }
  }

  @Test
  void aTransactionThatIsOpenAtACheckpointIsReadWholeByWhoGoesOn() throws Exception {
    createGoods(1);
    CdcCheckpoint checkpoint = null;
    for (int id = 10; id <= 110; id += 10) {
      try (Connection open = server.connect(database);
          Statement first = open.createStatement();
          Connection other = server.connect(database);
          Statement second = other.createStatement()) {
        open.setAutoCommit(false);
        try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
          probe.await(probe::isLoaded);
          if (checkpoint != null) {
            assertThat(ids(probe)).contains(id - 10, id - 8);
          }
          first.execute("INSERT INTO goods VALUES (" + id + ")");
          // This one's position is where the other transaction ends.
          second.execute("INSERT INTO goods VALUES (" + (id + 1) + ")");
          first.execute("INSERT INTO goods VALUES (" + (id + 2) + ")");
          int between = id + 1;
          probe.await(() -> ids(probe).contains(between));
          checkpoint = probe.checkpoint();
        }
        open.commit();
      }
    }
  }

  private static List<Integer> ids(ReaderProbe probe) {
    return probe.changes.stream().map(change -> change.after().getInt32("id").getValue()).toList();
  }

  private static CdcCheckpoint.Position position(ReaderProbe probe) {
    try {
      return probe.checkpoint().position();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void whoLeavesMessagesOutIsHeldNoLongerThanToTheNextChange() throws Exception {
    createGoods(3);
    connector = connector.withConnectionProperty("message.prefix.exclude.list", ".*");
    CdcCheckpoint checkpoint = null;
    for (int round = 1; round <= 2; round++) {
      try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
        probe.await(this::isSlotInUse);
        server.execute(database, "UPDATE goods SET name = 'x" + round + "' WHERE id = 1");
        probe.await(probe::isLoaded);
        checkpoint = probe.checkpoint();
      }
    }
  }

  private boolean isSlotInUse() {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT 1 FROM pg_replication_slots WHERE active AND slot_name = '" + slot + "'")) {
      return row.next();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theLogIsFreedAsCheckpointsAreCompletedAndIdleOnesToo() throws Exception {
    createGoods(10);
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(database, "INSERT INTO goods VALUES (11, 'x')");
      probe.await(() -> probe.changes.size() == 11);
      long before = confirmed();
      probe.checkpoint().finalizeCheckpoint();
      probe.await(() -> confirmed() > before);
      long idle = confirmed();
      server.execute("postgres", "SELECT pg_switch_wal()");
      probe.await(
          () -> {
            probe.finalizeCheckpoint();
            return confirmed() > idle;
          });
      assertThat(probe.changes).hasSize(11);
    }
  }

  @Test
  void theLogIsNotFreedBeyondTheCheckpointNorWhenTheReaderIsClosed() throws Exception {
    createGoods(10);
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(database, "INSERT INTO goods VALUES (11, 'x')");
      probe.await(() -> probe.changes.size() == 11);
      long before = confirmed();
      checkpoint = probe.checkpoint();
      server.execute(database, "INSERT INTO goods VALUES (12, 'x')");
      probe.await(() -> probe.changes.size() == 12);
      checkpoint.finalizeCheckpoint();
      probe.await(() -> confirmed() > before);
    }
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      probe.await(probe::isLoaded);
      // The checkpoint may be from within the transaction of the one before.
      assertThat(ids(probe)).endsWith(12).isSubsetOf(11, 12);
    }
  }

  @Test
  void aServerThatFallsSilentIsReportedInSecondsAndReadOnWhenItIsBack() throws Exception {
    createGoods(10);
    try (FlakyNetwork network = new FlakyNetwork(server.port());
        ReaderProbe probe = new ReaderProbe(connector.withPort(Integer.toString(network.port())))) {
      probe.await(probe::isLoaded);
      server.execute(database, "INSERT INTO goods VALUES (11, 'x')");
      probe.await(() -> probe.changes.size() == 11);
      network.swallow();
      probe.await(probe::isSourceDown);
      server.execute(database, "INSERT INTO goods VALUES (12, 'x')");
      network.restore();
      // The server has not noticed yet, and lets nobody else have the slot.
      server.execute(database, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots");
      probe.await(() -> probe.changes.size() == 12);
    }
  }

  private long confirmed() {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE"
                    + " slot_name = '"
                    + slot
                    + "'")) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aSlotThatWasDroppedIsAClearFailureAndNoHole() throws Exception {
    createGoods(10);
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      checkpoint = probe.checkpoint();
    }
    dropSlotWhenFree();
    server.execute(database, "INSERT INTO goods VALUES (11, 'lost')");
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      assertThat(catchThrowable(() -> probe.await(() -> !probe.changes.isEmpty())))
          .isInstanceOf(LogLostException.class)
          .hasMessageContaining(slot);
    }
  }

  @Test
  void aTableWithOtherColumnsIsReadAgainAtItsNextChange() throws Exception {
    createGoods(10);
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(database, "UPDATE goods SET name = 'x' WHERE id = 1");
      probe.await(() -> probe.changes.size() == 11);
      server.execute(
          database,
          "ALTER TABLE goods ADD COLUMN colour text NOT NULL DEFAULT 'red'",
          "UPDATE goods SET name = 'y' WHERE id = 1");
      probe.await(() -> probe.changes.size() == 22);
      assertThat(probe.changes.subList(11, 22))
          .allSatisfy(
              change -> assertThat(change.after().getString("colour").getValue()).isEqualTo("red"));
    }
  }

  @Test
  void aTableWithOtherColumnsIsReadAgainThoughNoneOfItsRowsHasChangedBefore() throws Exception {
    createGoods(10);
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "ALTER TABLE goods ADD COLUMN colour text NOT NULL DEFAULT 'red'",
          "UPDATE goods SET name = 'y' WHERE id = 1");
      probe.await(() -> probe.changes.size() == 21);
      assertThat(probe.changes.subList(10, 21))
          .allSatisfy(
              change -> assertThat(change.after().getString("colour").getValue()).isEqualTo("red"));
    }
  }

  @Test
  void aTableThatIsAlteredWhileItIsLoadedIsReadAgainAtItsNextChange() throws Exception {
    int rows = 20_000;
    createGoods(rows);
    List<Change> changes = new ArrayList<>();
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector(1, 1_000))) {
      probe.await(() -> !probe.changes.isEmpty());
      checkpoint = probe.checkpoint();
      changes.addAll(probe.changes);
    }
    assertThat(checkpoint.position().clock().phase()).isEqualTo(EventClock.Phase.LOAD);
    server.execute(database, "ALTER TABLE goods ADD COLUMN colour text NOT NULL DEFAULT 'red'");
    try (ReaderProbe probe = new ReaderProbe(connector(1, 1_000), checkpoint)) {
      probe.await(probe::isLoaded);
      server.execute(database, "UPDATE goods SET name = 'y' WHERE id = 1");
      probe.await(() -> isAgainLoaded(probe));
      changes.addAll(probe.changes);
      assertThat(latest(changes))
          .hasSize(rows)
          .allSatisfy((id, row) -> assertThat(row.getString("colour").getValue()).isEqualTo("red"));
      checkpoint = probe.checkpoint();
    }
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      probe.await(probe::isLoaded);
      server.execute(database, "UPDATE goods SET name = 'z' WHERE id = 2");
      probe.await(() -> !probe.changes.isEmpty() && ids(probe).contains(2));
      assertThat(probe.changes).as("nothing is read again without need").hasSizeLessThan(3);
    }
  }

  private static boolean isAgainLoaded(ReaderProbe probe) {
    LoadProgress load = position(probe).load();
    return load.isDone() && load.tables().stream().allMatch(table -> table.round() == 1);
  }

  private static Map<Integer, RawBsonDocument> latest(List<Change> changes) {
    Map<Integer, Change> latest = new TreeMap<>();
    for (Change change : changes) {
      latest.merge(
          change.after().getInt32("id").getValue(),
          change,
          (known, next) -> next.sequence() >= known.sequence() ? next : known);
    }
    Map<Integer, RawBsonDocument> rows = new TreeMap<>();
    latest.forEach((id, change) -> rows.put(id, change.after()));
    return rows;
  }

  @Test
  void aTableThatOnlyTheConnectorCanReadFromNowOnHasToBeLoadedAnew() throws Exception {
    createGoods(10);
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "ALTER TABLE goods ADD COLUMN double int GENERATED ALWAYS AS (id * 2) STORED",
          "UPDATE goods SET name = 'y' WHERE id = 1");
      assertThat(catchThrowable(() -> probe.await(() -> false)))
          .isInstanceOf(LoadInterruptedException.class)
          .hasMessageContaining("public.goods.double is generated");
    }
  }

  @Test
  void otherColumnsOfATableThatTheConnectorHasLoadedHaveToBeLoadedAnew() throws Exception {
    createGoods(10);
    server.execute(
        database,
        "ALTER TABLE goods ADD COLUMN double int GENERATED ALWAYS AS (id * 2) STORED",
        "CREATE TABLE plain (id int PRIMARY KEY)",
        "ALTER TABLE plain REPLICA IDENTITY FULL",
        "INSERT INTO plain VALUES (1), (2)");
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "UPDATE goods SET name = 'y' WHERE id = 1",
          "ALTER TABLE plain ADD COLUMN colour text NOT NULL DEFAULT 'red'",
          "UPDATE plain SET colour = 'blue' WHERE id = 1");
      probe.await(() -> probe.changes.size() == 16);
      assertThat(probe.changes.subList(13, 16))
          .as("what the loader can read, it reads again")
          .allSatisfy(change -> assertThat(change.after()).containsKey("colour"));
      checkpoint = probe.checkpoint();
    }
    server.execute(
        database,
        "ALTER TABLE goods ADD COLUMN colour text NOT NULL DEFAULT 'red'",
        "UPDATE goods SET name = 'z' WHERE id = 1");
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      assertThat(catchThrowable(() -> probe.await(() -> false)))
          .isInstanceOf(LoadInterruptedException.class)
          .hasMessageContaining("public.goods.double is generated");
    }
  }

  @Test
  void aLargeValueThatAnUpdateLeavesAloneKeepsItsValue() throws Exception {
    server.execute(
        database,
        "CREATE TABLE goods (id INT PRIMARY KEY, name TEXT, note TEXT, raw BYTEA, doc JSONB, words"
            + " TEXT[])",
        "ALTER TABLE goods REPLICA IDENTITY FULL",
        "CREATE FUNCTION noise() RETURNS TEXT LANGUAGE SQL AS $$ SELECT string_agg(md5(n || ''), '')"
            + " FROM generate_series(1, 1000) n $$",
        "INSERT INTO goods SELECT 1, 'x', noise(), convert_to(noise(), 'UTF8'),"
            + " jsonb_build_object('a', noise()), ARRAY[noise(), NULL]");
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      server.execute(database, "UPDATE goods SET name = 'y'");
      server.execute(database, "UPDATE goods SET id = 2");
      server.execute(database, "UPDATE goods SET note = 'short', doc = NULL");
      probe.await(() -> probe.changes.size() == 5);
      RawBsonDocument loaded = probe.changes.get(0).after();
      assertThat(loaded.getString("note").getValue()).hasSize(32_000);
      assertThat(withoutSmall(probe.changes.get(1).after())).isEqualTo(withoutSmall(loaded));
      assertThat(probe.changes.get(1).before()).isEqualTo(loaded);
      assertThat(withoutSmall(probe.changes.get(3).after())).isEqualTo(withoutSmall(loaded));
      BsonDocument last = probe.changes.get(4).after();
      assertThat(last.getString("note").getValue()).isEqualTo("short");
      assertThat(last.get("raw")).isEqualTo(loaded.get("raw"));
      assertThat(last.get("words")).isEqualTo(loaded.get("words"));
      assertThat(last.isNull("doc")).isTrue();
    }
  }

  private static BsonDocument withoutSmall(RawBsonDocument row) {
    BsonDocument large = new BsonDocument();
    row.forEach(large::append);
    large.remove("id");
    large.remove("name");
    return large;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE goods SET name = 'y' WHERE id = 1",
        "UPDATE goods SET id = 7 WHERE id = 1",
        "DELETE FROM goods WHERE id = 1"
      })
  void anIdentityThatIsAlteredWhileItIsReadIsAClearFailure(String change) throws Exception {
    server.execute(
        database,
        "CREATE TABLE goods (id INT PRIMARY KEY, name TEXT, parent INT)",
        "ALTER TABLE goods REPLICA IDENTITY FULL",
        "INSERT INTO goods VALUES (1, 'x', 5), (2, NULL, NULL)");
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      // A row that has nothing but its key, in a log that would tell more.
      server.execute(database, "DELETE FROM goods WHERE id = 2");
      probe.await(() -> probe.changes.size() == 3);
      server.execute(database, "ALTER TABLE goods REPLICA IDENTITY DEFAULT", change);
      assertThat(catchThrowable(() -> probe.await(() -> probe.changes.size() > 3)))
          .hasMessageContaining("public.goods")
          .hasMessageContaining("ALTER TABLE public.goods REPLICA IDENTITY FULL")
          .hasMessageContaining("load everything anew");
      assertThat(probe.changes).hasSize(3);
    }
  }
}
