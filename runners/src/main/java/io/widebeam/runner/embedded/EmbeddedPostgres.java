package io.widebeam.runner.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * A PostgreSQL server with a logical log, on a free port of the loopback interface. Its data live
 * in a temporary directory that {@link #close()} deletes. Times are in UTC.
 */
public final class EmbeddedPostgres implements AutoCloseable {
  /** The owner of everything. */
  public static final String USER = "postgres";

  public static final String PASSWORD = "postgres";

  /** The database that is there from the beginning. */
  public static final String DATABASE = "postgres";

  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final io.zonky.test.db.postgres.embedded.EmbeddedPostgres server;

  private EmbeddedPostgres(io.zonky.test.db.postgres.embedded.EmbeddedPostgres server) {
    this.server = server;
  }

  /** Starts a server and waits until it accepts connections. */
  public static EmbeddedPostgres start() {
    try {
      return new EmbeddedPostgres(
          io.zonky.test.db.postgres.embedded.EmbeddedPostgres.builder()
              .setServerConfig("wal_level", "logical")
              .setServerConfig("timezone", "UTC")
              // The data are gone with the server, so nothing has to survive a power failure.
              .setServerConfig("fsync", "off")
              .setPGStartupWait(PATIENCE)
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException("could not start the embedded PostgreSQL server", e);
    }
  }

  public String host() {
    return "127.0.0.1";
  }

  public int port() {
    return server.getPort();
  }

  /** The JDBC address of a database. */
  public String jdbcUrl(String database) {
    return "jdbc:postgresql://" + host() + ":" + port() + "/" + database;
  }

  /** Connects as the owner of everything. */
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(jdbcUrl(database), USER, PASSWORD);
  }

  public void createDatabase(String name) throws SQLException {
    try (Connection connection = connect(DATABASE);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
  }

  /** Stops the server, whose data nobody needs any more, and deletes them. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException("could not stop the embedded PostgreSQL server", e);
    }
  }
}
