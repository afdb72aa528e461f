package io.widebeam.cdc;

import io.debezium.relational.Selectors;
import io.widebeam.cdc.JdbcRowEncoder.Column;
import io.widebeam.cdc.LoadProgress.KeyRange;
import io.widebeam.cdc.LoadProgress.RowKey;
import io.widebeam.cdc.SourceDatabase.Kind;
import io.widebeam.cdc.SourceDatabase.UnsuitableException;
import io.widebeam.change.BsonBuffer;
import io.widebeam.change.TableId;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the tables of a MySQL or MariaDB server by ranges of their primary keys, many times faster
 * than the connector's own snapshot does: plain {@code SELECT}s, from the server's texts straight
 * to BSON. See {@link TableLoad} for what makes a load of it.
 *
 * <p>It knows the usual settings, column types and tables. For everything else there is the
 * connector's snapshot; {@link #open} says why. Not thread-safe but for {@link #abort}.
 */
final class TableLoader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TableLoader.class);

  /** Takes a table's rows. */
  @FunctionalInterface
  interface RowConsumer {
    void accept(RawBsonDocument row) throws Exception;
  }

  /**
   * A table as it will be read.
   *
   * @param from the table's name in a statement
   * @param key the primary key's columns, or none if the table can only be read as a whole
   * @param rows how many it has, as the server guesses
   */
  record Table(TableId id, String from, JdbcRowEncoder encoder, List<KeyColumn> key, long rows) {}

  /** A column of a primary key. */
  record KeyColumn(String name, KeyKind kind) {

    /** What the server writes of it, so that {@link #literal} can give it back. */
    String expression() {
      return switch (kind) {
        case NUMBER -> "CAST(" + quote(name) + " AS CHAR)";
        case TEXT -> quote(name);
        case TIME -> "CAST(" + quote(name) + " AS CHAR)";
        case BINARY -> "HEX(" + quote(name) + ")";
      };
    }

    String literal(String value) {
      return switch (kind) {
        case NUMBER, BINARY -> {
          if (!value.matches("[-+.0-9A-Fa-f]*")) {
            throw new IllegalArgumentException("not a key of column " + name + ": " + value);
          }
          yield kind == KeyKind.NUMBER ? value : "x'" + value + "'";
        }
        case TEXT, TIME -> "?";
      };
    }

    boolean isParameter() {
      return kind == KeyKind.TEXT || kind == KeyKind.TIME;
    }
  }

  /** In which way the server compares a key's column with a literal. */
  enum KeyKind {
    NUMBER,
    TEXT,
    TIME,
    BINARY
  }

  /** Settings that have no part in what a row looks like. */
  private static final Set<String> HARMLESS =
      Set.of(
          ConnectorProperties.CONNECTOR_CLASS,
          ConnectorProperties.TOPIC_PREFIX,
          ConnectorProperties.MAX_RETRIES,
          CheckpointedSchemaHistory.READER_PROPERTY,
          "name",
          "database.hostname",
          "database.port",
          "database.user",
          "database.password",
          "database.server.id",
          "database.include.list",
          "table.include.list",
          "database.ssl.mode",
          "poll.interval.ms",
          "max.batch.size",
          "max.queue.size",
          "executor.shutdown.timeout.ms",
          "tombstones.on.delete",
          "skipped.operations",
          "include.schema.changes",
          "heartbeat.interval.ms",
          "connect.timeout.ms",
          "connect.keep.alive",
          ConnectorProperties.SIGN_OF_LIFE,
          "notification.enabled.channels",
          "notification.sink.topic.name",
          "schema.history.internal",
          "schema.history.internal.store.only.captured.tables.ddl");

  /** Settings that this class follows in one of their values only. */
  private static final Map<String, String> EXPECTED =
      Map.ofEntries(
          Map.entry("snapshot.mode", "initial"),
          Map.entry("snapshot.locking.mode", "minimal"),
          Map.entry("decimal.handling.mode", "precise"),
          Map.entry("bigint.unsigned.handling.mode", "precise"),
          Map.entry("time.precision.mode", "adaptive_time_microseconds"),
          Map.entry("binary.handling.mode", "bytes"),
          Map.entry("column.propagate.source.type", ".*"),
          Map.entry("converters", "widebeam"),
          Map.entry("widebeam.type", MySqlValues.class.getName()),
          Map.entry("driver.yearIsDateType", "false"),
          Map.entry("enable.time.adjuster", "false"),
          Map.entry("event.converting.failure.handling.mode", "fail"),
          Map.entry("provide.transaction.metadata", "true"));

  private final Map<String, String> properties;
  private final SourceDatabase database;
  private final boolean mariaDb;
  private final Connection connection;
  private final BsonBuffer buffer = new BsonBuffer();

  private TableLoader(Map<String, String> properties, SourceDatabase database) {
    this.properties = properties;
    this.database = database;
    this.mariaDb = database.kind() == Kind.MARIADB;
    this.connection = database.connection();
  }

  /**
   * A loader for the tables that the connector would capture, or null if it cannot give each of
   * their rows as the connector would.
   */
  @Nullable
  static TableLoader open(Map<String, String> properties, ClassLoader classes) {
    TableLoader loader = null;
    try {
      loader = connect(properties, classes);
      loader.tables();
      return loader;
    } catch (UnsuitableException e) {
      LOG.info(
          "The connector's own snapshot loads {}: {}",
          ConnectorProperties.describe(properties),
          e.getMessage());
    } catch (SQLException e) {
      // The connector will say it again, or find its way.
      LOG.info(
          "The connector's own snapshot loads {}: {}",
          ConnectorProperties.describe(properties),
          ConnectorFailure.describe(e, properties));
    }
    if (loader != null) {
      loader.close();
    }
    return null;
  }

  /** The tables to load, or null if the connector has to. */
  @Nullable
  static List<Table> findTables(Map<String, String> properties, ClassLoader classes) {
    try (TableLoader loader = open(properties, classes)) {
      return loader == null ? null : loader.tables();
    } catch (SQLException | UnsuitableException e) {
      // Altered between two looks at it.
      LOG.info(
          "The connector's own snapshot loads {}: {}",
          ConnectorProperties.describe(properties),
          ConnectorFailure.describe(e, properties));
      return null;
    }
  }

  /** Connects for a load that is already decided on. */
  static TableLoader connect(Map<String, String> properties, ClassLoader classes)
      throws SQLException, UnsuitableException {
    Kind kind = Kind.of(properties);
    if (kind == null || !kind.hasBinlog()) {
      throw new UnsuitableException("only MySQL and MariaDB are read faster");
    }
    for (Map.Entry<String, String> setting :
        ConnectorProperties.ofConnector(properties).entrySet()) {
      String obstacle = check(setting.getKey(), setting.getValue());
      if (obstacle != null) {
        throw new UnsuitableException(obstacle);
      }
    }
    SourceDatabase database = SourceDatabase.connect(properties, classes);
    TableLoader loader = new TableLoader(properties, database);
    try {
      loader.prepareSession();
    } catch (SQLException e) {
      loader.close();
      throw e;
    }
    return loader;
  }

  @Nullable
  private static String check(String setting, String value) {
    if (HARMLESS.contains(setting)) {
      return null;
    }
    String expected = EXPECTED.get(setting);
    if (expected == null) {
      return "the setting " + setting + " is the connector's";
    }
    return expected.equalsIgnoreCase(value) ? null : setting + " is " + value;
  }

  private void prepareSession() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // Nobody must lose patience when the pipeline holds up the reading.
      statement.execute(
          "SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 86400, "
              + (mariaDb ? "max_statement_time" : "max_execution_time")
              + " = 0");
    }
  }

  /** Whether the connector captures a table. */
  static boolean isCaptured(Map<String, String> properties, String database, String table) {
    return Selectors.tableSelector()
        .includeDatabases(properties.get("database.include.list"))
        .includeTables(properties.get("table.include.list"))
        .build()
        .test(new io.debezium.relational.TableId(database, null, table));
  }

  /**
   * The tables that the connector captures, as they are now.
   *
   * @throws UnsuitableException if one of them must be read by the connector
   */
  List<Table> tables() throws SQLException, UnsuitableException {
    List<TableId> ids = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT table_schema, table_name, table_type FROM information_schema.tables"
                    + " WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema"
                    + " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
                    + " ORDER BY 1, 2")) {
      while (row.next()) {
        String database = row.getString(1);
        String name = row.getString(2);
        if (!isCaptured(properties, database, name)) {
          continue;
        }
        if (!row.getString(3).equals("BASE TABLE")) {
          throw new UnsuitableException("table " + database + "." + name + " is versioned");
        }
        ids.add(new TableId(properties.get(ConnectorProperties.TOPIC_PREFIX), database, name));
      }
    }
    List<Table> tables = new ArrayList<>(ids.size());
    for (TableId id : ids) {
      tables.add(table(id.namespace(), id.name()));
    }
    return tables;
  }

  /**
   * A table as it is now.
   *
   * @throws UnsuitableException if it must be read by the connector, or is not there
   */
  Table table(String database, String tableName) throws SQLException, UnsuitableException {
    TableId id = new TableId(properties.get(ConnectorProperties.TOPIC_PREFIX), database, tableName);
    String name = database + "." + tableName;
    List<Column> columns = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT column_name, column_type, data_type, is_nullable, column_default,"
                + " character_set_name, extra FROM information_schema.columns"
                + " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position")) {
      statement.setString(1, id.namespace());
      statement.setString(2, id.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          Column column =
              new Column(
                  row.getString(1),
                  row.getString(2).toLowerCase(Locale.ROOT),
                  row.getString(3).toLowerCase(Locale.ROOT),
                  row.getString(4).equals("YES"),
                  row.getString(5),
                  row.getString(6),
                  row.getString(7) == null ? "" : row.getString(7));
          String obstacle = JdbcRowEncoder.obstacle(column);
          if (obstacle != null) {
            throw new UnsuitableException("column " + name + "." + column.name() + " " + obstacle);
          }
          columns.add(column);
        }
      }
    }
    if (columns.isEmpty()) {
      throw new UnsuitableException("table " + name + " is not there");
    }
    JdbcRowEncoder encoder = new JdbcRowEncoder(name, columns);
    String from = quote(id.namespace()) + "." + quote(id.name());
    return new Table(id, from, encoder, key(id, columns), estimatedRows(id));
  }

  private long estimatedRows(TableId id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT table_rows FROM information_schema.tables WHERE table_schema = ? AND"
                + " table_name = ?")) {
      statement.setString(1, id.namespace());
      statement.setString(2, id.name());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    }
  }

  /** The primary key's columns; none if the order of one is not that of its literals. */
  private List<KeyColumn> key(TableId id, List<Column> columns)
      throws SQLException, UnsuitableException {
    List<KeyColumn> key = new ArrayList<>();
    boolean comparable = true;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT column_name, sub_part FROM information_schema.statistics WHERE table_schema = ?"
                + " AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index")) {
      statement.setString(1, id.namespace());
      statement.setString(2, id.name());
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String name = row.getString(1);
          String type =
              columns.stream()
                  .filter(column -> column.name().equalsIgnoreCase(name))
                  .map(Column::dataType)
                  .findFirst()
                  .orElse("");
          KeyKind kind = keyKind(type);
          comparable &= kind != null && row.getString(2) == null;
          key.add(new KeyColumn(name, kind));
        }
      }
    }
    if (key.isEmpty()) {
      // Nothing would tell a row that was read from the same row in the log.
      throw new UnsuitableException(
          "table " + id.namespace() + "." + id.name() + " has no primary key");
    }
    return comparable ? key : List.of();
  }

  @Nullable
  private static KeyKind keyKind(String dataType) {
    return switch (dataType) {
      case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year" -> KeyKind.NUMBER;
      case "char", "varchar", "tinytext", "text", "mediumtext", "longtext" -> KeyKind.TEXT;
      case "date", "datetime", "timestamp", "time", "uuid" -> KeyKind.TIME;
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" -> KeyKind.BINARY;
      // An ENUM is ordered by its numbers and compared by its names; a FLOAT is never quite equal.
      default -> null;
    };
  }

  private static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  /**
   * The key of the row {@code count} rows after another one; null if there are not so many.
   *
   * @param after the row from which to count, or null for the beginning
   */
  @Nullable
  RowKey lastKey(Table table, @Nullable RowKey after, int count) throws SQLException {
    if (table.key().isEmpty()) {
      return null;
    }
    List<String> parameters = new ArrayList<>();
    String sql =
        "SELECT "
            + table.key().stream().map(KeyColumn::expression).collect(Collectors.joining(", "))
            + " FROM "
            + table.from()
            + " FORCE INDEX (PRIMARY)"
            + where(table, new KeyRange(after, null), parameters)
            + " ORDER BY "
            + table.key().stream().map(c -> quote(c.name())).collect(Collectors.joining(", "))
            + " LIMIT 1 OFFSET "
            + (count - 1);
    try (PreparedStatement statement = prepare(sql, parameters);
        ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        return null;
      }
      List<String> values = new ArrayList<>();
      for (int i = 0; i < table.key().size(); i++) {
        values.add(new String(row.getBytes(i + 1), StandardCharsets.UTF_8));
      }
      return new RowKey(List.copyOf(values));
    }
  }

  /** Gives every row of the range, as they are at the moment, in any order. */
  void read(Table table, KeyRange range, RowConsumer rows) throws Exception {
    List<String> parameters = new ArrayList<>();
    String sql =
        "SELECT "
            + table.encoder().selectList()
            + " FROM "
            + table.from()
            + (table.key().isEmpty() ? "" : " FORCE INDEX (PRIMARY)")
            + where(table, range, parameters);
    PreparedStatement statement = prepare(sql, parameters);
    // The drivers' ways to say: do not gather the whole result first.
    statement.setFetchSize(mariaDb ? 2_000 : Integer.MIN_VALUE);
    ResultSet row = statement.executeQuery();
    while (row.next()) {
      rows.accept(table.encoder().encode(buffer, row));
    }
    // Not when it fails: closing a result reads what is left of it.
    row.close();
    statement.close();
  }

  private PreparedStatement prepare(String sql, List<String> parameters) throws SQLException {
    PreparedStatement statement =
        connection.prepareStatement(sql, ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY);
    for (int i = 0; i < parameters.size(); i++) {
      statement.setString(i + 1, parameters.get(i));
    }
    return statement;
  }

  private static String where(Table table, KeyRange range, List<String> parameters) {
    List<String> conditions = new ArrayList<>();
    if (range.after() != null) {
      conditions.add(bound(table.key(), range.after(), ">", false, parameters));
    }
    if (range.upTo() != null) {
      conditions.add(bound(table.key(), range.upTo(), "<", true, parameters));
    }
    return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
  }

  /**
   * Compares a key column by column: servers make no use of the index for {@code (a, b) > (1, 2)}.
   */
  private static String bound(
      List<KeyColumn> columns, RowKey key, String sign, boolean orEqual, List<String> parameters) {
    KeyColumn first = columns.get(0);
    String sql = quote(first.name()) + " " + sign + "= ";
    // Says what follows from the rest, for the optimizer.
    sql += first.literal(parameter(first, key, 0, parameters)) + " AND (";
    for (int i = 0; i < columns.size(); i++) {
      sql += i == 0 ? "(" : " OR (";
      for (int equal = 0; equal < i; equal++) {
        KeyColumn column = columns.get(equal);
        sql += quote(column.name()) + " = ";
        sql += column.literal(parameter(column, key, equal, parameters)) + " AND ";
      }
      KeyColumn column = columns.get(i);
      sql += quote(column.name()) + " " + sign;
      sql += (orEqual && i == columns.size() - 1 ? "= " : " ");
      sql += column.literal(parameter(column, key, i, parameters)) + ")";
    }
    return sql + ")";
  }

  private static String parameter(
      KeyColumn column, RowKey key, int index, List<String> parameters) {
    String value = key.values().get(index);
    if (column.isParameter()) {
      parameters.add(value);
    }
    return value;
  }

  /** What has been read so far is in its log, as it is now. */
  SourceDatabase database() {
    return database;
  }

  /** Ends a read that another thread is in. */
  void abort() {
    database.abort();
  }

  @Override
  public void close() {
    abort();
  }
}
