package io.widebeam.runner.history;

import io.widebeam.flow.Connection;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.testing.TestMySql;
import io.widebeam.testing.TestPostgres;
import java.sql.SQLException;
import java.sql.Statement;

/** A database of one of the kinds that a flow may read, empty at first. */
sealed interface HistorySource extends AutoCloseable {
  String DATABASE = "history";

  /** Connects as the application. */
  java.sql.Connection connect() throws SQLException;

  /** The connection of a flow, as the user that the documentation asks for. */
  Connection connection(String name);

  /** What a table must be told before its changes can be followed; empty if nothing. */
  default String afterCreateTable(String table) {
    return "";
  }

  @Override
  void close();

  static HistorySource start(String kind) throws SQLException {
    return switch (kind) {
      case "MariaDB" -> MariaDb.start();
      case "Postgres" -> Postgres.start();
      case "MySQL" -> MySql.start();
      default -> throw new IllegalArgumentException(kind);
    };
  }

  record MariaDb(EmbeddedMariaDb server) implements HistorySource {
    static MariaDb start() throws SQLException {
      EmbeddedMariaDb server = EmbeddedMariaDb.start();
      execute(server.connect(""), "CREATE DATABASE " + DATABASE);
      return new MariaDb(server);
    }

    @Override
    public java.sql.Connection connect() throws SQLException {
      return server.connect(DATABASE);
    }

    @Override
    public Connection connection(String name) {
      return Connection.mariadb(
          name,
          server.host(),
          server.port(),
          DATABASE,
          EmbeddedMariaDb.CDC_USER,
          EmbeddedMariaDb.CDC_PASSWORD);
    }

    @Override
    public void close() {
      server.close();
    }
  }

  record MySql(TestMySql server, String database) implements HistorySource {
    static MySql start() throws SQLException {
      TestMySql server = TestMySql.shared();
      return new MySql(server, server.createDatabase());
    }

    @Override
    public java.sql.Connection connect() throws SQLException {
      return server.connect(database);
    }

    @Override
    public Connection connection(String name) {
      return Connection.mysql(
          name, "127.0.0.1", server.port(), database, TestMySql.USER, TestMySql.PASSWORD);
    }

    @Override
    public void close() {
      // Shared.
    }
  }

  /** A user of its own, who may do no more than he must. */
  record Postgres(TestPostgres server, String database) implements HistorySource {
    private static final String PASSWORD = "s3cret-cdc";

    static Postgres start() throws SQLException {
      TestPostgres server = TestPostgres.shared();
      String database = server.createDatabase();
      execute(
          server.connect(database),
          "CREATE ROLE " + database + " LOGIN REPLICATION PASSWORD '" + PASSWORD + "'",
          "ALTER DATABASE " + database + " OWNER TO " + database,
          "GRANT ALL ON SCHEMA public TO " + database);
      return new Postgres(server, database);
    }

    @Override
    public java.sql.Connection connect() throws SQLException {
      return server.connect(database, database, PASSWORD);
    }

    @Override
    public Connection connection(String name) {
      return Connection.postgresql(
          name, "127.0.0.1", server.port(), database, database, PASSWORD);
    }

    @Override
    public String afterCreateTable(String table) {
      return "ALTER TABLE " + table + " REPLICA IDENTITY FULL";
    }

    @Override
    public void close() {
      // Shared.
    }
  }

  private static void execute(java.sql.Connection connection, String... statements)
      throws SQLException {
    try (connection;
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
