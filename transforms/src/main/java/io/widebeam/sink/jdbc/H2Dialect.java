package io.widebeam.sink.jdbc;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonValue;

/** H2, from version 2: for tests and trials, since it needs no server. */
final class H2Dialect extends Dialect {

  /** Deadlock, lock timeout, database closed or being closed, connection broken. */
  private static final Set<Integer> TRANSIENT_CODES =
      Set.of(40001, 50200, 90007, 90067, 90098, 90121);

  @Override
  String quoted(String name) {
    return "\"" + name.replace("\"", "\"\"") + "\"";
  }

  @Override
  String typeName(ColumnType type, boolean indexed) {
    return switch (type.kind()) {
      case BOOLEAN -> "BOOLEAN";
      case INT16 -> "SMALLINT";
      case INT32 -> "INTEGER";
      case INT64 -> "BIGINT";
      case DECIMAL ->
          type.length() == 0 ? "DECFLOAT" : "NUMERIC(" + type.length() + ", " + type.scale() + ")";
      case FLOAT64 -> "DOUBLE PRECISION";
      case TEXT, JSON -> "VARCHAR";
      case BINARY -> "VARBINARY";
      case DATE -> "DATE";
      case TIMESTAMP -> "TIMESTAMP";
      case INSTANT -> "TIMESTAMP WITH TIME ZONE";
      case TIME -> "TIME(6)";
      case DURATION -> "VARCHAR(30)";
      case UUID -> "UUID";
    };
  }

  @Override
  List<String> createTable(FlatTable table) {
    return createTableAndIndex(table);
  }

  @Override
  String upsert(FlatTable table, int rows) {
    List<String> columns = writtenColumns(table);
    Map<String, ColumnType> types = new HashMap<>();
    table.columns().forEach(column -> types.put(column.name(), column.type()));
    types.put(FlatTable.ROW_KEY, ColumnType.of(ColumnType.Kind.TEXT));
    types.put(table.versionColumn(), ColumnType.of(ColumnType.Kind.INT64));
    String row =
        columns.stream()
            .map(column -> "CAST(? AS " + valueType(types.get(column)) + ")")
            .collect(Collectors.joining(", ", "(", ")"));
    String version = quoted(table.versionColumn());
    return "MERGE INTO "
        + quotedTable(table.name())
        + " AS t USING (VALUES "
        + repeated(row, rows)
        + ") AS s("
        + list(columns)
        + ") ON "
        + table.primaryKey().stream()
            .map(column -> "t." + quoted(column) + " = s." + quoted(column))
            .collect(Collectors.joining(" AND "))
        + " WHEN MATCHED AND COALESCE(t."
        + version
        + ", -1) < s."
        + version
        + " THEN UPDATE SET "
        + columns.stream()
            .filter(column -> !table.primaryKey().contains(column))
            .map(column -> quoted(column) + " = s." + quoted(column))
            .collect(Collectors.joining(", "))
        + " WHEN NOT MATCHED THEN INSERT ("
        + list(columns)
        + ") VALUES ("
        + columns.stream().map(column -> "s." + quoted(column)).collect(Collectors.joining(", "))
        + ")";
  }

  /** A value's own: a column may have room for more than is declared. */
  private String valueType(ColumnType type) {
    return type.kind() == ColumnType.Kind.DECIMAL ? "DECFLOAT" : typeName(type, false);
  }

  /** Its parser is slower than a round trip is long: there is none. */
  @Override
  int maxRowsPerUpsert() {
    return 32;
  }

  @Override
  void bind(PreparedStatement statement, int index, ColumnType type, @Nullable BsonValue value)
      throws SQLException {
    if (value == null) {
      statement.setNull(index, Types.NULL);
    } else {
      statement.setObject(index, SqlValues.of(type, value));
    }
  }

  @Override
  boolean isTransient(SQLException failure) {
    return TRANSIENT_CODES.contains(failure.getErrorCode());
  }
}
