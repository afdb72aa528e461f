package io.widebeam.cdc;

import io.widebeam.change.BsonBuffer;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/**
 * Writes the rows of one MySQL or MariaDB table as BSON, from the texts in which the server sends
 * them: every value the very same that {@link DebeziumChanges} gives of the log.
 *
 * <p>Where the connector's own snapshot and the log differ, as in zero timestamps, the log counts:
 * a row must not depend on when it was read.
 */
final class JdbcRowEncoder {

  /**
   * A column as {@code information_schema.columns} describes it.
   *
   * @param type the whole type, such as {@code int(10) unsigned}
   * @param dataType its name alone
   * @param initial the default value, or null if there is none
   * @param charset a text's character set, or null
   */
  record Column(
      String name,
      String type,
      String dataType,
      boolean nullable,
      @Nullable String initial,
      @Nullable String charset,
      String extra) {}

  /** Writes one value, which is never null, as the field {@code name}. */
  @FunctionalInterface
  private interface ValueEncoder {
    void encode(BsonBuffer out, byte[] name, byte[] text);
  }

  private static final long MILLIS_PER_DAY = 86_400_000L;
  private static final int MAX_LONG_DIGITS = 18;

  private static final byte[] X = BsonBuffer.fieldName("x");
  private static final byte[] Y = BsonBuffer.fieldName("y");
  private static final byte[] WKB = BsonBuffer.fieldName("wkb");
  private static final byte[] SRID = BsonBuffer.fieldName("srid");

  /** Where a point's coordinates are, after its reference system, byte order and type. */
  private static final int POINT_X = 9;

  private static final Pattern SPECIAL =
      Pattern.compile("(VIRTUAL|STORED|PERSISTENT)|INVISIBLE", Pattern.CASE_INSENSITIVE);

  private static final Set<String> UTF8 = Set.of("utf8mb4", "utf8mb3", "utf8", "ascii");

  /** Character sets that the server and Java decode alike. */
  private static final Set<String> CHARSETS =
      Set.of(
          "utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf32", "ascii", "latin1", "latin2",
          "cp1250", "cp1251", "koi8r", "greek", "big5", "euckr", "ujis", "sjis", "gbk");

  private final String table;
  private final List<Column> columns;
  private final byte[][] names;
  private final ValueEncoder[] encoders;

  /**
   * @param table names the table in messages
   * @param columns each of which {@link #obstacle} has nothing against
   */
  JdbcRowEncoder(String table, List<Column> columns) {
    this.table = table;
    this.columns = columns;
    names = columns.stream().map(c -> BsonBuffer.fieldName(c.name())).toArray(byte[][]::new);
    encoders = columns.stream().map(JdbcRowEncoder::encoderFor).toArray(ValueEncoder[]::new);
  }

  /** Why the column cannot be read this way, or null if it can. */
  @Nullable
  static String obstacle(Column column) {
    if (SPECIAL.matcher(column.extra()).find()) {
      return "is generated or invisible";
    }
    if (column.charset() != null && !CHARSETS.contains(column.charset())) {
      return "has the character set " + column.charset();
    }
    return encoderFor(column) == null ? "has the type " + column.type() : null;
  }

  /** The columns for a SELECT, in their order, and all of them as texts or bytes. */
  String selectList() {
    return columns.stream().map(JdbcRowEncoder::expression).collect(Collectors.joining(", "));
  }

  private static String expression(Column column) {
    String name = "`" + column.name().replace("`", "``") + "`";
    if (column.charset() != null && !UTF8.contains(column.charset())) {
      // MySQL's driver would hand out the column's own bytes.
      return "CONVERT(" + name + " USING utf8mb4)";
    }
    return switch (column.dataType()) {
      case "char",
          "varchar",
          "tinytext",
          "text",
          "mediumtext",
          "longtext",
          "enum",
          "set",
          "binary",
          "varbinary",
          "tinyblob",
          "blob",
          "mediumblob",
          "longblob",
          "point",
          "geometry",
          "linestring",
          "polygon",
          "multipoint",
          "multilinestring",
          "multipolygon",
          "geometrycollection",
          "geomcollection" ->
          name;
      // The server writes six digits of a FLOAT, but all of a DOUBLE.
      case "float" -> "CAST(" + name + " * 1e0 AS CHAR)";
      case "bit" -> "CAST(" + name + " + 0 AS CHAR)";
      // It would be text anyhow, but the drivers do not hand out that of every type.
      default -> "CAST(" + name + " AS CHAR)";
    };
  }

  /** The row at the cursor of a result of {@link #selectList}. */
  RawBsonDocument encode(BsonBuffer out, ResultSet row) throws SQLException {
    out.clear();
    int start = out.startDocument();
    for (int i = 0; i < encoders.length; i++) {
      byte[] text = row.getBytes(i + 1);
      if (text == null) {
        out.putNull(names[i]);
        continue;
      }
      try {
        encoders[i].encode(out, names[i], text);
      } catch (RuntimeException e) {
        throw new RowEncoder.UnsupportedValueException(
            "The value of column "
                + table
                + "."
                + columns.get(i).name()
                + " (type "
                + columns.get(i).type()
                + ") cannot be represented: "
                + e.getMessage(),
            e);
      }
    }
    out.end(start);
    return out.toDocument();
  }

  @Nullable
  private static ValueEncoder encoderFor(Column column) {
    boolean unsigned = column.type().contains("unsigned");
    return switch (column.dataType()) {
      case "tinyint", "smallint", "mediumint" -> JdbcRowEncoder::putInt32;
      case "int" -> unsigned ? JdbcRowEncoder::putInt64 : JdbcRowEncoder::putInt32;
      case "bigint" -> unsigned ? JdbcRowEncoder::putUnsigned : JdbcRowEncoder::putInt64;
      case "decimal" -> JdbcRowEncoder::putDecimal;
      case "float" -> JdbcRowEncoder::putFloat;
      case "double" -> (out, name, text) -> out.putDouble(name, Double.parseDouble(ascii(text)));
      case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "uuid" ->
          BsonBuffer::putString;
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" ->
          BsonBuffer::putBinary;
      case "bit" ->
          column.type().equals("bit(1)")
              ? (out, name, text) -> out.putBoolean(name, text[0] == '1')
              : (out, name, text) -> out.putBinary(name, bits(column, text));
      case "json" -> (out, name, text) -> JsonEncoder.put(out, name, utf8(text));
      case "point" -> (out, name, text) -> putGeometry(out, name, text, true);
      case "geometry",
          "linestring",
          "polygon",
          "multipoint",
          "multilinestring",
          "multipolygon",
          "geometrycollection",
          "geomcollection" ->
          (out, name, text) -> putGeometry(out, name, text, false);
      case "date", "datetime", "timestamp" ->
          (out, name, text) -> {
            if (isZeroDate(text)) {
              out.putNull(name);
            } else {
              out.putDateTime(name, millisOf(text));
            }
          };
      case "time" ->
          (out, name, text) -> out.putString(name, Temporal.timeOfMicros(microsOf(text)));
      case "year" -> JdbcRowEncoder::putInt32;
      default -> null;
    };
  }

  /** The bits as bytes, the first one the lowest. */
  private static byte[] bits(Column column, byte[] text) {
    String type = column.type();
    int count = Integer.parseInt(type.substring(type.indexOf('(') + 1, type.indexOf(')')));
    byte[] bytes = new byte[(count + Byte.SIZE - 1) / Byte.SIZE];
    long value = Long.parseUnsignedLong(ascii(text));
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (value >>> (Byte.SIZE * i));
    }
    return bytes;
  }

  /** The server's own form of a geometry is the number of its reference system, then its WKB. */
  private static void putGeometry(BsonBuffer out, byte[] name, byte[] bytes, boolean point) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int system = buffer.getInt();
    int start = out.startDocument(name);
    if (point) {
      out.putDouble(X, buffer.getDouble(POINT_X));
      out.putDouble(Y, buffer.getDouble(POINT_X + Double.BYTES));
    }
    out.putBinary(WKB, buffer);
    if (system == 0) {
      out.putNull(SRID);
    } else {
      out.putInt32(SRID, system);
    }
    out.end(start);
  }

  private static void putInt32(BsonBuffer out, byte[] name, byte[] text) {
    out.putInt32(name, (int) parseLong(text));
  }

  private static void putInt64(BsonBuffer out, byte[] name, byte[] text) {
    out.putInt64(name, parseLong(text));
  }

  private static void putUnsigned(BsonBuffer out, byte[] name, byte[] text) {
    if (text.length <= MAX_LONG_DIGITS) {
      out.putInt64(name, parseLong(text));
      return;
    }
    long value = Long.parseUnsignedLong(ascii(text));
    if (value >= 0) {
      out.putInt64(name, value);
    } else {
      out.putDecimal(name, new BigDecimal(ascii(text)));
    }
  }

  private static void putDecimal(BsonBuffer out, byte[] name, byte[] text) {
    if (text.length > MAX_LONG_DIGITS) {
      RowEncoder.putDecimal(out, name, new BigDecimal(ascii(text)));
      return;
    }
    boolean negative = text[0] == '-';
    long unscaled = 0;
    int scale = 0;
    for (int i = negative ? 1 : 0; i < text.length; i++) {
      if (text[i] == '.') {
        scale = text.length - i - 1;
      } else {
        unscaled = unscaled * 10 + digit(text, i);
      }
    }
    out.putDecimal(name, negative ? -unscaled : unscaled, scale);
  }

  private static void putFloat(BsonBuffer out, byte[] name, byte[] text) {
    out.putDouble(name, RowEncoder.shortestDouble((float) Double.parseDouble(ascii(text))));
  }

  private static boolean isZeroDate(byte[] text) {
    return digits(text, 0, 4) == 0 || digits(text, 5, 2) == 0 || digits(text, 8, 2) == 0;
  }

  /** Milliseconds since the epoch of {@code yyyy-MM-dd[ HH:mm:ss[.ffffff]]} in UTC. */
  private static long millisOf(byte[] text) {
    long millis =
        LocalDate.of(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)).toEpochDay()
            * MILLIS_PER_DAY;
    if (text.length > 10) {
      millis +=
          digits(text, 11, 2) * 3_600_000L
              + digits(text, 14, 2) * 60_000L
              + digits(text, 17, 2) * 1_000L;
      for (int i = 20, unit = 100; i < text.length && unit > 0; i++, unit /= 10) {
        millis += digit(text, i) * (long) unit;
      }
    }
    return millis;
  }

  /** Microseconds of {@code [-]H…H:mm:ss[.ffffff]}. */
  private static long microsOf(byte[] text) {
    int at = text[0] == '-' ? 1 : 0;
    long seconds = 0;
    long part = 0;
    for (; at < text.length && text[at] != '.'; at++) {
      if (text[at] == ':') {
        seconds = (seconds + part) * 60;
        part = 0;
      } else {
        part = part * 10 + digit(text, at);
      }
    }
    long micros = (seconds + part) * 1_000_000L;
    long unit = 100_000;
    for (at++; at < text.length; at++, unit /= 10) {
      micros += digit(text, at) * unit;
    }
    return text[0] == '-' ? -micros : micros;
  }

  private static long parseLong(byte[] text) {
    boolean negative = text[0] == '-';
    // Counted below zero, where the smallest number has room.
    long value = 0;
    for (int i = negative ? 1 : 0; i < text.length; i++) {
      value = value * 10 - digit(text, i);
    }
    return negative ? value : -value;
  }

  private static int digits(byte[] text, int from, int count) {
    int value = 0;
    for (int i = from; i < from + count; i++) {
      value = value * 10 + digit(text, i);
    }
    return value;
  }

  private static int digit(byte[] text, int index) {
    int digit = text[index] - '0';
    if (digit < 0 || digit > 9) {
      throw new IllegalArgumentException("unexpected text " + ascii(text));
    }
    return digit;
  }

  private static String utf8(byte[] text) {
    return new String(text, StandardCharsets.UTF_8);
  }

  private static String ascii(byte[] text) {
    return new String(text, StandardCharsets.ISO_8859_1);
  }
}
