package io.widebeam.testing;

import io.debezium.connector.mysql.MySqlConnector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;

/**
 * A real MySQL server with a row log, one for all tests of a JVM; it stops with it. Its files come
 * from the build's profile {@code slow}, which says where by the property {@value #HOME}.
 */
public final class TestMySql implements TestDatabase {
  public static final String USER = "cdc";
  public static final String PASSWORD = "s3cret-cdc";

  private static final String HOME = "widebeam.mysql.home";
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final AtomicInteger DATABASES = new AtomicInteger();

  private static TestMySql shared;

  private final int port;

  private TestMySql(int port) {
    this.port = port;
  }

  /**
   * The server, started if it does not run yet.
   *
   * @throws IllegalStateException if there is none to start: a test must not pass for that
   */
  public static synchronized TestMySql shared() {
    if (shared == null) {
      try {
        shared = start();
      } catch (IOException e) {
        throw new UncheckedIOException("MySQL does not start", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
    return shared;
  }

  private static TestMySql start() throws IOException, InterruptedException {
    String home = System.getProperty(HOME);
    if (home == null) {
      throw new IllegalStateException("there is no MySQL server: run the tests with -Pslow");
    }
    Path program = Path.of(home, "bin", "mysqld");
    if (!program.toFile().setExecutable(true)) {
      throw new IllegalStateException(program + " is not there, or not ours");
    }
    Path directory = Files.createTempDirectory("widebeam-mysql-");
    Path log = directory.resolve("log");
    List<String> command =
        List.of(
            program.toString(),
            "--no-defaults",
            "--user=" + System.getProperty("user.name"),
            "--basedir=" + home,
            "--datadir=" + directory.resolve("data"));
    Process installation = process(command, List.of("--initialize-insecure"), log);
    if (installation.waitFor() != 0) {
      throw new IllegalStateException(
          "MySQL does not start; it needs Debian's package libaio1. " + Files.readString(log));
    }
    Path users = directory.resolve("users.sql");
    Files.writeString(
        users,
        "CREATE USER %s@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO %s@'%%';\n"
            .formatted(USER, PASSWORD, USER));
    int port = freePort();
    Process server =
        process(
            command,
            List.of(
                "--port=" + port,
                "--bind-address=127.0.0.1",
                "--socket=" + directory.resolve("socket"),
                "--pid-file=" + directory.resolve("pid"),
                "--init-file=" + users,
                "--mysqlx=OFF",
                "--server-id=1",
                "--innodb-flush-log-at-trx-commit=2",
                "--sync-binlog=0",
                "--innodb-doublewrite=0",
                "--skip-name-resolve"),
            log);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, directory)));
    TestMySql mysql = new TestMySql(port);
    mysql.awaitStart(server, log);
    return mysql;
  }

  private static Process process(List<String> command, List<String> more, Path log)
      throws IOException {
    List<String> whole = new ArrayList<>(command);
    whole.addAll(more);
    return new ProcessBuilder(whole)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitStart(Process server, Path log) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try (Connection connection = connect("")) {
        connection.isValid(1);
        return;
      } catch (SQLException e) {
        if (!server.isAlive() || System.nanoTime() > deadline) {
          throw new IllegalStateException("MySQL does not start. " + Files.readString(log), e);
        }
        TimeUnit.MILLISECONDS.sleep(100);
      }
    }
  }

  private static void stop(Process server, Path directory) {
    server.destroyForcibly();
    try (var files = Files.walk(directory)) {
      server.waitFor();
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      // A left-over directory of temporary files is no failure of a test.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  public int port() {
    return port;
  }

  private String url(String database) {
    return "jdbc:mysql://127.0.0.1:"
        + port
        + "/"
        + database
        + "?allowPublicKeyRetrieval=true&sslMode=DISABLED";
  }

  @Override
  public String createDatabase() throws SQLException {
    String name = "shop" + DATABASES.incrementAndGet();
    execute("", "CREATE DATABASE " + name);
    return name;
  }

  @Override
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(url(database), USER, PASSWORD);
  }

  @Override
  public ConnectorConfiguration connector(String database) {
    return ConnectorConfiguration.create()
        .withConnectorClass(MySqlConnector.class)
        .withHostName("127.0.0.1")
        .withPort(Integer.toString(port))
        .withUsername(USER)
        .withPassword(PASSWORD)
        .withConnectionProperty("topic.prefix", database)
        .withConnectionProperty("database.include.list", database);
  }
}
