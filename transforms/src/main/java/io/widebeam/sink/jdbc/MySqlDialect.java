package io.widebeam.sink.jdbc;

import io.widebeam.sink.jdbc.FlatTable.Column;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonValue;

/** MySQL and MariaDB. */
final class MySqlDialect extends Dialect {

  /** A VARCHAR as long as a key has room for. */
  private static final int MAX_KEY_LENGTH = 255;

  /** Shorter texts are VARCHAR: a row has 65,535 bytes for them all. */
  private static final int MAX_VARCHAR_LENGTH = 255;

  private static final int MAX_VARCHAR_BYTES_PER_ROW = 40_000;
  private static final int MAX_SCALE = 30;

  /**
   * Too many connections, server stopping or read-only, lock wait, deadlock, connection or query
   * killed, disk full, connection lost.
   */
  private static final Set<Integer> TRANSIENT_CODES =
      Set.of(
          1020, 1021, 1037, 1040, 1041, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1203, 1205, 1206,
          1213, 1226, 1290, 1317, 1614, 1637, 1836, 1927, 1969, 2002, 2003, 2006, 2013, 3024, 4031);

  private final boolean mariadb;

  MySqlDialect(boolean mariadb) {
    this.mariadb = mariadb;
  }

  @Override
  String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  @Override
  String typeName(ColumnType type, boolean indexed) {
    return switch (type.kind()) {
      case BOOLEAN -> "TINYINT(1)";
      case INT16 -> "SMALLINT";
      case INT32 -> "INT";
      case INT64 -> "BIGINT";
      case DECIMAL ->
          type.length() == 0
              ? "DECIMAL(65, " + MAX_SCALE + ")"
              : "DECIMAL("
                  + Math.min(type.length(), 65)
                  + ", "
                  + Math.min(type.scale(), MAX_SCALE)
                  + ")";
      case FLOAT64 -> "DOUBLE";
      case TEXT -> indexed ? keyText(type.length()) : text(type.length(), MAX_VARCHAR_LENGTH);
      case BINARY -> indexed ? "VARBINARY(" + keyLength(type.length()) + ")" : binary(type);
      case DATE -> "DATE";
      // TIMESTAMP ends in 2038.
      case TIMESTAMP, INSTANT -> "DATETIME(6)";
      case TIME, DURATION -> "TIME(6)";
      case UUID -> indexed ? keyText(36) : "VARCHAR(36)";
      case JSON -> "JSON";
    };
  }

  /** Keys that differ in case, accents or spaces at the end are different keys. */
  private String keyText(int length) {
    return "VARCHAR("
        + keyLength(length)
        + ") CHARACTER SET utf8mb4 COLLATE "
        + (mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin");
  }

  private static int keyLength(int length) {
    return length == 0 ? MAX_KEY_LENGTH : Math.min(length, MAX_KEY_LENGTH);
  }

  private static String text(int length, int maxVarchar) {
    if (length == 0) {
      return "LONGTEXT";
    }
    if (length <= maxVarchar) {
      return "VARCHAR(" + length + ")";
    }
    return length <= 16_383 ? "TEXT" : length <= 4_194_303 ? "MEDIUMTEXT" : "LONGTEXT";
  }

  private static String binary(ColumnType type) {
    int length = type.length();
    if (length == 0) {
      return "LONGBLOB";
    }
    return length <= MAX_VARCHAR_LENGTH
        ? "VARBINARY(" + length + ")"
        : length <= 65_535 ? "BLOB" : length <= 16_777_215 ? "MEDIUMBLOB" : "LONGBLOB";
  }

  @Override
  List<String> createTable(FlatTable table) {
    List<String> definitions = columnDefinitions(withRoom(table));
    definitions.add(primaryKey(table));
    if (table.isUnwound()) {
      definitions.add(
          "INDEX "
              + quoted(documentIndex(table))
              + " ("
              + list(table.documentKeyColumns().stream().map(Column::name).toList())
              + ")");
    }
    return List.of(
        "CREATE TABLE IF NOT EXISTS "
            + quotedTable(table.name())
            + " (\n  "
            + String.join(",\n  ", definitions)
            + ") ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4");
  }

  /** The table, with texts that are not part of the row where the row would be too long. */
  private static FlatTable withRoom(FlatTable table) {
    List<Column> inKey = table.indexedColumns();
    int bytes = 0;
    List<Column> columns = new ArrayList<>();
    for (Column column : table.columns()) {
      ColumnType type = column.type();
      if (type.kind() == ColumnType.Kind.TEXT
          && type.length() > 0
          && type.length() <= MAX_VARCHAR_LENGTH
          && !inKey.contains(column)) {
        bytes += 4 * type.length();
        if (bytes > MAX_VARCHAR_BYTES_PER_ROW) {
          type = ColumnType.text(MAX_VARCHAR_LENGTH + 1);
        }
      }
      columns.add(new Column(column.name(), type, column.level(), column.path()));
    }
    return table.withOnly(columns);
  }

  @Override
  String upsert(FlatTable table, int rows) {
    List<String> columns = writtenColumns(table);
    String version = quoted(table.versionColumn());
    String isNewer = "VALUES(" + version + ") > COALESCE(" + version + ", -1)";
    // Assigned from left to right, so that the version, which all others ask for, is the last.
    String updates =
        columns.stream()
            .filter(column -> !table.primaryKey().contains(column))
            .map(this::quoted)
            .map(
                column -> column + " = IF(" + isNewer + ", VALUES(" + column + "), " + column + ")")
            .collect(Collectors.joining(", "));
    return "INSERT INTO "
        + quotedTable(table.name())
        + " ("
        + list(columns)
        + ") VALUES "
        + repeated("(" + repeated("?", columns.size()) + ")", rows)
        + " ON DUPLICATE KEY UPDATE "
        + updates;
  }

  @Override
  void bind(PreparedStatement statement, int index, ColumnType type, @Nullable BsonValue value)
      throws SQLException {
    if (value == null) {
      statement.setNull(index, Types.NULL);
      return;
    }
    Object bound = SqlValues.of(type, value);
    if (bound instanceof BigDecimal decimal && decimal.stripTrailingZeros().scale() > MAX_SCALE) {
      throw new IllegalArgumentException("cannot hold more than 30 digits behind the point");
    }
    statement.setObject(index, bound);
  }

  /** Drivers take dates with a time for ones in Java's own zone, where not all exist. */
  @Override
  String selected(Column column) {
    ColumnType.Kind kind = column.type().kind();
    String quoted = quoted(column.name());
    return kind == ColumnType.Kind.TIMESTAMP || kind == ColumnType.Kind.INSTANT
        ? "CAST(" + quoted + " AS CHAR)"
        : quoted;
  }

  @Nullable
  @Override
  Instant moment(ResultSet row, int index) throws SQLException {
    String text = row.getString(index);
    try {
      return text == null
          ? null
          : LocalDateTime.parse(text.replace(' ', 'T')).toInstant(ZoneOffset.UTC);
    } catch (DateTimeParseException e) {
      // A zero date, which nobody writes here.
      return null;
    }
  }

  @Override
  boolean isTransient(SQLException failure) {
    return TRANSIENT_CODES.contains(failure.getErrorCode());
  }

  /** All but the collations that compare byte by byte, also blanks at the end. */
  @Override
  List<LooseText> looseTexts(Connection connection, String schema, String catalog, String table)
      throws SQLException {
    List<LooseText> columns = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT column_name, collation_name, data_type, character_maximum_length"
                + " FROM information_schema.columns"
                + " WHERE table_schema = ? AND table_name = ? AND collation_name IS NOT NULL")) {
      statement.setString(1, catalog);
      statement.setString(2, table);
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          String name = found.getString(1);
          String collation = found.getString(2);
          int length = (int) Math.min(found.getLong(4), MAX_KEY_LENGTH);
          if (!collation.endsWith("_nopad_bin") && !collation.equals("utf8mb4_0900_bin")) {
            columns.add(LooseText.ofCollation(name, collation, length));
          } else if (found.getString(3).equalsIgnoreCase("char")) {
            columns.add(LooseText.ofChar(name, length));
          }
        }
      }
    }
    return columns;
  }

  @Override
  String changeType(String column, int length) {
    return "MODIFY " + quoted(column) + " " + keyText(length) + " NOT NULL";
  }

  @Override
  boolean upsertsByAnyUniqueIndex() {
    return true;
  }

  @Override
  String literal(String text) {
    return super.literal(text.replace("\\", "\\\\"));
  }

  /** Long texts have expressions only, which others have not had for as long. */
  @Override
  String defaultValue(ColumnType type, String literal) {
    String name = typeName(type, false);
    boolean isLong = name.endsWith("TEXT") || name.endsWith("BLOB") || name.equals("JSON");
    return isLong ? "(" + literal + ")" : literal;
  }
}
