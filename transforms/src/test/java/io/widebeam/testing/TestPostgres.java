package io.widebeam.testing;

import io.debezium.connector.postgresql.PostgresConnector;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;

/** A real Postgres server with a logical log, one for all tests of a JVM; it stops with it. */
public final class TestPostgres implements TestDatabase {
  private static final AtomicInteger NAMES = new AtomicInteger();
  private static final String USER = "postgres";

  private static TestPostgres shared;

  private final EmbeddedPostgres server;

  private TestPostgres(EmbeddedPostgres server) {
    this.server = server;
  }

  /** The server, started if it does not run yet. */
  public static synchronized TestPostgres shared() {
    if (shared == null) {
      try {
        shared =
            new TestPostgres(
                EmbeddedPostgres.builder()
                    .setServerConfig("wal_level", "logical")
                    .setServerConfig("max_replication_slots", "50")
                    .setServerConfig("max_wal_senders", "50")
                    .start());
      } catch (IOException e) {
        throw new UncheckedIOException("Postgres does not start", e);
      }
    }
    return shared;
  }

  @Override
  public String createDatabase() throws SQLException {
    String name = "shop" + NAMES.incrementAndGet();
    try (Connection connection = connect(USER);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
    return name;
  }

  @Override
  public Connection connect(String database) throws SQLException {
    return server.getDatabase(USER, database).getConnection();
  }

  /** Connects as another user than the server's own. */
  public Connection connect(String database, String user, String password) throws SQLException {
    return DriverManager.getConnection(server.getJdbcUrl(user, database), user, password);
  }

  public int port() {
    return server.getPort();
  }

  /** Every connector has a slot and a publication of its own. */
  @Override
  public ConnectorConfiguration connector(String database) {
    String name = database + "_" + NAMES.incrementAndGet();
    return ConnectorConfiguration.create()
        .withConnectorClass(PostgresConnector.class)
        .withHostName("127.0.0.1")
        .withPort(Integer.toString(server.getPort()))
        .withUsername(USER)
        .withPassword("unused")
        .withConnectionProperty("topic.prefix", database)
        .withConnectionProperty("database.dbname", database)
        .withConnectionProperty("plugin.name", "pgoutput")
        .withConnectionProperty("slot.name", name)
        .withConnectionProperty("slot.drop.on.stop", "true")
        .withConnectionProperty("publication.name", name)
        .withConnectionProperty("publication.autocreate.mode", "all_tables");
  }

  /** How many replication slots and publications a database has. */
  public static int slotsAndPublications(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT (SELECT count(*) FROM pg_replication_slots"
                    + " WHERE database = current_database())"
                    + " + (SELECT count(*) FROM pg_publication)")) {
      rows.next();
      return rows.getInt(1);
    }
  }
}
