package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.Change;
import io.widebeam.testing.TestMariaDb;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.BsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchemaChangesIT {
  private static final int ROWS = 50;

  private static TestMariaDb server;

  private String database;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @BeforeEach
  void createTable() throws Exception {
    database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20), amount INT)",
        "INSERT INTO goods SELECT seq, CONCAT('n', seq), seq FROM seq_1_to_" + ROWS);
  }

  /** Each is preceded and followed by changes, which the log has in the columns of their time. */
  private static final List<String> CHANGES =
      List.of(
          "ALTER TABLE goods ADD COLUMN colour VARCHAR(9) NOT NULL DEFAULT 'red'",
          "ALTER TABLE goods ADD COLUMN note TEXT FIRST",
          "ALTER TABLE goods RENAME COLUMN name TO title",
          "ALTER TABLE goods MODIFY amount DECIMAL(12,3)",
          "ALTER TABLE goods DROP COLUMN note");

  @Test
  void rowsFollowTheirTablesColumnsWhileTheReaderRuns() throws Exception {
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      for (int i = 0; i < CHANGES.size(); i++) {
        touch(i);
        server.execute(database, CHANGES.get(i));
        touch(i + 20);
        Map<Integer, Map<String, String>> expected = select();
        probe.await(() -> rows(probe.changes).equals(expected));
      }
    }
  }

  @Test
  void rowsFollowTheirTablesColumnsThatChangedWhileNothingRan() throws Exception {
    CdcCheckpoint checkpoint;
    List<Change> changes;
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      checkpoint = probe.checkpoint();
      changes = probe.changes;
    }
    for (int i = 0; i < CHANGES.size(); i++) {
      touch(i);
      server.execute(database, CHANGES.get(i));
      touch(i + 20);
    }
    Map<Integer, Map<String, String>> expected = select();
    try (ReaderProbe probe = new ReaderProbe(server.connector(database), checkpoint)) {
      probe.changes.addAll(changes);
      probe.await(() -> probe.isLoaded() && rows(probe.changes).equals(expected));
      checkpoint = probe.checkpoint();
      changes = List.copyOf(probe.changes);
    }
    try (ReaderProbe probe = new ReaderProbe(server.connector(database), checkpoint)) {
      server.execute(database, "INSERT INTO goods (id) VALUES (99)");
      probe.await(() -> !probe.changes.isEmpty());
      assertThat(probe.changes).as("nothing is read again without need").hasSize(1);
    }
  }

  @Test
  void aNewIndexIsNoReasonToReadTheTableAgain() throws Exception {
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "ALTER TABLE goods ADD INDEX (amount)",
          "UPDATE goods SET amount = amount + 1 WHERE id = 1");
      probe.await(() -> probe.changes.size() > ROWS);
      assertThat(probe.changes).hasSize(ROWS + 1);
    }
  }

  @Test
  void aTableThatIsCreatedLaterIsReadFromTheLogAndFollowed() throws Exception {
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "CREATE TABLE later (id INT PRIMARY KEY, a INT)",
          "INSERT INTO later VALUES (1, 2), (3, 4)");
      probe.await(() -> probe.changes.size() == ROWS + 2);
      server.execute(database, "ALTER TABLE later ADD COLUMN b INT DEFAULT 7");
      probe.await(() -> probe.changes.size() == ROWS + 4);
      assertThat(probe.changes.subList(ROWS + 2, ROWS + 4))
          .allSatisfy(change -> assertThat(change.after().getInt32("b").getValue()).isEqualTo(7));
    }
  }

  @Test
  void otherColumnsOfATableThatTheConnectorHasLoadedHaveToBeLoadedAnew() throws Exception {
    server.execute(database, "ALTER TABLE goods ADD double_amount INT AS (amount * 2) STORED");
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "ALTER TABLE goods ADD INDEX (amount)",
          "UPDATE goods SET amount = amount + 1 WHERE id = 1");
      probe.await(() -> probe.changes.size() == ROWS + 1);
      checkpoint = probe.checkpoint();
      server.execute(database, CHANGES.get(0));
      assertNewLoadIsAskedFor(probe);
    }
    try (ReaderProbe probe = new ReaderProbe(server.connector(database), checkpoint)) {
      assertNewLoadIsAskedFor(probe);
    }
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      assertThat(probe.changes)
          .hasSize(ROWS)
          .allSatisfy(change -> assertThat(change.after()).containsKey("colour"));
    }
  }

  private static void assertNewLoadIsAskedFor(ReaderProbe probe) {
    assertThatThrownBy(() -> probe.await(() -> false))
        .isInstanceOf(LoadInterruptedException.class)
        .hasMessageContaining("goods.double_amount is generated");
  }

  @Test
  void aTableThatTheConnectorHasLoadedBesideAnotherIsReadAgain() throws Exception {
    server.execute(
        database, "CREATE TABLE other (id INT PRIMARY KEY, twice INT AS (id * 2) STORED)");
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      for (int i = 0; i < CHANGES.size(); i++) {
        touch(i);
        server.execute(database, CHANGES.get(i));
        touch(i + 20);
        Map<Integer, Map<String, String>> expected = select();
        probe.await(() -> rows(probe.changes).equals(expected));
      }
    }
  }

  @Test
  void aColumnThatOnlyTheConnectorCanReadHasToBeLoadedAnew() throws Exception {
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      server.execute(database, "ALTER TABLE goods ADD double_amount INT AS (amount * 2) STORED");
      assertNewLoadIsAskedFor(probe);
    }
  }

  private void touch(int id) throws Exception {
    server.execute(
        database,
        "UPDATE goods SET amount = amount + 100 WHERE id = " + (id + 1),
        "DELETE FROM goods WHERE id = " + (id + 40),
        "INSERT INTO goods (id, amount) VALUES (" + (id + 100) + ", 5)");
  }

  private Map<Integer, Map<String, String>> select() throws Exception {
    Map<Integer, Map<String, String>> rows = new HashMap<>();
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT * FROM goods")) {
      while (row.next()) {
        Map<String, String> values = new TreeMap<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          values.put(row.getMetaData().getColumnName(i), row.getString(i));
        }
        rows.put(row.getInt("id"), values);
      }
    }
    return rows;
  }

  private static Map<Integer, Map<String, String>> rows(List<Change> changes) {
    Map<Integer, Change> latest = new HashMap<>();
    for (Change change : changes) {
      BsonDocument row =
          (change.after() == null ? change.before() : change.after())
              .decode(new BsonDocumentCodec());
      latest.merge(
          row.getInt32("id").getValue(),
          change,
          (known, next) -> next.sequence() >= known.sequence() ? next : known);
    }
    Map<Integer, Map<String, String>> rows = new HashMap<>();
    latest.forEach(
        (id, change) -> {
          if (change.after() != null) {
            Map<String, String> values = new TreeMap<>();
            change
                .after()
                .decode(new BsonDocumentCodec())
                .forEach(
                    (name, value) ->
                        values.put(
                            name,
                            switch (value.getBsonType()) {
                              case NULL -> null;
                              case STRING -> value.asString().getValue();
                              case INT32 -> Integer.toString(value.asInt32().getValue());
                              default -> value.asDecimal128().getValue().toString();
                            }));
            rows.put(id, values);
          }
        });
    return rows;
  }
}
