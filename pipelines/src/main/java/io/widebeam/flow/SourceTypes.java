package io.widebeam.flow;

import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import java.sql.Types;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;

/**
 * What the columns of a source's tables hold, as they come out of its log. A type that is not named
 * here comes as text.
 */
final class SourceTypes {

  /** {@code numeric(10,2)}, {@code timestamp(3) without time zone}: name, lengths, rest. */
  private static final Pattern TYPE =
      Pattern.compile("([^(]+)(?:\\((-?\\d+)(?:, ?(-?\\d+))?\\))?(.*)", Pattern.DOTALL);

  private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?");

  /** A text constant, with or without its type behind it. */
  private static final Pattern QUOTED =
      Pattern.compile("'((?:[^'\\\\]|''|\\\\.)*)'(?:::[\\w .\"()]+)?");

  private SourceTypes() {}

  /**
   * A column of MySQL or MariaDB.
   *
   * @param type the whole type, as in {@code int(10) unsigned}
   * @param length of a text in characters, of a binary string in bytes; 0 for other types
   */
  static ColumnType mysql(String type, long length) {
    String lower = type.toLowerCase(Locale.ROOT);
    boolean unsigned = lower.contains("unsigned") || lower.contains("zerofill");
    Matcher parts = parts(lower);
    // LONGTEXT and LONGBLOB have no limit that matters.
    int limit = length > 16_777_215 ? 0 : (int) length;
    return switch (parts.group(1).strip()) {
      case "tinyint", "year" -> ColumnType.of(Kind.INT16);
      case "smallint" -> ColumnType.of(unsigned ? Kind.INT32 : Kind.INT16);
      case "mediumint" -> ColumnType.of(Kind.INT32);
      case "int", "integer", "int unsigned" -> ColumnType.of(unsigned ? Kind.INT64 : Kind.INT32);
      case "bigint", "bigint unsigned" ->
          unsigned ? ColumnType.decimal(20, 0) : ColumnType.of(Kind.INT64);
      case "smallint unsigned", "mediumint unsigned" -> ColumnType.of(Kind.INT32);
      case "tinyint unsigned" -> ColumnType.of(Kind.INT16);
      case "decimal", "numeric" -> decimal(parts, 10);
      case "float", "double", "real", "float unsigned", "double unsigned" ->
          ColumnType.of(Kind.FLOAT64);
      case "bit" ->
          number(parts.group(2), 1) == 1 ? ColumnType.of(Kind.BOOLEAN) : ColumnType.binary(8);
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" ->
          ColumnType.binary(limit);
      case "date" -> ColumnType.of(Kind.DATE);
      case "datetime" -> ColumnType.time(Kind.TIMESTAMP, number(parts.group(2), 0));
      case "timestamp" -> ColumnType.time(Kind.INSTANT, number(parts.group(2), 0));
      case "time" -> ColumnType.time(Kind.DURATION, number(parts.group(2), 0));
      case "uuid" -> ColumnType.of(Kind.UUID);
      case "json",
          "geometry",
          "point",
          "linestring",
          "polygon",
          "multipoint",
          "multilinestring",
          "multipolygon",
          "geometrycollection",
          "geomcollection" ->
          ColumnType.of(Kind.JSON);
      default -> ColumnType.text(limit);
    };
  }

  /** A column of Postgres, by what {@code format_type} says. */
  static ColumnType postgres(String type) {
    if (type.endsWith("[]")) {
      return ColumnType.of(Kind.JSON);
    }
    Matcher parts = parts(type);
    return switch ((parts.group(1) + parts.group(4)).strip()) {
      case "smallint" -> ColumnType.of(Kind.INT16);
      case "integer" -> ColumnType.of(Kind.INT32);
      case "bigint", "oid" -> ColumnType.of(Kind.INT64);
      case "numeric" -> decimal(parts, 0);
      case "money" -> ColumnType.decimal(19, 2);
      case "real", "double precision" -> ColumnType.of(Kind.FLOAT64);
      case "boolean" -> ColumnType.of(Kind.BOOLEAN);
      case "bit" ->
          number(parts.group(2), 1) == 1 ? ColumnType.of(Kind.BOOLEAN) : ColumnType.text(0);
      case "character", "character varying" -> ColumnType.text(number(parts.group(2), 0));
      case "bytea" -> ColumnType.binary(0);
      case "date" -> ColumnType.of(Kind.DATE);
      case "timestamp without time zone" -> postgresTime(Kind.TIMESTAMP, parts);
      case "timestamp with time zone" -> postgresTime(Kind.INSTANT, parts);
      case "time without time zone" -> postgresTime(Kind.TIME, parts);
      case "uuid" -> ColumnType.of(Kind.UUID);
      case "json", "jsonb", "hstore", "point", "geometry", "geography" -> ColumnType.of(Kind.JSON);
      default -> ColumnType.text(0);
    };
  }

  /** A column of any other database, by its JDBC type. */
  static ColumnType jdbc(int type, int size, int scale) {
    return switch (type) {
      case Types.BIT, Types.BOOLEAN -> ColumnType.of(Kind.BOOLEAN);
      case Types.TINYINT, Types.SMALLINT -> ColumnType.of(Kind.INT16);
      case Types.INTEGER -> ColumnType.of(Kind.INT32);
      case Types.BIGINT -> ColumnType.of(Kind.INT64);
      case Types.DECIMAL, Types.NUMERIC ->
          size <= 0 ? ColumnType.decimal(0, 0) : ColumnType.decimal(size, Math.max(scale, 0));
      case Types.REAL, Types.FLOAT, Types.DOUBLE -> ColumnType.of(Kind.FLOAT64);
      case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB -> ColumnType.binary(0);
      case Types.DATE -> ColumnType.of(Kind.DATE);
      case Types.TIMESTAMP -> ColumnType.time(Kind.TIMESTAMP, Math.max(scale, 0));
      case Types.TIMESTAMP_WITH_TIMEZONE -> ColumnType.time(Kind.INSTANT, Math.max(scale, 0));
      case Types.TIME -> ColumnType.of(Kind.TIME);
      case Types.ARRAY, Types.STRUCT -> ColumnType.of(Kind.JSON);
      default -> ColumnType.text(0);
    };
  }

  /**
   * The constant that a default expression stands for, as text; empty if it is none, or null.
   *
   * @param expression as the catalog has it, null for none
   * @param escapes whether a backslash in a text makes the next character stand for itself
   */
  static Optional<String> constant(@Nullable String expression, boolean escapes) {
    if (expression == null) {
      return Optional.empty();
    }
    Matcher quoted = QUOTED.matcher(expression);
    if (quoted.matches()) {
      String text = quoted.group(1).replace("''", "'");
      return Optional.of(escapes ? text.replaceAll("\\\\(.)", "$1") : text);
    }
    String text = expression.strip();
    return NUMBER.matcher(text).matches() || text.equals("true") || text.equals("false")
        ? Optional.of(text)
        : Optional.empty();
  }

  private static Matcher parts(String type) {
    Matcher matcher = TYPE.matcher(type);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("not a type: " + type);
    }
    return matcher;
  }

  /** Where nothing else is said, Postgres keeps microseconds. */
  private static ColumnType postgresTime(Kind kind, Matcher parts) {
    return ColumnType.time(kind, number(parts.group(2), 6));
  }

  private static ColumnType decimal(Matcher parts, int usualLength) {
    int length = number(parts.group(2), usualLength);
    int scale = number(parts.group(3), 0);
    // Postgres rounds to tens and hundreds where the scale is negative.
    return scale < 0 ? ColumnType.decimal(length - scale, 0) : ColumnType.decimal(length, scale);
  }

  private static int number(String text, int absent) {
    return text == null ? absent : Integer.parseInt(text);
  }
}
