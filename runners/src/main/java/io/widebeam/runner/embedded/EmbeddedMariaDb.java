package io.widebeam.runner.embedded;

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

/**
 * A MariaDB server with a row binlog, on a free port of the loopback interface. Its data live in a
 * temporary directory that {@link #close()} deletes. Times are in UTC, text is {@code utf8mb4}.
 *
 * <pre>{@code
 * try (EmbeddedMariaDb source = EmbeddedMariaDb.start();
 *     Connection connection = source.connect("")) {
 *   ...
 * }
 * }</pre>
 */
public final class EmbeddedMariaDb implements EmbeddedDatabase {
  /** Reads the snapshot and the binlog, and may do nothing else. */
  public static final String CDC_USER = "cdc";

  public static final String CDC_PASSWORD = "cdc";

  /** The application: may do everything. */
  public static final String USER = "app";

  public static final String PASSWORD = "app";

  private static final String USERS_SQL =
      """
      FLUSH PRIVILEGES;
      CREATE USER %s@'%%' IDENTIFIED BY '%s';
      GRANT ALL PRIVILEGES ON *.* TO %s@'%%' WITH GRANT OPTION;
      CREATE USER %s@'%%' IDENTIFIED BY '%s';
      GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO %s@'%%';
      """
          .formatted(USER, PASSWORD, USER, CDC_USER, CDC_PASSWORD, CDC_USER);

  private static final List<String> SETTINGS =
      List.of(
          "--bind-address=127.0.0.1",
          "--skip-name-resolve",
          // A loopback server needs no TLS, and creating its key takes two seconds of the start.
          "--skip-ssl",
          "--log-bin=binlog",
          "--binlog-format=ROW",
          "--binlog-row-image=FULL",
          "--server-id=1",
          "--default-time-zone=+00:00",
          "--character-set-server=utf8mb4",
          "--collation-server=utf8mb4_general_ci",
          "--max-allowed-packet=64M",
          "--innodb-buffer-pool-size=256M",
          "--innodb-log-file-size=128M",
          // The data are gone with the server, so nothing has to survive a power failure.
          "--innodb-flush-log-at-trx-commit=2",
          "--innodb-doublewrite=0",
          "--sync-binlog=0");

  private final List<String> command;
  private final Path directory;
  private final int port;

  /** The last one serves, unless it was killed. */
  private final List<ChildProcess> processes = new ArrayList<>();

  private EmbeddedMariaDb(List<String> command, Path directory, int port) {
    this.command = List.copyOf(command);
    this.directory = directory;
    this.port = port;
  }

  /**
   * Starts a server and waits until it accepts connections.
   *
   * @param settings more server options, such as {@code --binlog-row-image=MINIMAL}; they override
   *     the defaults
   */
  public static EmbeddedMariaDb start(String... settings) {
    MariaDbBinaries binaries = MariaDbBinaries.unpacked(USERS_SQL);
    try {
      Path directory = Files.createTempDirectory("widebeam-mariadb");
      Path data = directory.resolve("data");
      MariaDbBinaries.copy(binaries.emptyData(), data);
      int port = freePort();
      List<String> command = binaries.serverCommand(data);
      command.addAll(SETTINGS);
      command.add("--port=" + port);
      command.add("--socket=" + directory.resolve("socket"));
      command.add("--tmpdir=" + directory);
      command.addAll(List.of(settings));
      EmbeddedMariaDb server = new EmbeddedMariaDb(command, directory, port);
      try {
        server.startAgain();
      } catch (RuntimeException e) {
        server.close();
        throw e;
      }
      Runtime.getRuntime().addShutdownHook(new Thread(server::close, "stop-mariadb"));
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException("could not start the embedded MariaDB server", e);
    }
  }

  /** Starts the server again where it was killed, and waits until it accepts connections. */
  public void startAgain() {
    ChildProcess process = ChildProcess.startTied("MariaDB", command, directory, line -> {});
    processes.add(process);
    process.awaitLine(line -> line.contains("ready for connections"), Duration.ofMinutes(1));
  }

  /** Kills the server as {@code kill -9} does; {@link #startAgain} brings it back with its data. */
  public void kill() {
    processes.get(processes.size() - 1).killOnly();
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @Override
  public String host() {
    return "127.0.0.1";
  }

  @Override
  public int port() {
    return port;
  }

  /** The JDBC address of a database, or of none in particular if the name is empty. */
  @Override
  public String jdbcUrl(String database) {
    // Bulk statements send a whole batch of inserts as one message.
    return "jdbc:mariadb://" + host() + ":" + port + "/" + database + "?useBulkStmts=true";
  }

  /** Connects as the application. */
  @Override
  public Connection connect(String database) throws SQLException {
    return DriverManager.getConnection(jdbcUrl(database), USER, PASSWORD);
  }

  /** The command that opens the server's own client, for people. */
  public List<String> clientCommand(String database) {
    return List.of(
        MariaDbBinaries.unpacked(USERS_SQL).home().resolve("bin/mariadb").toString(),
        "--no-defaults",
        "--skip-ssl",
        "--host=" + host(),
        "--port=" + port,
        "--user=" + USER,
        "--password=" + PASSWORD,
        database);
  }

  /** Ends the server, whose data nobody needs any more, and deletes them. */
  @Override
  public void close() {
    processes.forEach(ChildProcess::close);
    try {
      MariaDbBinaries.delete(directory);
    } catch (java.nio.file.NoSuchFileException e) {
      return; // Closed before.
    } catch (IOException e) {
      throw new UncheckedIOException("could not delete " + directory, e);
    }
  }
}
