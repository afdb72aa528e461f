package io.widebeam.sink.jdbc;

import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable.Column;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Creates a table, or holds one that is there against what is to be written to it. */
final class TableSetup {
  /** Dates with a time have milliseconds in documents. */
  private static final int DOCUMENT_DIGITS = 3;

  /** A column that is there. */
  private record Existing(
      String name,
      int type,
      String typeName,
      long size,
      int scale,
      boolean mustBeGiven,
      int timeDigits) {
    @Override
    public String toString() {
      if (isTimestamp() || type == Types.TIME) {
        String shown = typeName.toLowerCase(Locale.ROOT);
        return shown.contains("(") ? shown : shown + "(" + timeDigits + ")";
      }
      boolean sized =
          size > 0
              && size < Integer.MAX_VALUE
              && (isText() || isExact())
              && !typeName.contains("(");
      return typeName.toLowerCase(Locale.ROOT)
          + (sized ? "(" + size + (isExact() ? ", " + scale : "") + ")" : "");
    }

    boolean isText() {
      return Set.of(
              Types.CHAR,
              Types.VARCHAR,
              Types.LONGVARCHAR,
              Types.NCHAR,
              Types.NVARCHAR,
              Types.LONGNVARCHAR,
              Types.CLOB)
          .contains(type);
    }

    boolean isExact() {
      return type == Types.DECIMAL || type == Types.NUMERIC;
    }

    boolean isTimestamp() {
      return type == Types.TIMESTAMP || type == Types.TIMESTAMP_WITH_TIMEZONE;
    }

    boolean isInterval() {
      return typeName.toLowerCase(Locale.ROOT).startsWith("interval");
    }

    /** Postgres calls the length of a numeric without any 0, or 131089. */
    boolean isUnlimited() {
      return size == 0 || size > 1000;
    }

    /** How many bits an integer has; 0 if it is none. */
    int bits() {
      return switch (type) {
        case Types.TINYINT -> 8;
        case Types.SMALLINT -> 16;
        case Types.INTEGER -> typeName.toUpperCase(Locale.ROOT).startsWith("MEDIUM") ? 24 : 32;
        case Types.BIGINT -> 64;
        default -> 0;
      };
    }
  }

  private final Connection connection;
  private final Dialect dialect;
  private final FlatTable table;

  TableSetup(Connection connection, Dialect dialect, FlatTable table) {
    this.connection = connection;
    this.dialect = dialect;
    this.table = table;
  }

  /** Creates the table if it is not there. Answers what is wrong with the one that is. */
  List<Mismatch> createOrCheck() throws SQLException {
    Map<String, Existing> existing = columns();
    if (!existing.isEmpty()) {
      return check(existing);
    }
    try (Statement statement = connection.createStatement()) {
      for (String sql : dialect.createTable(table)) {
        statement.execute(sql);
      }
      connection.commit();
      return List.of();
    } catch (SQLException e) {
      connection.rollback();
      // Another worker may have been faster.
      existing = columns();
      if (existing.isEmpty()) {
        throw e;
      }
      return check(existing);
    }
  }

  /** What is wrong with the table as it is; nothing if it is yet to be created. */
  List<Mismatch> check() throws SQLException {
    Map<String, Existing> existing = columns();
    return existing.isEmpty() ? checkSchema() : check(existing);
  }

  /** The columns that the table lacks, if it is there at all. */
  List<Column> missingColumns() throws SQLException {
    Set<String> existing = columns().keySet();
    return existing.isEmpty()
        ? List.of()
        : table.columns().stream().filter(column -> !existing.contains(column.name())).toList();
  }

  /**
   * By column, how many digits behind the point, of a number or of the seconds, it has room for:
   * the database rounds what has more. Columns that keep all have none.
   */
  Map<String, Integer> digits() throws SQLException {
    Map<String, Integer> digits = new HashMap<>();
    for (Existing column : columns().values()) {
      if (column.isExact() && !column.isUnlimited()) {
        digits.put(column.name(), column.scale());
      } else if (column.bits() > 0) {
        digits.put(column.name(), 0);
      } else if (column.isTimestamp() || column.type() == Types.TIME || column.isInterval()) {
        digits.put(column.name(), column.timeDigits());
      }
    }
    return Map.copyOf(digits);
  }

  private List<Mismatch> checkSchema() throws SQLException {
    int dot = table.name().indexOf('.');
    if (dot < 0) {
      return List.of();
    }
    String wanted = table.name().substring(0, dot);
    Set<String> schemas = new TreeSet<>();
    DatabaseMetaData metaData = connection.getMetaData();
    boolean byCatalog = dialect instanceof MySqlDialect;
    try (ResultSet found = byCatalog ? metaData.getCatalogs() : metaData.getSchemas()) {
      while (found.next()) {
        schemas.add(found.getString(byCatalog ? "TABLE_CAT" : "TABLE_SCHEM"));
      }
    }
    return schemas.contains(wanted)
        ? List.of()
        : List.of(
            new Mismatch(
                "there is no schema `" + wanted + "` for the table `" + table.name() + "`",
                "CREATE SCHEMA " + dialect.quoted(wanted)));
  }

  private List<Mismatch> check(Map<String, Existing> existing) throws SQLException {
    List<Mismatch> mismatches = new ArrayList<>();
    Map<String, ColumnType> wanted = new LinkedHashMap<>();
    if (table.hasRowKey()) {
      wanted.put(FlatTable.ROW_KEY, ColumnType.text(RowKey.MAX_LENGTH));
    }
    table.columns().forEach(column -> wanted.put(column.name(), column.type()));
    wanted.put(table.versionColumn(), ColumnType.of(Kind.INT64));
    wanted.forEach(
        (name, type) -> {
          Existing column = existing.get(name);
          String indexedType = dialect.typeName(type, table.primaryKey().contains(name));
          if (column == null) {
            mismatches.add(
                new Mismatch(
                    "table `"
                        + table.name()
                        + "` has no column `"
                        + name
                        + "`"
                        + (name.equals(table.versionColumn())
                            ? ", which guards its rows against older writes"
                            : name.equals(FlatTable.ROW_KEY) ? ", which tells its rows apart" : ""),
                    "ALTER TABLE "
                        + dialect.quotedTable(table.name())
                        + " ADD COLUMN "
                        + dialect.quoted(name)
                        + " "
                        + indexedType
                        + ", or drop the table: it is created as it has to be"));
          } else if (!holds(column, type)) {
            mismatches.add(
                new Mismatch(
                    "column `"
                        + name
                        + "` of table `"
                        + table.name()
                        + "` is "
                        + column
                        + ", which cannot hold every "
                        + type,
                    "change it to " + indexedType));
          }
        });
    for (Existing column : existing.values()) {
      if (column.mustBeGiven() && !wanted.containsKey(column.name())) {
        mismatches.add(
            new Mismatch(
                "column `"
                    + column.name()
                    + "` of table `"
                    + table.name()
                    + "` must not be null, but nothing is written to it",
                "give it a default value, or allow null"));
      }
    }
    checkKeys(mismatches);
    return mismatches;
  }

  private void checkKeys(List<Mismatch> mismatches) throws SQLException {
    Set<String> wanted = new HashSet<>(table.primaryKey());
    Map<String, Set<String>> uniqueIndexes = uniqueIndexes();
    if (!uniqueIndexes.containsValue(wanted)) {
      String key = dialect.list(table.primaryKey());
      mismatches.add(
          new Mismatch(
              "table `" + table.name() + "` has no primary key or unique index on " + key,
              "ALTER TABLE "
                  + dialect.quotedTable(table.name())
                  + " ADD PRIMARY KEY ("
                  + key
                  + ")"));
    }
    List<String> texts =
        table.hasRowKey()
            ? List.of(FlatTable.ROW_KEY)
            : table.documentKeyColumns().stream()
                .filter(column -> column.type().kind() == Kind.TEXT)
                .map(Column::name)
                .toList();
    for (Dialect.LooseText loose : dialect.looseTexts(connection, schema(), catalog(), name())) {
      if (texts.contains(loose.column())) {
        mismatches.add(
            new Mismatch(
                "table `"
                    + table.name()
                    + "` has the key column `"
                    + loose.column()
                    + "` of "
                    + loose.why(),
                "ALTER TABLE "
                    + dialect.quotedTable(table.name())
                    + " "
                    + dialect.changeType(
                        loose.column(), table.hasRowKey() ? RowKey.MAX_LENGTH : loose.length())));
      }
    }
    if (dialect.upsertsByAnyUniqueIndex()) {
      uniqueIndexes.forEach(
          (index, columns) -> {
            if (!columns.equals(wanted)) {
              mismatches.add(
                  new Mismatch(
                      "table `"
                          + table.name()
                          + "` has the unique index `"
                          + index
                          + "`, by which a row could replace another one",
                      "make it an index that is not unique"));
            }
          });
    }
  }

  private boolean holds(Existing column, ColumnType type) {
    boolean anyText = column.isText() && column.size() >= 30;
    String typeName = column.typeName().toLowerCase(Locale.ROOT);
    return switch (type.kind()) {
      case BOOLEAN ->
          column.type() == Types.BIT
              || column.type() == Types.BOOLEAN
              || (dialect instanceof MySqlDialect && column.bits() > 0);
      case INT16 -> holdsInteger(column, 16, 5);
      case INT32 -> holdsInteger(column, 32, 10);
      case INT64 -> holdsInteger(column, 64, 19);
      case DECIMAL -> holdsDecimal(column, type);
      case FLOAT64 -> column.type() == Types.DOUBLE || typeName.equals("float8");
      case TEXT ->
          column.isText()
              && (column.size() == 0
                  || column.size() >= (type.length() == 0 ? 65_535 : type.length()));
      case BINARY ->
          Set.of(Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB)
                  .contains(column.type())
              && (column.size() == 0
                  || column.size() >= (type.length() == 0 ? 65_535 : type.length()));
      case DATE -> column.type() == Types.DATE || column.isTimestamp() || anyText;
      case TIMESTAMP, INSTANT ->
          (column.isTimestamp() && column.timeDigits() >= Math.min(type.scale(), DOCUMENT_DIGITS))
              || anyText;
      case TIME ->
          ((column.type() == Types.TIME || column.isInterval())
                  && column.timeDigits() >= type.scale())
              || anyText;
      case DURATION ->
          anyText
              || ((column.isInterval()
                      || (column.type() == Types.TIME && dialect instanceof MySqlDialect))
                  && column.timeDigits() >= type.scale());
      case UUID ->
          typeName.equals("uuid")
              || (column.isText() && (column.size() == 0 || column.size() >= 36));
      case JSON ->
          typeName.startsWith("json")
              || (column.isText() && (column.size() == 0 || column.size() >= 65_535));
    };
  }

  private static boolean holdsInteger(Existing column, int bits, int digits) {
    return column.bits() >= bits
        || (column.isExact() && (column.size() == 0 || column.size() - column.scale() >= digits));
  }

  private static boolean holdsDecimal(Existing column, ColumnType type) {
    if (column.typeName().equalsIgnoreCase("DECFLOAT")) {
      return true;
    }
    if (type.scale() == 0 && type.length() > 0 && type.length() <= 18 && column.bits() == 64) {
      return true;
    }
    return column.isExact()
        && (column.isUnlimited()
            || (type.length() == 0
                ? column.size() >= 65
                : column.scale() >= type.scale()
                    && column.size() - column.scale() >= type.length() - type.scale()));
  }

  private Map<String, Existing> columns() throws SQLException {
    Map<String, Existing> columns = new LinkedHashMap<>();
    DatabaseMetaData metaData = connection.getMetaData();
    String escape = metaData.getSearchStringEscape();
    String pattern =
        name()
            .replace(escape, escape + escape)
            .replace("_", escape + "_")
            .replace("%", escape + "%");
    Map<String, Integer> timeDigits = timeDigits();
    try (ResultSet found = metaData.getColumns(catalog(), schema(), pattern, "%")) {
      while (found.next()) {
        if (!found.getString("TABLE_NAME").equals(name())) {
          continue;
        }
        String column = found.getString("COLUMN_NAME");
        boolean mustBeGiven =
            found.getInt("NULLABLE") == DatabaseMetaData.columnNoNulls
                && found.getString("COLUMN_DEF") == null
                && !"YES".equals(found.getString("IS_AUTOINCREMENT"))
                && !"YES".equals(found.getString("IS_GENERATEDCOLUMN"));
        columns.put(
            column,
            new Existing(
                column,
                found.getInt("DATA_TYPE"),
                found.getString("TYPE_NAME"),
                found.getLong("COLUMN_SIZE"),
                found.getInt("DECIMAL_DIGITS"),
                mustBeGiven,
                timeDigits.getOrDefault(column, 0)));
      }
    }
    return columns;
  }

  /** Of columns of times; drivers tell it each in their own way, or not at all. */
  private Map<String, Integer> timeDigits() throws SQLException {
    Map<String, Integer> digits = new HashMap<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT column_name, datetime_precision FROM information_schema.columns"
                + " WHERE table_schema = ? AND table_name = ?"
                + " AND datetime_precision IS NOT NULL")) {
      statement.setString(1, dialect instanceof MySqlDialect ? catalog() : schema());
      statement.setString(2, name());
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          digits.put(found.getString(1), found.getInt(2));
        }
      }
    }
    return digits;
  }

  private Map<String, Set<String>> uniqueIndexes() throws SQLException {
    Map<String, Set<String>> indexes = new TreeMap<>();
    DatabaseMetaData metaData = connection.getMetaData();
    try (ResultSet found = metaData.getIndexInfo(catalog(), schema(), name(), true, true)) {
      while (found.next()) {
        String column = found.getString("COLUMN_NAME");
        if (column != null) {
          String unquoted =
              column.startsWith("\"") && column.endsWith("\"")
                  ? column.substring(1, column.length() - 1).replace("\"\"", "\"")
                  : column;
          indexes
              .computeIfAbsent(found.getString("INDEX_NAME"), index -> new HashSet<>())
              .add(unquoted);
        }
      }
    }
    return indexes;
  }

  private String name() {
    return table.name().substring(table.name().indexOf('.') + 1);
  }

  private String catalog() throws SQLException {
    return dialect instanceof MySqlDialect && table.name().contains(".")
        ? table.name().substring(0, table.name().indexOf('.'))
        : connection.getCatalog();
  }

  private String schema() throws SQLException {
    if (dialect instanceof MySqlDialect) {
      return null;
    }
    return table.name().contains(".")
        ? table.name().substring(0, table.name().indexOf('.'))
        : connection.getSchema();
  }
}
