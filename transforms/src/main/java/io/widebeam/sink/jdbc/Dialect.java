package io.widebeam.sink.jdbc;

import io.widebeam.sink.jdbc.FlatTable.Column;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonValue;

/** What databases do each in their own way: names, types, upserts, and how they say "try again". */
abstract sealed class Dialect permits H2Dialect, MySqlDialect, PostgresDialect {

  /** What the supported URLs begin with. */
  static final List<String> URL_PREFIXES =
      List.of("jdbc:postgresql:", "jdbc:mysql:", "jdbc:mariadb:", "jdbc:h2:");

  /** The dialect that the server at the other end speaks. */
  static Dialect of(Connection connection) throws SQLException {
    DatabaseMetaData metaData = connection.getMetaData();
    String product = metaData.getDatabaseProductName().toLowerCase(Locale.ROOT);
    if (product.contains("postgres")) {
      return new PostgresDialect();
    } else if (product.contains("h2")) {
      return new H2Dialect();
    } else if (product.contains("mariadb") || product.contains("mysql")) {
      // Asked by MySQL's driver, MariaDB calls itself MySQL.
      boolean mariadb =
          product.contains("mariadb")
              || metaData.getDatabaseProductVersion().toLowerCase(Locale.ROOT).contains("mariadb");
      return new MySqlDialect(mariadb);
    }
    throw new JdbcTargetException(
        "Widebeam cannot write to "
            + metaData.getDatabaseProductName()
            + " yet: only to PostgreSQL, MySQL, MariaDB and H2");
  }

  /** Driver properties for short waits on dead servers; the user's own win. */
  static Map<String, String> driverProperties(String url) {
    if (url.startsWith("jdbc:postgresql:")) {
      return Map.of("connectTimeout", "5", "socketTimeout", "60", "tcpKeepAlive", "true");
    }
    return url.startsWith("jdbc:h2:")
        ? Map.of()
        : Map.of("connectTimeout", "5000", "socketTimeout", "60000");
  }

  /** What every new connection is told first; by URL, since no server has answered yet. */
  static String sessionSetup(String url) {
    return url.startsWith("jdbc:postgresql:") || url.startsWith("jdbc:h2:")
        ? "SET TIME ZONE 'UTC'"
        // Without the strict mode, what does not fit would be cut off without a word.
        : "SET SESSION time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')";
  }

  abstract String quoted(String name);

  /** A table's name, with its schema's before a dot, as SQL has it. */
  final String quotedTable(String table) {
    int dot = table.indexOf('.');
    return dot < 0
        ? quoted(table)
        : quoted(table.substring(0, dot)) + "." + quoted(table.substring(dot + 1));
  }

  /**
   * The database's type.
   *
   * @param indexed whether the column is in a key, which not every type can be
   */
  abstract String typeName(ColumnType type, boolean indexed);

  /** The statements that create the table, if it is not there. */
  abstract List<String> createTable(FlatTable table);

  /** One statement that puts so many rows, each unless its version is not above the one there. */
  abstract String upsert(FlatTable table, int rows);

  abstract void bind(
      PreparedStatement statement, int index, ColumnType type, @Nullable BsonValue value)
      throws SQLException;

  /** How a column is selected whose values are read back. */
  String selected(Column column) {
    return quoted(column.name());
  }

  /** A date with a time: in UTC where its column, whatever its kind, has no time zone. */
  @Nullable
  Instant moment(ResultSet row, int index) throws SQLException {
    ResultSetMetaData metaData = row.getMetaData();
    if (metaData.getColumnType(index) == Types.TIMESTAMP_WITH_TIMEZONE
        || metaData.getColumnTypeName(index).equalsIgnoreCase("timestamptz")) {
      OffsetDateTime time = row.getObject(index, OffsetDateTime.class);
      return time == null ? null : time.toInstant();
    }
    LocalDateTime time = row.getObject(index, LocalDateTime.class);
    return time == null ? null : time.toInstant(ZoneOffset.UTC);
  }

  /** Whether time may mend the failure, by codes of this database's own. */
  abstract boolean isTransient(SQLException failure);

  /** Whether a row may be taken for another by a unique index that is not on the table's key. */
  boolean upsertsByAnyUniqueIndex() {
    return false;
  }

  /**
   * A column of texts that takes different ones for equal.
   *
   * @param why completes "column c of"
   * @param length the longest text, in characters; 0 for any
   */
  record LooseText(String column, String why, int length) {
    static LooseText ofCollation(String column, String collation, int length) {
      return new LooseText(
          column, "collation `" + collation + "`, by which different keys are one row", length);
    }

    static LooseText ofChar(String column, int length) {
      return new LooseText(column, "type char, which drops blanks at the end", length);
    }
  }

  /** The columns of a table in which two different texts are one key. */
  List<LooseText> looseTexts(Connection connection, String schema, String catalog, String table)
      throws SQLException {
    return List.of();
  }

  /** What follows {@code ALTER TABLE} to make a column one of keys of such a length. */
  String changeType(String column, int length) {
    return "ALTER COLUMN " + quoted(column) + " TYPE " + typeName(ColumnType.text(length), true);
  }

  /** How many rows a statement takes at best. */
  int maxRowsPerUpsert() {
    return 512;
  }

  /** How a column is declared in {@code ADD COLUMN}. */
  final String addColumn(FlatTable table, Column column, @Nullable String initial) {
    return "ALTER TABLE "
        + quotedTable(table.name())
        + " ADD COLUMN "
        + quoted(column.name())
        + " "
        + typeName(column.type(), false)
        + (initial == null ? "" : " DEFAULT " + defaultValue(column.type(), literal(initial)));
  }

  String literal(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  /** How a constant stands behind DEFAULT. */
  String defaultValue(ColumnType type, String literal) {
    return literal;
  }

  /** All columns in the order in which {@link #upsert} takes their values. */
  static List<String> writtenColumns(FlatTable table) {
    List<String> columns = new ArrayList<>();
    if (table.hasRowKey()) {
      columns.add(FlatTable.ROW_KEY);
    }
    table.columns().forEach(column -> columns.add(column.name()));
    columns.add(table.versionColumn());
    return columns;
  }

  final String list(List<String> columns) {
    return columns.stream().map(this::quoted).collect(Collectors.joining(", "));
  }

  /** So many times the same, with commas between. */
  static String repeated(String text, int times) {
    return String.join(", ", Collections.nCopies(times, text));
  }

  /** The columns' definitions, without keys. */
  final List<String> columnDefinitions(FlatTable table) {
    List<Column> inKey = table.indexedColumns();
    List<String> definitions = new ArrayList<>();
    if (table.hasRowKey()) {
      definitions.add(
          quoted(FlatTable.ROW_KEY)
              + " "
              + typeName(ColumnType.text(RowKey.MAX_LENGTH), true)
              + " NOT NULL");
    }
    for (Column column : table.columns()) {
      boolean indexed = inKey.contains(column);
      definitions.add(
          quoted(column.name())
              + " "
              + typeName(column.type(), indexed)
              + (indexed ? " NOT NULL" : ""));
    }
    definitions.add(
        quoted(table.versionColumn())
            + " "
            + typeName(ColumnType.of(ColumnType.Kind.INT64), false)
            + " NOT NULL");
    return definitions;
  }

  final String primaryKey(FlatTable table) {
    return "PRIMARY KEY (" + list(table.primaryKey()) + ")";
  }

  /** Names the index of the documents' keys, in a name that every database has room for. */
  static String documentIndex(FlatTable table) {
    String name = table.name().substring(table.name().indexOf('.') + 1);
    return name.substring(0, Math.min(name.length(), 50)) + "_document";
  }

  /** {@code CREATE TABLE}, and an index of the documents' keys. */
  final List<String> createTableAndIndex(FlatTable table) {
    List<String> definitions = columnDefinitions(table);
    definitions.add(primaryKey(table));
    List<String> statements = new ArrayList<>();
    statements.add(
        "CREATE TABLE IF NOT EXISTS "
            + quotedTable(table.name())
            + " (\n  "
            + String.join(",\n  ", definitions)
            + ")");
    if (table.isUnwound()) {
      statements.add(
          "CREATE INDEX IF NOT EXISTS "
              + quoted(documentIndex(table))
              + " ON "
              + quotedTable(table.name())
              + " ("
              + list(table.documentKeyColumns().stream().map(Column::name).toList())
              + ")");
    }
    return statements;
  }
}
