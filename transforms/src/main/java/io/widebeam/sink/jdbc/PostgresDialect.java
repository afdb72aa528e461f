package io.widebeam.sink.jdbc;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonValue;

/** PostgreSQL, from version 9.5. */
final class PostgresDialect extends Dialect {

  /** Connection refused or cut, server stopping, starting, or out of room, lock not to be had. */
  private static final Set<String> TRANSIENT_STATES =
      Set.of("57P01", "57P02", "57P03", "57P05", "55P03", "57014", "25006");

  @Override
  String quoted(String name) {
    return "\"" + name.replace("\"", "\"\"") + "\"";
  }

  @Override
  String typeName(ColumnType type, boolean indexed) {
    return switch (type.kind()) {
      case BOOLEAN -> "boolean";
      case INT16 -> "smallint";
      case INT32 -> "integer";
      case INT64 -> "bigint";
      case DECIMAL ->
          type.length() == 0 ? "numeric" : "numeric(" + type.length() + ", " + type.scale() + ")";
      case FLOAT64 -> "double precision";
      // A length would only stand in the way when the source's column grows.
      case TEXT -> "text";
      case BINARY -> "bytea";
      case DATE -> "date";
      case TIMESTAMP -> "timestamp";
      case INSTANT -> "timestamptz";
      case TIME -> "time";
      case DURATION -> "interval";
      case UUID -> "uuid";
      case JSON -> "jsonb";
    };
  }

  @Override
  List<String> createTable(FlatTable table) {
    return createTableAndIndex(table);
  }

  @Override
  String upsert(FlatTable table, int rows) {
    List<String> columns = writtenColumns(table);
    String version = quoted(table.versionColumn());
    String updates =
        columns.stream()
            .filter(column -> !table.primaryKey().contains(column))
            .map(column -> quoted(column) + " = excluded." + quoted(column))
            .collect(Collectors.joining(", "));
    return "INSERT INTO "
        + quotedTable(table.name())
        + " AS t ("
        + list(columns)
        + ") VALUES "
        + repeated("(" + repeated("?", columns.size()) + ")", rows)
        + " ON CONFLICT ("
        + list(table.primaryKey())
        + ") DO UPDATE SET "
        + updates
        + " WHERE COALESCE(t."
        + version
        + ", -1) < excluded."
        + version;
  }

  /** Texts of nondeterministic collations, which servers have from version 12, and char. */
  @Override
  List<LooseText> looseTexts(Connection connection, String schema, String catalog, String table)
      throws SQLException {
    List<LooseText> columns = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT a.attname, c.collname, a.atttypid = 'bpchar'::regtype,"
                + " coalesce(to_jsonb(c)->>'collisdeterministic' = 'false', false)"
                + " FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid"
                + " JOIN pg_namespace n ON n.oid = t.relnamespace"
                + " JOIN pg_collation c ON c.oid = a.attcollation"
                + " WHERE n.nspname = ? AND t.relname = ? AND a.attnum > 0")) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          String name = found.getString(1);
          if (found.getBoolean(4)) {
            columns.add(LooseText.ofCollation(name, found.getString(2), 0));
          } else if (found.getBoolean(3)) {
            columns.add(LooseText.ofChar(name, 0));
          }
        }
      }
    }
    return columns;
  }

  @Override
  String changeType(String column, int length) {
    return super.changeType(column, length) + " COLLATE \"C\"";
  }

  @Override
  void bind(PreparedStatement statement, int index, ColumnType type, @Nullable BsonValue value)
      throws SQLException {
    int jdbcType =
        switch (type.kind()) {
          case BOOLEAN -> Types.BOOLEAN;
          case INT16, INT32 -> Types.INTEGER;
          case INT64 -> Types.BIGINT;
          case DECIMAL -> Types.NUMERIC;
          case FLOAT64 -> Types.DOUBLE;
          case TEXT -> Types.VARCHAR;
          case BINARY -> Types.BINARY;
          // Left to the server, which knows the column.
          case DATE, TIMESTAMP, INSTANT, TIME, DURATION, UUID, JSON -> Types.OTHER;
        };
    if (value == null) {
      statement.setNull(index, jdbcType);
      return;
    }
    String special = special(value);
    if (special != null) {
      statement.setObject(index, special, Types.OTHER);
      return;
    }
    Object bound = SqlValues.of(type, value);
    switch (jdbcType) {
      case Types.INTEGER -> statement.setInt(index, (Integer) bound);
      case Types.BIGINT -> statement.setLong(index, (Long) bound);
      case Types.NUMERIC -> statement.setBigDecimal(index, (BigDecimal) bound);
      case Types.DOUBLE -> statement.setDouble(index, (Double) bound);
      case Types.VARCHAR -> statement.setString(index, (String) bound);
      case Types.BINARY -> statement.setBytes(index, (byte[]) bound);
      default -> statement.setObject(index, bound, jdbcType);
    }
  }

  /** Postgres knows timestamps beyond every date, and numbers that are none. */
  @Nullable
  private static String special(BsonValue value) {
    if (value instanceof BsonDateTime time) {
      return time.getValue() == Long.MAX_VALUE
          ? "infinity"
          : time.getValue() == Long.MIN_VALUE ? "-infinity" : null;
    }
    return value instanceof BsonDecimal128 decimal && !decimal.getValue().isFinite()
        ? decimal.getValue().toString()
        : null;
  }

  @Override
  boolean isTransient(SQLException failure) {
    String state = String.valueOf(failure.getSQLState());
    return TRANSIENT_STATES.contains(state) || state.startsWith("53");
  }
}
