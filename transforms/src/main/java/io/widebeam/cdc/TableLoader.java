package io.widebeam.cdc;

import io.debezium.relational.Selectors;
import io.widebeam.cdc.JdbcRowEncoder.Column;
import io.widebeam.cdc.SourceDatabase.Kind;
import io.widebeam.cdc.SourceDatabase.UnsuitableException;
import io.widebeam.change.BsonBuffer;
import io.widebeam.change.TableId;
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
import java.util.function.Predicate;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads whole tables of a MySQL or MariaDB server, many times faster than the connector's own
 * snapshot does: one plain {@code SELECT} for each, from the server's texts straight to BSON.
 *
 * <p>It is one half of a load beside the log, as in DBLog (Netflix, 2019), made simpler by numbered
 * changes: the log is read from a position that was taken <em>before</em> the first row was. A row
 * may be newer than that position, or change after it was read; either way its changes are in the
 * log, have higher numbers than the row, and put it right. So no locks, watermark tables or chunks
 * are needed, but that nothing is released until the log has been read up to where it was when the
 * last table had been.
 *
 * <p>It knows the usual settings, column types and tables. For everything else there is the
 * connector's snapshot; {@link #open} says why.
 */
final class TableLoader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TableLoader.class);

  /** Takes a table's rows. */
  @FunctionalInterface
  interface RowConsumer {
    void accept(RawBsonDocument row) throws Exception;
  }

  /** A table as it will be read. */
  record Table(TableId id, String select, JdbcRowEncoder encoder) {}

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

  /** Connects for a load that is already decided on. */
  static TableLoader connect(Map<String, String> properties, ClassLoader classes)
      throws SQLException, UnsuitableException {
    Kind kind = Kind.of(properties);
    if (kind == null || !kind.hasBinlog()) {
      throw new UnsuitableException("only MySQL and MariaDB are read faster");
    }
    for (Map.Entry<String, String> setting : properties.entrySet()) {
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

  /**
   * The tables that the connector captures, as they are now.
   *
   * @throws UnsuitableException if one of them must be read by the connector
   */
  List<Table> tables() throws SQLException, UnsuitableException {
    Predicate<io.debezium.relational.TableId> captured =
        Selectors.tableSelector()
            .includeDatabases(properties.get("database.include.list"))
            .includeTables(properties.get("table.include.list"))
            .build();
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
        if (!captured.test(new io.debezium.relational.TableId(database, null, name))) {
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
      tables.add(table(id));
    }
    return tables;
  }

  private Table table(TableId id) throws SQLException, UnsuitableException {
    String name = id.namespace() + "." + id.name();
    List<Column> columns = new ArrayList<>();
    boolean key = false;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT column_name, column_type, data_type, is_nullable, column_default,"
                + " character_set_name, extra, column_key FROM information_schema.columns"
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
          key |= row.getString(8).equals("PRI");
          columns.add(column);
        }
      }
    }
    if (!key) {
      // Nothing would tell a row that was read from the same row in the log.
      throw new UnsuitableException("table " + name + " has no primary key");
    }
    JdbcRowEncoder encoder = new JdbcRowEncoder(name, columns);
    String select =
        "SELECT "
            + encoder.selectList()
            + " FROM "
            + quote(id.namespace())
            + "."
            + quote(id.name());
    return new Table(id, select, encoder);
  }

  private static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  /** Gives every row of the table, as they are at the moment. */
  void read(Table table, RowConsumer rows) throws Exception {
    Statement statement =
        connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY);
    // The drivers' ways to say: do not gather the whole result first.
    statement.setFetchSize(mariaDb ? 2_000 : Integer.MIN_VALUE);
    ResultSet row = statement.executeQuery(table.select());
    while (row.next()) {
      rows.accept(table.encoder().encode(buffer, row));
    }
    // Not when it fails: closing a result reads what is left of it.
    row.close();
    statement.close();
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
