package io.widebeam.cdc;

import io.widebeam.cdc.SourceDatabase.UnsuitableException;
import io.widebeam.change.BsonBuffer;
import io.widebeam.change.TableId;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/** The tables of a Postgres server: every value the one that {@link DebeziumChanges} gives. */
final class PostgresTables extends TableLoader {
  private static final int FETCHED_ROWS = 2_000;

  /** A column, its name as a field, and how its text is written. */
  private record Column(String name, String expression, byte[] field, PostgresText writer) {}

  PostgresTables(Map<String, String> properties, SourceDatabase database) {
    super(properties, database);
  }

  @Override
  void prepareSession() throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex';"
              + " SET extra_float_digits = 1; SET statement_timeout = 0;"
              + " SET idle_in_transaction_session_timeout = 0");
    }
    // The driver reads piece by piece only in a transaction; each statement sees what is there.
    connection.setAutoCommit(false);
  }

  @Override
  List<Table> tables() throws SQLException, UnsuitableException {
    BiPredicate<String, String> captured = captured(properties);
    List<TableId> ids = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT n.nspname, c.relname, c.relkind = 'r' AND NOT c.relispartition AND NOT"
                    + " c.relhassubclass FROM pg_class c JOIN pg_namespace n ON n.oid ="
                    + " c.relnamespace WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND"
                    + " n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
                    + " ORDER BY 1, 2")) {
      while (row.next()) {
        if (captured.test(row.getString(1), row.getString(2))) {
          if (!row.getBoolean(3)) {
            throw new UnsuitableException(
                "table " + row.getString(1) + "." + row.getString(2) + " has partitions or heirs");
          }
          ids.add(id(row.getString(1), row.getString(2)));
        }
      }
    }
    List<Table> tables = new ArrayList<>(ids.size());
    for (TableId id : ids) {
      tables.add(table(id.namespace(), id.name()));
    }
    readDone();
    return tables;
  }

  @Override
  Table table(String schema, String table) throws SQLException, UnsuitableException {
    String name = schema + "." + table;
    List<Column> columns = new ArrayList<>();
    List<KeyColumn> key = new ArrayList<>();
    long rows = 0;
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), c.reltuples"
                + " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                + " JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
                + " WHERE n.nspname = ? AND c.relname = ? AND i.indisprimary"
                + " ORDER BY array_position(i.indkey::int2[], a.attnum)")) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String column = quote(row.getString(1));
          key.add(
              new KeyColumn(
                  quote(table) + "." + column,
                  column + "::text",
                  "CAST(? AS " + row.getString(2) + ")"));
          rows = Math.max(0, row.getLong(3));
        }
      }
    }
    if (key.isEmpty()) {
      // Nothing would tell a row that was read from the same row in the log.
      throw new UnsuitableException("table " + name + " is not there, or has no primary key");
    }
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT a.attname, coalesce(b.typname, t.typname), coalesce(b.typtype, t.typtype),"
                + " a.attgenerated <> ''"
                + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                + " JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " JOIN pg_type t ON t.oid = a.atttypid"
                + " LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype"
                + " WHERE n.nspname = ? AND c.relname = ? AND a.attnum > 0 AND NOT a.attisdropped"
                + " ORDER BY a.attnum")) {
      statement.setString(1, schema);
      statement.setString(2, table);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          String column = row.getString(1);
          PostgresText writer = writer(row.getString(2), row.getString(3));
          if (writer == null || row.getBoolean(4)) {
            throw new UnsuitableException(
                "column "
                    + name
                    + "."
                    + column
                    + (writer == null ? " has the type " + row.getString(2) : " is generated"));
          }
          // As text, a CHAR would lose its blanks.
          String expression =
              row.getString(2).equals("bpchar") ? quote(column) : quote(column) + "::text";
          columns.add(new Column(column, expression, BsonBuffer.fieldName(column), writer));
        }
      }
    }
    readDone();
    return new Table(
        id(schema, table),
        columns.stream().map(Column::expression).collect(Collectors.joining(", ")),
        quote(schema) + "." + quote(table),
        (buffer, row) -> encode(name, columns, buffer, row),
        key,
        rows);
  }

  /** Writes the type's texts as the log's values are; null if that is not known. */
  @Nullable
  private static PostgresText writer(String type, String kind) {
    if (kind.equals("e")) {
      return BsonBuffer::putString;
    }
    return switch (type) {
      case "bool",
          "int2",
          "int4",
          "int8",
          "oid",
          "float4",
          "float8",
          "numeric",
          "date",
          "timestamp",
          "timestamptz",
          "json",
          "jsonb",
          "bytea",
          "text",
          "varchar",
          "bpchar",
          "uuid" ->
          PostgresText.ofType(type);
      case "_bool", "_int2", "_int4", "_int8", "_text", "_varchar", "_numeric", "_uuid" ->
          PostgresText.ofType(type);
      default -> null;
    };
  }

  private static RawBsonDocument encode(
      String table, List<Column> columns, BsonBuffer out, ResultSet row) throws SQLException {
    out.clear();
    int start = out.startDocument();
    for (int i = 0; i < columns.size(); i++) {
      Column column = columns.get(i);
      byte[] bytes = row.getBytes(i + 1);
      if (bytes == null) {
        out.putNull(column.field());
        continue;
      }
      try {
        column.writer().put(out, column.field(), new String(bytes, StandardCharsets.UTF_8));
      } catch (RuntimeException e) {
        throw new RowEncoder.UnsupportedValueException(
            "The value of column "
                + table
                + "."
                + column.name()
                + " cannot be represented: "
                + e.getMessage(),
            e);
      }
    }
    out.end(start);
    return out.toDocument();
  }

  @Override
  int fetchSize() {
    return FETCHED_ROWS;
  }

  @Override
  void readDone() throws SQLException {
    connection.commit();
  }

  private static String quote(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }
}
