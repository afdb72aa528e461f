package io.widebeam.sink.jdbc;

import io.widebeam.testing.TestPostgres;
import java.sql.Connection;
import java.util.List;

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
