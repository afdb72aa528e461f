package io.widebeam.cdc;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of our own to the database that a connector reads, made from the connector's
 * settings: for what the connector does not tell. Closing it never waits for a result.
 */
final class SourceDatabase implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SourceDatabase.class);

  /** Names the messages that this package writes to Postgres' log. */
  static final String MARKER_PREFIX = "widebeam";

  /** The databases that are spoken to. */
  enum Kind {
    MYSQL("io.debezium.connector.mysql.MySqlConnector", "com.mysql.cj.jdbc.Driver"),
    MARIADB("io.debezium.connector.mariadb.MariaDbConnector", "org.mariadb.jdbc.Driver"),
    POSTGRES("io.debezium.connector.postgresql.PostgresConnector", "org.postgresql.Driver");

    private final String connector;
    private final String driver;

    Kind(String connector, String driver) {
      this.connector = connector;
      this.driver = driver;
    }

    boolean hasBinlog() {
      return this != POSTGRES;
    }

    /** The kind that the connector reads, or null if it is another. */
    @Nullable
    static Kind of(Map<String, String> properties) {
      for (Kind kind : values()) {
        if (kind.connector.equals(properties.get(ConnectorProperties.CONNECTOR_CLASS))) {
          return kind;
        }
      }
      return null;
    }
  }

  /** Why no connection can be made of the connector's settings. */
  static final class UnsuitableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnsuitableException(String reason) {
      super(reason);
    }
  }

  private static final String CONNECT_MILLIS = "30000";

  private final Kind kind;
  private final Connection connection;

  private SourceDatabase(Kind kind, Connection connection) {
    this.kind = kind;
    this.connection = connection;
  }

  static SourceDatabase connect(Map<String, String> properties, ClassLoader classes)
      throws SQLException, UnsuitableException {
    Kind kind = Kind.of(properties);
    if (kind == null) {
      throw new UnsuitableException("only MySQL, MariaDB and Postgres are known");
    }
    Driver driver = driver(kind, classes);
    String url = url(kind, properties);
    Connection connection = driver.connect(url, driverProperties(properties, kind));
    if (connection == null) {
      throw new UnsuitableException("the driver does not take the address " + url);
    }
    return new SourceDatabase(kind, connection);
  }

  private static Driver driver(Kind kind, ClassLoader classes) throws UnsuitableException {
    try {
      return Class.forName(kind.driver, true, classes)
          .asSubclass(Driver.class)
          .getDeclaredConstructor()
          .newInstance();
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new UnsuitableException("the driver " + kind.driver + " is not there");
    }
  }

  private static String url(Kind kind, Map<String, String> properties) {
    String host = properties.get("database.hostname");
    String address = host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
    return switch (kind) {
      case MYSQL ->
          "jdbc:mysql://" + address + ":" + properties.getOrDefault("database.port", "3306") + "/";
      case MARIADB ->
          "jdbc:mariadb://"
              + address
              + ":"
              + properties.getOrDefault("database.port", "3306")
              + "/";
      case POSTGRES ->
          "jdbc:postgresql://"
              + address
              + ":"
              + properties.getOrDefault("database.port", "5432")
              + "/"
              + properties.getOrDefault("database.dbname", "");
    };
  }

  private static Properties driverProperties(Map<String, String> properties, Kind kind)
      throws UnsuitableException {
    Properties driver = new Properties();
    driver.put("user", properties.getOrDefault("database.user", ""));
    driver.put("password", properties.getOrDefault("database.password", ""));
    driver.put("tcpKeepAlive", "true");
    switch (kind) {
      case MARIADB -> {
        driver.put("connectTimeout", CONNECT_MILLIS);
        driver.putAll(DriverTls.mariaDb(properties));
        driver.put(
            "sslMode",
            encryption(
                properties,
                "database.ssl.mode",
                "disable",
                Set.of("disable", "trust", "verify-ca", "verify-full")));
      }
      case MYSQL -> {
        driver.put("connectTimeout", CONNECT_MILLIS);
        driver.putAll(DriverTls.mysql(properties));
        driver.put(
            "sslMode",
            encryption(
                    properties,
                    "database.ssl.mode",
                    "preferred",
                    Set.of("disabled", "preferred", "required", "verify_ca", "verify_identity"))
                .toUpperCase(Locale.ROOT));
        driver.put("allowPublicKeyRetrieval", "true");
        driver.put("characterEncoding", "UTF-8");
        driver.put("netTimeoutForStreamingResults", "86400");
      }
      case POSTGRES -> {
        driver.put("connectTimeout", "30");
        driver.putAll(DriverTls.postgres(properties));
        driver.put(
            "sslmode",
            encryption(
                properties,
                "database.sslmode",
                "prefer",
                Set.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")));
      }
    }
    return driver;
  }

  private static String encryption(
      Map<String, String> properties, String setting, String initial, Set<String> known)
      throws UnsuitableException {
    String mode = properties.getOrDefault(setting, initial).toLowerCase(Locale.ROOT);
    if (!known.contains(mode)) {
      throw new UnsuitableException(setting + " is " + mode);
    }
    return mode;
  }

  Kind kind() {
    return kind;
  }

  Connection connection() {
    return connection;
  }

  /**
   * Where the log of a MySQL or MariaDB server ends at the moment; everything that this connection
   * has read so far is before it.
   */
  LogPosition endOfBinlog() throws SQLException {
    SQLException refused = null;
    for (String sql : new String[] {"SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"}) {
      try (Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery(sql)) {
        if (row.next()) {
          return new LogPosition(row.getString(1), row.getLong(2));
        }
      } catch (SQLException e) {
        // Newer servers of MySQL know the second one only.
        refused = e;
      }
    }
    throw refused != null ? refused : new SQLException("the server keeps no binary log");
  }

  /**
   * Writes a message to a Postgres server's log, where the connector will meet it after everything
   * that this connection could have read so far. It touches no table, and any user may do it.
   *
   * @return the position right after it
   */
  long writeMarker(String content) throws SQLException {
    // In a transaction, and so at once on disk, which is where the connector reads.
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT pg_logical_emit_message(true, ?, ?) - '0/0'::pg_lsn")) {
      statement.setString(1, MARKER_PREFIX);
      statement.setString(2, content);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  /**
   * Looks whether a Postgres server still has the log after a position.
   *
   * @param slot the replication slot that keeps it
   * @param lsn the position
   * @return what is wrong, or null
   */
  @Nullable
  String lostSlot(String slot, long lsn) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT wal_status, confirmed_flush_lsn > read.upto, confirmed_flush_lsn, read.upto"
                + " FROM pg_replication_slots, (SELECT '0/0'::pg_lsn + ?::numeric AS upto) AS read"
                + " WHERE slot_name = ?")) {
      statement.setLong(1, lsn);
      statement.setString(2, slot);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return "its replication slot " + slot + " is not there any more";
        }
        if ("lost".equals(row.getString(1))) {
          return "the server has given up its replication slot " + slot + ", which kept too much";
        }
        return row.getBoolean(2)
            ? "its replication slot "
                + slot
                + " has moved on to "
                + row.getString(3)
                + " from "
                + row.getString(4)
                + ", or was made anew"
            : null;
      }
    }
  }

  /** Whether a Postgres table's log has whole rows before changes, from now on. */
  boolean hasFullIdentity(String schema, String table) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT c.relreplident = 'f' FROM pg_class c JOIN pg_namespace n"
                + " ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ?")) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /**
   * The tables of a Postgres database as its catalog has them.
   *
   * @param schema of one table, or null for all
   * @param table its name, or null for all
   */
  List<TableSchema> tablesOfCatalog(@Nullable String schema, @Nullable String table)
      throws SQLException {
    List<TableSchema> tables = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT n.nspname, c.relname, string_agg(concat_ws(E'\\t', a.attnum, a.attname,"
                + " format_type(a.atttypid, a.atttypmod), (SELECT string_agg(e.enumlabel, E'\\t'"
                + " ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid IN (t.oid,"
                + " t.typelem, t.typbasetype))), E'\\n' ORDER BY a.attnum)"
                + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid"
                + " WHERE c.relkind IN ('r', 'p') AND n.nspname = coalesce(?::text, n.nspname::text)"
                + " AND c.relname = coalesce(?::text, c.relname::text)"
                + " AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
                + " AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1, 2")) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          tables.add(TableSchema.ofCatalog(row.getString(1), row.getString(2), row.getString(3)));
        }
      }
    }
    return tables;
  }

  /** Ends what another thread is waiting for. */
  void abort() {
    try {
      connection.abort(Runnable::run);
    } catch (SQLException e) {
      LOG.debug("Aborting a connection", e);
    }
  }

  @Override
  public void close() {
    abort();
  }
}
