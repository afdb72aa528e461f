package io.widebeam.sink.jdbc;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import org.bson.types.Decimal128;

/** Documents' values as JDBC takes them. */
final class SqlValues {
  /** Plain JSON: dates and bytes as texts, and exact numbers as numbers. */
  private static final JsonWriterSettings PLAIN =
      JsonWriterSettings.builder()
          .outputMode(JsonMode.RELAXED)
          .decimal128Converter((value, writer) -> writer.writeRaw(plain(value)))
          .dateTimeConverter(
              (value, writer) -> writer.writeString(Instant.ofEpochMilli(value).toString()))
          .binaryConverter(
              (value, writer) ->
                  writer.writeString(Base64.getEncoder().encodeToString(value.getData())))
          .doubleConverter(
              (value, writer) ->
                  writer.writeRaw(
                      Double.isFinite(value) ? Double.toString(value) : "\"" + value + "\""))
          .build();

  private static final long DAY_MILLIS = 86_400_000L;

  private static final Pattern DATE = Pattern.compile("\\d+-\\d{1,2}-\\d{1,2}( BC)?");

  private static final Pattern TIME =
      Pattern.compile("-?\\d+:\\d{1,2}(:\\d{1,2}(\\.\\d*)?)?(Z|[+-]\\d{2}(:?\\d{2})?)?");

  /** The digits behind a point, without zeros at their end. */
  private static final Pattern FRACTION = Pattern.compile("\\.(\\d*[1-9])");

  private static final String BEFORE_VALUE = "{\"v\": ";

  private SqlValues() {}

  private static String plain(Decimal128 value) {
    return value.isFinite()
        ? new BigDecimal(value.toString()).toPlainString()
        : "\"" + value + "\"";
  }

  /**
   * The value as Boolean, Integer, Long, BigDecimal, Double, byte[], or, for everything else, as
   * String.
   *
   * @throws IllegalArgumentException if the type has no such value; the message completes "column c
   *     …"
   */
  static Object of(ColumnType type, BsonValue value) {
    try {
      return switch (type.kind()) {
        case BOOLEAN -> booleanOf(value);
        case INT16, INT32 -> number(value).intValueExact();
        case INT64 -> number(value).longValueExact();
        case DECIMAL -> number(value);
        case FLOAT64 ->
            value.isDouble() ? value.asDouble().getValue() : number(value).doubleValue();
        case BINARY -> binaryOf(value);
        case DATE -> value.isDateTime() ? dateTime(value, true) : text(value);
        case TIMESTAMP, INSTANT -> value.isDateTime() ? dateTime(value, false) : text(value);
        case TEXT, TIME, DURATION, UUID -> text(value);
        // A text is JSON already: so the sources have it.
        case JSON -> value.isString() ? value.asString().getValue() : json(value);
      };
    } catch (ArithmeticException | NumberFormatException | DateTimeException e) {
      throw new IllegalArgumentException("cannot hold " + shortened(text(value)) + " as " + type);
    }
  }

  private static Boolean booleanOf(BsonValue value) {
    return value.isBoolean()
        ? value.asBoolean().getValue()
        : switch (number(value).intValueExact()) {
          case 0 -> false;
          case 1 -> true;
          default -> throw new ArithmeticException("neither true nor false");
        };
  }

  /**
   * Refuses what databases would round or cut without a word: more digits behind the point than the
   * column has, a time of day in a date, a date in a time.
   *
   * @param digits how many digits behind the point, of the number or of the seconds, the column has
   *     room for; null for any
   * @throws IllegalArgumentException if the value would be another one, or is none of the kind; the
   *     message completes "column c …"
   */
  static void requireExact(ColumnType type, BsonValue value, @Nullable Integer digits) {
    switch (type.kind()) {
      case DECIMAL -> {
        if (digits != null && !value.isBinary() && isFinite(value)) {
          BigDecimal number = (BigDecimal) of(type, value);
          // Few have more than there is room for, and zeros at the end cost time to find.
          if (number.scale() > digits) {
            requireDigits(value, type, number.stripTrailingZeros().scale(), digits);
          }
        }
      }
      case DATE -> {
        if (value.isDateTime()
            ? !isInfinite(value) && Math.floorMod(value.asDateTime().getValue(), DAY_MILLIS) != 0
            : !DATE.matcher(text(value)).matches()) {
          throw refused(value, type, "which is no date alone");
        }
      }
      case TIMESTAMP, INSTANT -> {
        if (digits != null && !(value.isDateTime() && isInfinite(value))) {
          int needed =
              value.isDateTime()
                  ? digitsOfMillis(value.asDateTime().getValue())
                  : digitsOfFraction(text(value));
          requireDigits(value, type, needed, digits);
        }
      }
      case TIME, DURATION -> {
        if (!TIME.matcher(text(value)).matches()) {
          throw refused(value, type, "which is no time alone");
        }
        if (digits != null) {
          requireDigits(value, type, digitsOfFraction(text(value)), digits);
        }
      }
      case BOOLEAN, INT16, INT32, INT64, FLOAT64, TEXT, BINARY, UUID, JSON -> {}
    }
  }

  private static void requireDigits(BsonValue value, ColumnType type, int needed, int digits) {
    if (needed > digits) {
      throw refused(
          value,
          type,
          "which needs "
              + needed
              + (needed == 1 ? " digit" : " digits")
              + " behind the point, and the table's column has "
              + digits);
    }
  }

  private static IllegalArgumentException refused(BsonValue value, ColumnType type, String why) {
    return new IllegalArgumentException(
        "cannot hold "
            + shortened(text(value))
            + " as "
            + type
            + ", "
            + why
            + ": change the column's type to one that holds what the source's does");
  }

  /** Whether a number is one; infinity and NaN are the dialects'. */
  private static boolean isFinite(BsonValue value) {
    return value.isDecimal128()
        ? value.asDecimal128().getValue().isFinite()
        : !value.isDouble() || Double.isFinite(value.asDouble().getValue());
  }

  /** Postgres knows dates that are beyond every other. */
  private static boolean isInfinite(BsonValue value) {
    long millis = value.asDateTime().getValue();
    return millis == Long.MAX_VALUE || millis == Long.MIN_VALUE;
  }

  private static int digitsOfMillis(long millis) {
    long fraction = Math.floorMod(millis, 1000L);
    return fraction == 0 ? 0 : fraction % 100 == 0 ? 1 : fraction % 10 == 0 ? 2 : 3;
  }

  private static int digitsOfFraction(String text) {
    Matcher fraction = FRACTION.matcher(text);
    return fraction.find() ? fraction.group(1).length() : 0;
  }

  private static BigDecimal number(BsonValue value) {
    return switch (value.getBsonType()) {
      case INT32 -> BigDecimal.valueOf(value.asInt32().getValue());
      case INT64 -> BigDecimal.valueOf(value.asInt64().getValue());
      case BOOLEAN -> value.asBoolean().getValue() ? BigDecimal.ONE : BigDecimal.ZERO;
      case BINARY -> new BigDecimal(new BigInteger(1, value.asBinary().getData()));
      case DOUBLE -> new BigDecimal(Double.toString(value.asDouble().getValue()));
      default -> new BigDecimal(text(value));
    };
  }

  private static byte[] binaryOf(BsonValue value) {
    if (!value.isBinary()) {
      throw new IllegalArgumentException("cannot hold " + shortened(text(value)) + " as bytes");
    }
    return value.asBinary().getData();
  }

  /** {@code yyyy-MM-dd HH:mm:ss.SSS} in UTC, or its date alone, in Postgres's way before Christ. */
  private static String dateTime(BsonValue value, boolean dateOnly) {
    long millis = value.asDateTime().getValue();
    LocalDateTime time = LocalDateTime.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
    StringBuilder text = new StringBuilder(23);
    boolean beforeChrist = time.getYear() <= 0;
    int year = beforeChrist ? 1 - time.getYear() : time.getYear();
    digits(text, year / 1000, 1);
    digits(text, year % 1000, 100).append('-');
    digits(text, time.getMonthValue(), 10).append('-');
    digits(text, time.getDayOfMonth(), 10).append(' ');
    digits(text, time.getHour(), 10).append(':');
    digits(text, time.getMinute(), 10).append(':');
    digits(text, time.getSecond(), 10).append('.');
    digits(text, time.getNano() / 1_000_000, 100);
    return (dateOnly ? text.substring(0, text.indexOf(" ")) : text.toString())
        + (beforeChrist ? " BC" : "");
  }

  private static StringBuilder digits(StringBuilder text, int value, int highest) {
    for (int unit = highest; unit > 1 && value < unit; unit /= 10) {
      text.append('0');
    }
    return text.append(value);
  }

  private static String text(BsonValue value) {
    return switch (value.getBsonType()) {
      case STRING -> value.asString().getValue();
      case INT32 -> Integer.toString(value.asInt32().getValue());
      case INT64 -> Long.toString(value.asInt64().getValue());
      case DOUBLE -> Double.toString(value.asDouble().getValue());
      case BOOLEAN -> Boolean.toString(value.asBoolean().getValue());
      case DECIMAL128 -> value.asDecimal128().getValue().toString();
      case DATE_TIME -> Instant.ofEpochMilli(value.asDateTime().getValue()).toString();
      case BINARY -> Base64.getEncoder().encodeToString(value.asBinary().getData());
      default -> json(value);
    };
  }

  /** The value as plain JSON. */
  static String json(BsonValue value) {
    String document = new BsonDocument("v", value).toJson(PLAIN);
    return document.substring(BEFORE_VALUE.length(), document.length() - 1);
  }

  private static String shortened(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }
}
