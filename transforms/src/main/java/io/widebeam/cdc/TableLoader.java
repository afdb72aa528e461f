package io.widebeam.cdc;

import io.debezium.relational.Selectors;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a server's tables by ranges of their primary keys, many times faster than the connector's
 * own snapshot does: plain {@code SELECT}s, from the server's texts straight to BSON. See {@link
 * TableLoad} for what makes a load of it.
 *
 * <p>It knows the usual settings, column types and tables. For everything else there is the
 * connector's snapshot; {@link #open} says why. Not thread-safe but for {@link #abort}.
 */
abstract sealed class TableLoader implements AutoCloseable permits MySqlTables, PostgresTables {
  private static final Logger LOG = LoggerFactory.getLogger(TableLoader.class);

  /** Takes a table's rows. */
  @FunctionalInterface
  interface RowConsumer {
    /**
     * Takes a row.
     *
     * @param key gives the row's primary key, or null if the table has none; while this lasts
     */
    void accept(RawBsonDocument row, KeyReader key) throws Exception;
  }

  /** Reads the key of the row at the cursor. */
  @FunctionalInterface
  interface KeyReader {
    @Nullable
    RowKey read() throws SQLException;
  }

  /** Makes a document of the row at the cursor. */
  @FunctionalInterface
  interface RowReader {
    RawBsonDocument read(BsonBuffer buffer, ResultSet row) throws SQLException;
  }

  /**
   * A table as it will be read.
   *
   * @param columns for a SELECT
   * @param from the table's name in a statement
   * @param key the primary key's columns, or none if the table can only be read as a whole
   * @param rows how many it has, as the server guesses
   */
  record Table(
      TableId id, String columns, String from, RowReader reader, List<KeyColumn> key, long rows) {}

  /**
   * A column of a primary key.
   *
   * @param name as it stands in a statement, with its table's: to ORDER BY, a name alone would be
   *     that of a text in the SELECT
   * @param text gives the column's value as the text that {@code literal} takes
   * @param literal the value in a statement: a parameter, or {@link #VALUE} for the text itself
   */
  record KeyColumn(String name, String text, String literal) {

    /** Stands for the text of a number, or of hexadecimal digits. */
    static final String VALUE = "{}";

    private String literal(String value, List<String> parameters) {
      if (!literal.contains(VALUE)) {
        parameters.add(value);
        return literal;
      }
      if (!value.matches("[-+.0-9A-Fa-f]*")) {
        throw new IllegalArgumentException("not a key of column " + name + ": " + value);
      }
      return literal.replace(VALUE, value);
    }
  }

  /** Settings that have no part in what a row looks like. */
  private static final Set<String> HARMLESS =
      Set.of(
          ConnectorProperties.CONNECTOR_CLASS,
          ConnectorProperties.TOPIC_PREFIX,
          ConnectorProperties.MAX_RETRIES,
          CheckpointedSchemaHistory.READER_PROPERTY,
          "name",
          "custom.metric.tags",
          "database.hostname",
          "database.port",
          "database.user",
          "database.password",
          "database.server.id",
          "database.include.list",
          "database.dbname",
          "schema.include.list",
          "plugin.name",
          "slot.name",
          "slot.drop.on.stop",
          "publication.name",
          "publication.autocreate.mode",
          "table.include.list",
          "poll.interval.ms",
          "max.batch.size",
          "max.queue.size",
          "executor.shutdown.timeout.ms",
          "tombstones.on.delete",
          "skipped.operations",
          // The connector's converter of values is ours as well.
          "widebeam.type",
          "widebeam." + MySqlValues.BINARY_JSON,
          "include.schema.changes",
          ConnectorProperties.HEARTBEAT,
          "heartbeat.action.query",
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
          Map.entry("interval.handling.mode", "string"),
          Map.entry("include.unknown.datatypes", "true"),
          Map.entry("unavailable.value.placeholder", ConnectorProperties.UNAVAILABLE),
          Map.entry("driver.yearIsDateType", "false"),
          Map.entry("enable.time.adjuster", "false"),
          Map.entry("event.converting.failure.handling.mode", "fail"),
          Map.entry("provide.transaction.metadata", "true"));

  final Map<String, String> properties;
  final Connection connection;
  private final SourceDatabase database;
  private final BsonBuffer buffer = new BsonBuffer();

  TableLoader(Map<String, String> properties, SourceDatabase database) {
    this.properties = properties;
    this.database = database;
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
    if (kind == null) {
      throw new UnsuitableException("only MySQL, MariaDB and Postgres are read faster");
    }
    for (Map.Entry<String, String> setting :
        ConnectorProperties.ofConnector(properties).entrySet()) {
      String obstacle = check(setting.getKey(), setting.getValue());
      if (obstacle != null) {
        throw new UnsuitableException(obstacle);
      }
    }
    SourceDatabase database = SourceDatabase.connect(properties, classes);
    TableLoader loader =
        kind.hasBinlog()
            ? new MySqlTables(properties, database)
            : new PostgresTables(properties, database);
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
    if (HARMLESS.contains(setting) || DriverTls.follows(setting)) {
      return null;
    }
    String expected = EXPECTED.get(setting);
    if (expected == null) {
      return "the setting " + setting + " is the connector's";
    }
    return expected.equalsIgnoreCase(value) ? null : setting + " is " + value;
  }

  /** Which tables the connector captures, by their database or schema and their name. */
  static BiPredicate<String, String> captured(Map<String, String> properties) {
    if (Kind.of(properties) == Kind.POSTGRES) {
      Predicate<io.debezium.relational.TableId> tables =
          Selectors.tableSelector()
              .includeSchemas(properties.get("schema.include.list"))
              .excludeSchemas(properties.get("schema.exclude.list"))
              .includeTables(properties.get("table.include.list"))
              .excludeTables(properties.get("table.exclude.list"))
              .build();
      return (schema, table) ->
          tables.test(new io.debezium.relational.TableId(null, schema, table));
    }
    Predicate<io.debezium.relational.TableId> tables =
        Selectors.tableSelector()
            .includeDatabases(properties.get("database.include.list"))
            .excludeDatabases(properties.get("database.exclude.list"))
            .includeTables(properties.get("table.include.list"))
            .excludeTables(properties.get("table.exclude.list"))
            .build();
    return (database, table) ->
        tables.test(new io.debezium.relational.TableId(database, null, table));
  }

  /** Makes the server patient, and its texts the usual ones. */
  abstract void prepareSession() throws SQLException;

  /**
   * The tables that the connector captures, as they are now.
   *
   * @throws UnsuitableException if one of them must be read by the connector
   */
  abstract List<Table> tables() throws SQLException, UnsuitableException;

  /**
   * A table as it is now.
   *
   * @throws UnsuitableException if it must be read by the connector, or is not there
   */
  abstract Table table(String namespace, String name) throws SQLException, UnsuitableException;

  /** The driver's way to say: do not gather the whole result first. */
  abstract int fetchSize();

  /** After a result has been read to its end. */
  abstract void readDone() throws SQLException;

  final TableId id(String namespace, String name) {
    return new TableId(properties.get(ConnectorProperties.TOPIC_PREFIX), namespace, name);
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
            + keyTexts(table)
            + " FROM "
            + table.from()
            + where(table, new KeyRange(after, null), parameters)
            + inOrder(table)
            + " LIMIT 1 OFFSET "
            + (count - 1);
    try (PreparedStatement statement = prepare(sql, parameters);
        ResultSet row = statement.executeQuery()) {
      return row.next() ? key(table, row, 0) : null;
    } finally {
      readDone();
    }
  }

  private static String keyTexts(Table table) {
    return table.key().stream().map(KeyColumn::text).collect(Collectors.joining(", "));
  }

  private static String inOrder(Table table) {
    return " ORDER BY "
        + table.key().stream().map(KeyColumn::name).collect(Collectors.joining(", "));
  }

  /** The key of the row at the cursor, whose texts come after so many columns. */
  private static RowKey key(Table table, ResultSet row, int columnsBefore) throws SQLException {
    List<String> values = new ArrayList<>();
    for (int i = 1; i <= table.key().size(); i++) {
      values.add(new String(row.getBytes(columnsBefore + i), StandardCharsets.UTF_8));
    }
    return new RowKey(List.copyOf(values));
  }

  /** Gives every row of the range, as they are at the moment, in the order of their keys. */
  void read(Table table, KeyRange range, RowConsumer rows) throws Exception {
    List<String> parameters = new ArrayList<>();
    boolean keyed = !table.key().isEmpty();
    String sql =
        "SELECT "
            + table.columns()
            + (keyed ? ", " + keyTexts(table) : "")
            + " FROM "
            + table.from()
            + where(table, range, parameters)
            + (keyed ? inOrder(table) : "");
    PreparedStatement statement = prepare(sql, parameters);
    statement.setFetchSize(fetchSize());
    ResultSet row = statement.executeQuery();
    int columns = row.getMetaData().getColumnCount() - table.key().size();
    KeyReader key = () -> keyed ? key(table, row, columns) : null;
    while (row.next()) {
      rows.accept(table.reader().read(buffer, row), key);
    }
    // Not when it fails: closing a result reads what is left of it.
    row.close();
    statement.close();
    readDone();
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
    // Says what follows from the rest, for the optimizer.
    StringBuilder sql = new StringBuilder();
    sql.append(first.name()).append(' ').append(sign).append("= ");
    sql.append(first.literal(key.values().get(0), parameters)).append(" AND (");
    for (int i = 0; i < columns.size(); i++) {
      sql.append(i == 0 ? "(" : " OR (");
      for (int equal = 0; equal < i; equal++) {
        KeyColumn column = columns.get(equal);
        sql.append(column.name()).append(" = ");
        sql.append(column.literal(key.values().get(equal), parameters)).append(" AND ");
      }
      KeyColumn column = columns.get(i);
      sql.append(column.name()).append(' ').append(sign);
      sql.append(orEqual && i == columns.size() - 1 ? "= " : " ");
      sql.append(column.literal(key.values().get(i), parameters)).append(')');
    }
    return sql.append(')').toString();
  }

  /** Ends a read that another thread is in. */
  final void abort() {
    database.abort();
  }

  @Override
  public final void close() {
    abort();
  }
}
