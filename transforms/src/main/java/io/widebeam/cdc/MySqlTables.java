package io.widebeam.cdc;

import io.widebeam.cdc.JdbcRowEncoder.Column;
import io.widebeam.cdc.SourceDatabase.Kind;
import io.widebeam.cdc.SourceDatabase.UnsuitableException;
import io.widebeam.change.TableId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiPredicate;
import javax.annotation.Nullable;

/** The tables of a MySQL or MariaDB server. */
final class MySqlTables extends TableLoader {
  private final boolean mariaDb;

  MySqlTables(Map<String, String> properties, SourceDatabase database) {
    super(properties, database);
    mariaDb = database.kind() == Kind.MARIADB;
  }

  @Override
  void prepareSession() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      // Whatever the server's default: what is rolled back must not have been read.
      statement.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
      // Nobody must lose patience when the pipeline holds up the reading.
      statement.execute(
          "SET SESSION time_zone = '+00:00', sql_mode = '', net_write_timeout = 86400, "
              + (mariaDb ? "max_statement_time" : "max_execution_time")
              + " = 0");
    }
  }

  @Override
  List<Table> tables() throws SQLException, UnsuitableException {
    BiPredicate<String, String> captured = captured(properties);
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
        if (!captured.test(database, name)) {
          continue;
        }
        if (!row.getString(3).equals("BASE TABLE")) {
          throw new UnsuitableException("table " + database + "." + name + " is versioned");
        }
        ids.add(id(database, name));
      }
    }
    List<Table> tables = new ArrayList<>(ids.size());
    for (TableId id : ids) {
      tables.add(table(id.namespace(), id.name()));
    }
    return tables;
  }

  @Override
  Table table(String database, String tableName) throws SQLException, UnsuitableException {
    TableId id = id(database, tableName);
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
    List<KeyColumn> key = key(id, columns);
    String from = quote(id.namespace()) + "." + quote(id.name());
    return new Table(
        id,
        encoder.selectList(),
        key.isEmpty() ? from : from + " FORCE INDEX (PRIMARY)",
        encoder::encode,
        key,
        estimatedRows(id));
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
          KeyColumn column = keyColumn(quote(id.name()) + "." + quote(name), type);
          comparable &= column != null && row.getString(2) == null;
          key.add(column);
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
  private static KeyColumn keyColumn(String name, String dataType) {
    String text = "CAST(" + name + " AS CHAR)";
    return switch (dataType) {
      // As they are: a server may compare a text with a number by their doubles.
      case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year" ->
          new KeyColumn(name, text, KeyColumn.VALUE);
      case "char", "varchar", "tinytext", "text", "mediumtext", "longtext" ->
          new KeyColumn(name, name, "?");
      case "date", "datetime", "timestamp", "time", "uuid" -> new KeyColumn(name, text, "?");
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" ->
          new KeyColumn(name, "HEX(" + name + ")", "x'" + KeyColumn.VALUE + "'");
      // An ENUM is ordered by its numbers and compared by its names; a FLOAT is never quite equal.
      default -> null;
    };
  }

  @Override
  int fetchSize() {
    return mariaDb ? 2_000 : Integer.MIN_VALUE;
  }

  @Override
  void readDone() {}

  private static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }
}
