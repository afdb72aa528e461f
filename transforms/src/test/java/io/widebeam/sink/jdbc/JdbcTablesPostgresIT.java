package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.testing.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The sink on Postgres. */
class JdbcTablesPostgresIT extends JdbcTablesServerContract {
  @Override
  JdbcTarget createDatabase() throws Exception {
    TestPostgres server = TestPostgres.shared();
    try (Connection connection = server.connect(server.createDatabase())) {
      return target(connection.getMetaData().getURL(), "postgres", "unused-s3cret");
    }
  }

  @Override
  String quoted(String name) {
    return "\"" + name + "\"";
  }

  @Override
  String waitingSessions() {
    return "SELECT pid FROM pg_stat_activity"
        + " WHERE datname = current_database() AND wait_event_type = 'Lock'";
  }

  @Override
  String kill(String session) {
    return "SELECT pg_terminate_backend(" + session + ")";
  }

  @Test
  void anExistingTableThatTakesDifferentKeysForOneIsRefused() throws Exception {
    FlatTable codes =
        FlatTable.of(
            "codes",
            List.of(Column.of("code", ColumnType.text(20)), Column.of("kind", INT)),
            List.of("code", "kind"));
    execute(
        "CREATE COLLATION nocase"
            + " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
    create("code varchar(20) COLLATE nocase");
    assertThat(mismatches(codes))
        .containsExactly(
            "table `codes` has the key column `code` of collation `nocase`,"
                + " by which different keys are one row");
    create("code char(20)");
    assertThat(mismatches(codes))
        .containsExactly(
            "table `codes` has the key column `code` of type char, which drops blanks at the end");
    create("code varchar(20)");
    assertThat(mismatches(codes)).isEmpty();
  }

  private void create(String column) throws SQLException {
    execute("DROP TABLE IF EXISTS codes");
    execute(
        "CREATE TABLE codes (" + column + ", kind int, _version bigint, PRIMARY KEY (code, kind))");
  }

  private List<String> mismatches(FlatTable table) throws SQLException {
    try (Connection connection = connect()) {
      List<Mismatch> mismatches = JdbcTables.check(connection, table, false);
      // What it says is to be done helps.
      for (Mismatch mismatch : mismatches) {
        execute(mismatch.remedy());
      }
      assertThat(JdbcTables.check(connection, table, false)).isEmpty();
      return mismatches.stream().map(Mismatch::what).toList();
    }
  }

  @Override
  List<String> shownTypes() {
    return List.of(
        "1",
        "t",
        "-3",
        "9007199254740993",
        "123456789012345678.90",
        "-0.0000000001",
        "0.1",
        "O'Brien \\ 😀",
        "\\x00ff7f",
        "2024-02-29",
        "2024-02-29 12:30:15.125",
        "1969-12-31 23:59:59.999+00",
        "23:59:58.123456",
        "100:00:01",
        "11111111-2222-3333-4444-555555555555",
        "{\"a\": [1, 2.50, null, \"x\"], \"at\": \"2024-02-29T00:00:00Z\"}");
  }
}
