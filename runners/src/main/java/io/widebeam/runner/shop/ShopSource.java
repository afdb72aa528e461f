package io.widebeam.runner.shop;

import io.widebeam.runner.embedded.EmbeddedDatabase;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.OptionalLong;

/** The server that the shop's database is in. */
public sealed interface ShopSource extends AutoCloseable {

  /** The kinds of servers. */
  enum Kind {
    MARIADB,
    POSTGRESQL;

    /** What a flow file calls it. */
    String type() {
      return switch (this) {
        case MARIADB -> "mariadb";
        case POSTGRESQL -> "postgresql";
      };
    }
  }

  Kind kind();

  EmbeddedDatabase server();

  default String host() {
    return server().host();
  }

  default int port() {
    return server().port();
  }

  /** Connects to the shop's database as the application. */
  default Connection connect() throws SQLException {
    return server().connect(Shop.DATABASE);
  }

  /** Makes the shop's tables, empty. */
  void createTables() throws SQLException;

  /** Crashes the server; its data stay. */
  void kill() throws SQLException, InterruptedException;

  /** Brings it back after {@link #kill}. */
  void startAgain() throws InterruptedException;

  /**
   * How many rows the server has sent to flows, from any table and for any reason, since this was
   * asked first or the server was started again; empty if it does not count them.
   */
  OptionalLong rowsSent() throws SQLException;

  /** Ends the server, whose data nobody needs any more. */
  @Override
  default void close() {
    server().close();
  }

  /** Starts a server without the shop. */
  static ShopSource start(Kind kind) throws SQLException {
    return switch (kind) {
      case MARIADB -> MariaDb.start();
      case POSTGRESQL -> Postgres.start();
    };
  }

  /** A server in a process of its own. */
  record MariaDb(EmbeddedMariaDb server) implements ShopSource {
    private static MariaDb start() {
      return new MariaDb(EmbeddedMariaDb.start());
    }

    @Override
    public Kind kind() {
      return Kind.MARIADB;
    }

    @Override
    public void createTables() throws SQLException {
      try (Connection connection = server.connect("")) {
        Shop.createTables(connection);
      }
    }

    @Override
    public void kill() {
      server.kill();
    }

    @Override
    public void startAgain() {
      server.startAgain();
    }

    @Override
    public OptionalLong rowsSent() throws SQLException {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        statement.execute("SET GLOBAL userstat = 1");
        try (ResultSet rows =
            statement.executeQuery(
                "SELECT COALESCE(SUM(ROWS_SENT), 0) FROM information_schema.USER_STATISTICS"
                    + " WHERE USER = '"
                    + EmbeddedMariaDb.CDC_USER
                    + "'")) {
          rows.next();
          return OptionalLong.of(rows.getLong(1));
        }
      }
    }
  }

  /** A server whose shop belongs to the user that a flow reads it with, as the flow asks for. */
  record Postgres(EmbeddedPostgres server) implements ShopSource {
    private static Postgres start() throws SQLException {
      EmbeddedPostgres server = EmbeddedPostgres.start();
      try (Connection connection = server.connect(EmbeddedPostgres.DATABASE);
          Statement statement = connection.createStatement()) {
        statement.execute(
            "CREATE ROLE "
                + EmbeddedMariaDb.CDC_USER
                + " LOGIN REPLICATION PASSWORD '"
                + EmbeddedMariaDb.CDC_PASSWORD
                + "'");
        statement.execute(
            "CREATE DATABASE \"" + Shop.DATABASE + "\" OWNER " + EmbeddedMariaDb.CDC_USER);
        return new Postgres(server);
      } catch (SQLException e) {
        server.close();
        throw e;
      }
    }

    @Override
    public Kind kind() {
      return Kind.POSTGRESQL;
    }

    @Override
    public void createTables() throws SQLException {
      try (Connection connection = connect();
          Statement statement = connection.createStatement()) {
        Shop.createTables(connection);
        for (String table : Shop.TABLES) {
          statement.execute("ALTER TABLE " + table + " OWNER TO " + EmbeddedMariaDb.CDC_USER);
        }
      }
    }

    @Override
    public void kill() throws SQLException, InterruptedException {
      server.crash();
    }

    @Override
    public void startAgain() throws InterruptedException {
      server.awaitRecovery();
    }

    @Override
    public OptionalLong rowsSent() {
      return OptionalLong.empty();
    }
  }
}
