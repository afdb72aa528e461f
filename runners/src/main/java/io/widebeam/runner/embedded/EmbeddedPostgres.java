package io.widebeam.runner.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A PostgreSQL server with a logical log, on a free port of the loopback interface. Its data live
 * in a temporary directory that {@link #close()} deletes. Times are in UTC.
 */
public final class EmbeddedPostgres implements EmbeddedDatabase {
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
              // But what is committed is in the log when crash() is called.
              .setServerConfig("synchronous_commit", "on")
              .setPGStartupWait(PATIENCE)
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException("could not start the embedded PostgreSQL server", e);
    }
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public int port() {
    return server.getPort();
  }

  /** The JDBC address of a database. */
  @Override
  public String jdbcUrl(String database) {
    return "jdbc:postgresql://" + host() + ":" + port() + "/" + database;
  }

  /** Connects as the owner of everything. */
  @Override
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(jdbcUrl(database), USER, PASSWORD);
  }

  public void createDatabase(String name) throws SQLException {
    try (Connection connection = connect(DATABASE);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
  }

  /**
   * Kills one of the server's processes as {@code kill -9} does: the server then takes all others
   * down, too, and recovers from its log by itself. Returns when they are gone.
   */
  public void crash() throws SQLException, InterruptedException {
    try (Connection witness = connect(DATABASE);
        Connection connection = connect(DATABASE);
        Statement statement = connection.createStatement();
        ResultSet process = statement.executeQuery("SELECT pg_backend_pid()")) {
      process.next();
      ProcessHandle.of(process.getLong(1))
          .orElseThrow(() -> new IllegalStateException("the server's processes are not seen here"))
          .destroyForcibly();
      while (witness.isValid(1)) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    }
  }

  /** Waits until the server accepts connections again. */
  public void awaitRecovery() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try (Connection connection = connect(DATABASE)) {
        if (connection.isValid(0)) {
          return;
        }
      } catch (SQLException e) {
        if (System.nanoTime() - deadline > 0) {
          throw new IllegalStateException("the PostgreSQL server does not come back", e);
        }
      }
      TimeUnit.MILLISECONDS.sleep(50);
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
