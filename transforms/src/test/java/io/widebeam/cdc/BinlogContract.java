package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.widebeam.change.Change;
import io.widebeam.testing.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a server's binary log has besides rows, and that it neither loses nor hides any. */
@Timeout(240)
abstract class BinlogContract {
  /** So that the connector says often where it is. */
  private static final String HEARTBEAT_MILLIS = "100";

  private static final int MANY_EVENTS = 12;

  String database;

  abstract TestDatabase server();

  /** In a connector's offset, the name of the server's last transaction, or where it ends. */
  abstract String lastTransaction() throws SQLException;

  @BeforeEach
  void createTables() throws Exception {
    database = server().createDatabase();
    server()
        .execute(
            database,
            "CREATE TABLE goods (id INT PRIMARY KEY, name TEXT)",
            "CREATE TABLE unread (id INT PRIMARY KEY, name TEXT)",
            "INSERT INTO goods VALUES (1, 'a'), (2, 'b')");
  }

  @Test
  void rowsThatFollowAStatementAndAnIdleTimeAreNotSkippedByAResume() throws Exception {
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      server().execute(database, "CREATE TABLE more (id INT PRIMARY KEY)");
      awaitIdle(probe);
      checkpoint = probe.checkpoint();
    }
    server()
        .execute(
            database, "INSERT INTO goods VALUES (3, 'c')", "INSERT INTO goods VALUES (4, 'd')");
    try (ReaderProbe probe = new ReaderProbe(connector(), checkpoint)) {
      server().execute(database, "INSERT INTO goods VALUES (5, 'e')");
      probe.await(() -> probe.changes.stream().anyMatch(change -> id(change) == 5));
      assertThat(probe.changes).extracting(BinlogContract::id).containsExactly(3, 4, 5);
    }
  }

  @Test
  void aResumeAfterARenamedColumnReadsOn() throws Exception {
    CdcCheckpoint early;
    CdcCheckpoint late;
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      server().execute(database, "ALTER TABLE goods RENAME COLUMN name TO title");
      probe.await(() -> probe.isLoaded() && probe.changes.size() == 4);
      early = probe.checkpoint();
      awaitIdle(probe);
      late = probe.checkpoint();
    }
    server().execute(database, "INSERT INTO goods VALUES (3, 'c')");
    for (CdcCheckpoint checkpoint : List.of(early, late)) {
      try (ReaderProbe probe = new ReaderProbe(connector(), checkpoint)) {
        probe.await(() -> probe.changes.stream().anyMatch(change -> id(change) == 3));
        assertThat(probe.changes).hasSize(1);
        assertThat(probe.changes.get(0).after().getString("title").getValue()).isEqualTo("c");
      }
    }
  }

  @Test
  void aStatementThatStandsForItsRowsIsAClearFailure() throws Exception {
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      server()
          .execute(
              database,
              "INSERT INTO goods VALUES (3, 'c')",
              "SET SESSION binlog_format = STATEMENT",
              "/* who */ insert\tINTO goods VALUES (4, 'secret')");
      assertFails(probe, 3);
      checkpoint = probe.checkpoint();
    }
    try (ReaderProbe probe = new ReaderProbe(connector(), checkpoint)) {
      assertFails(probe, 0);
    }
  }

  private void assertFails(ReaderProbe probe, int changes) {
    assertThat(catchThrowable(() -> probe.await(() -> false)))
        .hasMessageContaining("INSERT")
        .hasMessageContaining("goods")
        .hasMessageContaining("binlog_format=ROW")
        .hasMessageContaining("load everything anew")
        .hasMessageNotContaining("secret");
    assertThat(probe.changes).hasSize(changes);
  }

  @Test
  void statementsOfTablesThatAreNotReadDoNoHarm() throws Exception {
    String other = server().createDatabase();
    server().execute(other, "CREATE TABLE goods (id INT PRIMARY KEY)");
    try (ReaderProbe probe =
        new ReaderProbe(
            connector().withConnectionProperty("table.include.list", database + "\\.goods"))) {
      probe.await(probe::isLoaded);
      server()
          .execute(
              database,
              "SET SESSION binlog_format = STATEMENT",
              "INSERT INTO unread SELECT * FROM goods",
              "UPDATE unread SET name = 'goods'",
              "DELETE FROM unread WHERE name = ' FROM goods'",
              "INSERT INTO " + other + ".goods VALUES (1)",
              "USE " + other,
              "UPDATE goods SET id = 2",
              "SET SESSION binlog_format = ROW",
              "INSERT INTO " + database + ".goods VALUES (3, 'c')");
      probe.await(() -> probe.changes.size() == 3);
    }
  }

  ConnectorConfiguration connector() {
    return server()
        .connector(database)
        .withConnectionProperty("heartbeat.interval.ms", HEARTBEAT_MILLIS);
  }

  /** Until the reader has seen the end of the log, or counts on without one. */
  void awaitIdle(ReaderProbe probe) throws Exception {
    String last = lastTransaction();
    probe.await(
        () ->
            (offset(probe).get("event") instanceof Number events
                    && events.longValue() >= MANY_EVENTS)
                || String.valueOf(offset(probe).get("gtids")).contains(last)
                || last.equals(String.valueOf(offset(probe).get("pos"))));
  }

  private static Map<String, ?> offset(ReaderProbe probe) {
    try {
      return probe.checkpoint().position().offsets().get(0).offset();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  String query(String sql) throws SQLException {
    try (Connection connection = server().connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  static int id(Change change) {
    return change.after().getInt32("id").getValue();
  }
}
