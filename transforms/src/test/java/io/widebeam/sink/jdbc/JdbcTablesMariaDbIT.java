package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.testing.TestMariaDb;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The sink on MariaDB. */
class JdbcTablesMariaDbIT extends JdbcTablesServerContract {
  @Override
  JdbcTarget createDatabase() throws Exception {
    TestMariaDb server = TestMariaDb.shared();
    return target(
        "jdbc:mariadb://127.0.0.1:" + server.port() + "/" + server.createDatabase(),
        TestMariaDb.USER,
        TestMariaDb.PASSWORD);
  }

  @Override
  String quoted(String name) {
    return "`" + name + "`";
  }

  @Override
  String waitingSessions() {
    return "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
        + " WHERE trx_state = 'LOCK WAIT'";
  }

  @Override
  String kill(String session) {
    return "KILL CONNECTION " + session;
  }

  @Override
  String timestamp(int digits) {
    return "DATETIME(" + digits + ")";
  }

  @Test
  void anExistingTableThatTakesDifferentKeysForOneIsRefused() throws Exception {
    FlatTable codes =
        FlatTable.of(
            "codes",
            List.of(Column.of("code", ColumnType.text(20)), Column.of("kind", INT)),
            List.of("code", "kind"));
    String refused =
        " has the key column `code` of collation `%s`, by which different keys are one row";
    for (String collation : List.of("utf8mb4_general_ci", "utf8mb4_bin", "latin1_bin")) {
      create("codes", "`code` VARCHAR(20) COLLATE " + collation + ", `kind` INT", "`code`, `kind`");
      assertThat(mismatches(codes)).containsExactly("table `codes`" + refused.formatted(collation));
    }
    create("codes", "`code` CHAR(20) COLLATE utf8mb4_nopad_bin, `kind` INT", "`code`, `kind`");
    assertThat(mismatches(codes))
        .containsExactly(
            "table `codes` has the key column `code` of type char, which drops blanks at the end");
    create("codes", "`code` VARCHAR(20) COLLATE utf8mb4_nopad_bin, `kind` INT", "`code`, `kind`");
    assertThat(mismatches(codes)).isEmpty();

    create("items", ITEMS_COLUMNS + ", `_key` VARCHAR(250) COLLATE utf8mb4_unicode_ci", "`_key`");
    assertThat(mismatches(ITEMS))
        .containsExactly(
            "table `items`" + refused.formatted("utf8mb4_unicode_ci").replace("`code`", "`_key`"));
    create("items", ITEMS_COLUMNS + ", `_key` VARCHAR(250) COLLATE utf8mb4_nopad_bin", "`_key`");
    assertThat(mismatches(ITEMS)).isEmpty();
  }

  private static final String ITEMS_COLUMNS =
      "`id` VARCHAR(20), `city` VARCHAR(40), `items_n` INT, `items_sku` VARCHAR(20)";

  private void create(String table, String columns, String key) throws SQLException {
    execute("DROP TABLE IF EXISTS " + table);
    execute(
        "CREATE TABLE "
            + table
            + " ("
            + columns
            + ", `_version` BIGINT, PRIMARY KEY ("
            + key
            + ")) DEFAULT CHARACTER SET utf8mb4");
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
        "1",
        "-3",
        "9007199254740993",
        "123456789012345678.90",
        "-0.0000000001",
        "0.1",
        "O'Brien \\ 😀",
        "\u0000\ufffd\u007f",
        "2024-02-29",
        "2024-02-29 12:30:15.125000",
        "1969-12-31 23:59:59.999000",
        "23:59:58.123456",
        "100:00:01.000000",
        "11111111-2222-3333-4444-555555555555",
        "{\"a\": [1, 2.50, null, \"x\"], \"at\": \"2024-02-29T00:00:00Z\"}");
  }
}
