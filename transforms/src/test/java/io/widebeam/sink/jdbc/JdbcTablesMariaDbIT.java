package io.widebeam.sink.jdbc;

import io.widebeam.testing.TestMariaDb;
import java.util.List;

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
