package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.widebeam.testing.TestDatabase;
import io.widebeam.testing.TestMySql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class MySqlBinlogIT extends BinlogContract {
  private static TestMySql server;

  @BeforeAll
  static void startServer() throws Exception {
    server = TestMySql.shared();
  }

  @Override
  TestDatabase server() {
    return server;
  }

  @Override
  String lastTransaction() throws SQLException {
    try (Connection connection = server.connect(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SHOW MASTER STATUS")) {
      row.next();
      return row.getString("Position");
    }
  }

  @Test
  void partsOfJsonValuesAreAClearFailure() throws Exception {
    server.execute(
        database,
        "CREATE TABLE notes (id INT PRIMARY KEY, doc JSON)",
        "INSERT INTO notes VALUES (1, JSON_OBJECT('a', REPEAT('x', 100), 'b', 2))");
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      server.execute(
          database,
          "SET SESSION binlog_row_value_options = PARTIAL_JSON",
          "UPDATE notes SET doc = JSON_SET(doc, '$.b', 3)");
      assertThat(catchThrowable(() -> probe.await(() -> probe.changes.size() > 3)))
          .hasMessageContaining("binlog_row_value_options")
          .hasMessageContaining("load everything anew");
      assertThat(probe.changes).hasSize(3);
    }
  }

  @Test
  void aTransactionOfTwoPhasesIsAClearFailure() throws Exception {
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      transaction(database, "goods", "XA PREPARE 'a'");
      assertPreparedFails(probe);
      checkpoint = probe.checkpoint();
    }
    try (ReaderProbe probe = new ReaderProbe(connector(), checkpoint)) {
      assertPreparedFails(probe);
    } finally {
      server.execute(database, "XA ROLLBACK 'a'");
    }
  }

  private static void assertPreparedFails(ReaderProbe probe) {
    assertThat(catchThrowable(() -> probe.await(() -> false)))
        .hasMessageContaining("XA PREPARE")
        .hasMessageContaining("load everything anew");
  }

  @Test
  void transactionsOfOnePhaseAndThoseOfOtherTablesAreReadAndLeftBehind() throws Exception {
    ConnectorConfiguration connector =
        connector().withConnectionProperty("table.include.list", database + "\\.goods");
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(probe::isLoaded);
      transaction(database, "goods", "XA COMMIT 'a' ONE PHASE");
      probe.await(() -> probe.changes.size() == 5);
      transaction(database, "unread", "XA PREPARE 'a'");
      server.execute(database, "XA COMMIT 'a'");
      awaitIdle(probe);
      checkpoint = probe.checkpoint();
    }
    server.execute(database, "INSERT INTO goods VALUES (6, 'f'), (7, 'g')");
    try (ReaderProbe probe = new ReaderProbe(connector, checkpoint)) {
      probe.await(() -> probe.changes.size() >= 2);
      assertThat(probe.changes).extracting(BinlogContract::id).containsExactly(6, 7);
    }
  }

  private static void transaction(String database, String table, String end) throws SQLException {
    server.execute(
        database,
        "XA START 'a'",
        "INSERT INTO " + table + " VALUES (3, 'c'), (4, 'd')",
        "INSERT INTO " + table + " VALUES (5, 'e')",
        "XA END 'a'",
        end);
  }
}
