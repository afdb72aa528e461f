package io.widebeam.flow;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.sql.Driver;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** A short visit to a database, with the few ways of asking that the catalogs need. */
final class JdbcSession implements AutoCloseable {
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
  static final Duration READ_TIMEOUT = Duration.ofSeconds(10);

  /** Tables that the database takes to be longer than this are not counted. */
  private static final long LONGEST_COUNTED_ROWS = 5_000_000;

  private static final Duration COUNT_TIMEOUT = Duration.ofSeconds(4);

  private final java.sql.Connection connection;

  private JdbcSession(java.sql.Connection connection) {
    this.connection = connection;
  }

  static JdbcSession open(Driver driver, String url, Properties properties) throws SQLException {
    java.sql.Connection connection = driver.connect(url, properties);
    if (connection == null) {
      throw new SQLException("the driver does not understand the URL");
    }
    return new JdbcSession(connection);
  }

  /** Reads one row of an answer. */
  interface RowReader<T> {
    T read(ResultSet row) throws SQLException;
  }

  <T> List<T> query(String sql, RowReader<T> reader, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      List<T> rows = new ArrayList<>();
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          rows.add(reader.read(result));
        }
      }
      return rows;
    }
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  List<String> texts(String sql, Object... parameters) throws SQLException {
    return query(sql, row -> row.getString(1), parameters);
  }

  java.sql.DatabaseMetaData metaData() throws SQLException {
    return connection.getMetaData();
  }

  String catalog() throws SQLException {
    return connection.getCatalog();
  }

  /**
   * How many rows a table has: counted, if that is quick.
   *
   * @param quotedTable the table, as SQL names it
   * @param estimate what the database takes it to have, below zero if it does not know
   */
  long rows(String quotedTable, long estimate) {
    if (estimate > LONGEST_COUNTED_ROWS) {
      return estimate;
    }
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(Math.toIntExact(COUNT_TIMEOUT.toSeconds()));
      try (ResultSet result = statement.executeQuery("SELECT count(*) FROM " + quotedTable)) {
        result.next();
        return result.getLong(1);
      }
    } catch (SQLException e) {
      // Too slow to count, which the estimate makes up for.
      return Math.max(0, estimate);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  /** Why a database could not be connected to, in words. */
  static Finding failure(Connection.Database database, SQLException e) {
    String name = database.name();
    String address = database.host() + ":" + database.port();
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnknownHostException) {
        return new Finding(
            "host",
            "connection " + name + ": no host is known as `" + database.host() + "`",
            "check the spelling, and that this machine can resolve the name");
      }
      if (cause instanceof ConnectException) {
        return new Finding(
            "port",
            "connection " + name + ": nothing answers at " + address,
            "check host and port, and that the server is running");
      }
      if (cause instanceof SocketTimeoutException || cause instanceof NoRouteToHostException) {
        return new Finding(
            "host",
            "connection " + name + ": " + address + " cannot be reached",
            "check host and port, and the firewalls on the way");
      }
    }
    if (e.getSQLState() != null && e.getSQLState().startsWith("28")) {
      return new Finding(
          "user",
          "connection "
              + name
              + ": "
              + address
              + " refuses user `"
              + database.user()
              + "` with this password",
          "check user and password, and from which hosts the server lets the user in");
    }
    return new Finding(
        "",
        "connection " + name + ": " + message(e, database.password()),
        "check that it is a " + database.engine().type() + " server and lets you in");
  }

  /** A driver's message in one line, without the password should it be in there. */
  static String message(SQLException e, Secret password) {
    String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("").strip();
    return password.reveal().isEmpty() ? message : message.replace(password.reveal(), "***");
  }

  static Finding isView(String name) {
    return new Finding(
        "",
        "`" + name + "` is a view of the database, and the log has no changes of views",
        "read the tables behind it, and join them with lookups");
  }
}
