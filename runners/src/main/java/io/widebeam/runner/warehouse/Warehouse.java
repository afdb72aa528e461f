package io.widebeam.runner.warehouse;

import io.widebeam.runner.embedded.EmbeddedDatabase;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** The database that the flow fills, empty at first. */
public record Warehouse(String url, String user, String password, EmbeddedDatabase server)
    implements AutoCloseable {
  private static final String DATABASE = "aptest";

  /** The servers that it can be on. */
  public enum Kind {
    POSTGRES,
    MARIADB
  }

  /** Starts a server with an empty warehouse. */
  public static Warehouse start(Kind kind) {
    return switch (kind) {
      case POSTGRES -> onPostgres();
      case MARIADB -> onMariaDb();
    };
  }

  private static Warehouse onPostgres() {
    EmbeddedPostgres server = EmbeddedPostgres.start();
    try {
      server.createDatabase(DATABASE);
      return new Warehouse(
          server.jdbcUrl(DATABASE), EmbeddedPostgres.USER, EmbeddedPostgres.PASSWORD, server);
    } catch (SQLException e) {
      server.close();
      throw new IllegalStateException("could not create the warehouse's database", e);
    }
  }

  private static Warehouse onMariaDb() {
    EmbeddedMariaDb server = EmbeddedMariaDb.start();
    try (Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + DATABASE);
      return new Warehouse(
          server.jdbcUrl(DATABASE), EmbeddedMariaDb.USER, EmbeddedMariaDb.PASSWORD, server);
    } catch (SQLException e) {
      server.close();
      throw new IllegalStateException("could not create the warehouse's database", e);
    }
  }

  public Connection connect() throws SQLException {
    return DriverManager.getConnection(url, user, password);
  }

  @Override
  public void close() {
    server.close();
  }
}
