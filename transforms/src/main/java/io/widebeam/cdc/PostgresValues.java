package io.widebeam.cdc;

import io.debezium.DebeziumException;
import io.debezium.data.SpecialValueDecimal;
import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import io.debezium.time.Timestamp;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Calendar;
import java.util.Date;
import java.util.GregorianCalendar;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TimeZone;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * Keeps what the Postgres connector by itself loses of a value: NaN and infinity of a numeric and
 * of dates, dates before 1582, whose days its snapshot and its log count differently, the inner
 * dimensions of arrays, the length of bit strings, and whole columns of types that it has no
 * representation for.
 *
 * <p>Such columns travel as the text that Postgres has for them, for {@link PostgresText} to read.
 */
public final class PostgresValues implements CustomConverter<SchemaBuilder, RelationalColumn> {
  private static final int JDBC_ARRAY = 2003;

  // The types' numbers, which domains share with the type below them.
  private static final int DATE = 1082;
  private static final int TIMESTAMP = 1114;
  private static final int TIMESTAMPTZ = 1184;
  private static final int NUMERIC = 1700;
  private static final int MONEY = 790;
  private static final int BIT = 1560;
  private static final int VARBIT = 1562;

  /** The builtin types' arrays, which a domain may have another name for. */
  private static final Map<Integer, String> ARRAYS =
      Map.ofEntries(
          Map.entry(1000, "bool"),
          Map.entry(1001, "bytea"),
          Map.entry(1005, "int2"),
          Map.entry(1007, "int4"),
          Map.entry(1009, "text"),
          Map.entry(1015, "varchar"),
          Map.entry(1016, "int8"),
          Map.entry(1021, "float4"),
          Map.entry(1022, "float8"),
          Map.entry(1115, "timestamp"),
          Map.entry(1182, "date"),
          Map.entry(1183, "time"),
          Map.entry(1185, "timestamptz"),
          Map.entry(1231, "numeric"),
          Map.entry(199, "json"),
          Map.entry(2951, "uuid"),
          Map.entry(3807, "jsonb"));

  /** What the connector represents well, or a type that it knows by name. */
  private static final Set<String> LEFT_TO_THE_CONNECTOR =
      Set.of(
          "bool",
          "int2",
          "int4",
          "int8",
          "serial",
          "smallserial",
          "bigserial",
          "oid",
          "float4",
          "float8",
          "bpchar",
          "varchar",
          "text",
          "bytea",
          "time",
          "timetz",
          "interval",
          "json",
          "jsonb",
          "uuid",
          "xml",
          "inet",
          "cidr",
          "macaddr",
          "macaddr8",
          "int4range",
          "int8range",
          "numrange",
          "daterange",
          "tsrange",
          "tstzrange",
          "point",
          "tsvector",
          "citext",
          "hstore",
          "ltree",
          "geometry",
          "geography",
          "vector",
          "halfvec",
          "sparsevec",
          "isbn");

  /** The driver's dates for infinity, in milliseconds. */
  private static final long DRIVERS_INFINITY = 9223372036825200000L;

  private static final long DRIVERS_MINUS_INFINITY = -9223372036832400000L;

  /** The connector takes those for milliseconds or microseconds. */
  private static final Set<Instant> INFINITY =
      Set.of(
          Instant.ofEpochMilli(DRIVERS_INFINITY),
          Instant.EPOCH.plus(DRIVERS_INFINITY, ChronoUnit.MICROS));

  private static final Set<Instant> MINUS_INFINITY =
      Set.of(
          Instant.ofEpochMilli(DRIVERS_MINUS_INFINITY),
          Instant.EPOCH.plus(DRIVERS_MINUS_INFINITY, ChronoUnit.MICROS));

  /** What the connector makes of infinite dates in the log; Postgres's calendar begins later. */
  private static final long INFINITE_DAY = -2147472692L;

  private static final long MINUS_INFINITE_DAY = -2147472691L;

  /** With a year to spare, for zones. */
  private static final long END_OF_JULIAN_CALENDAR =
      LocalDate.of(1583, 10, 15).toEpochDay() * Temporal.MILLIS_PER_DAY;

  /** Beyond it, the driver has rounded the cents of an amount. */
  private static final double EXACT_MONEY = (1L << 53) / 1000.0;

  @Override
  public void configure(Properties properties) {}

  @Override
  public void converterFor(
      RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
    switch (column.nativeType()) {
      case DATE, TIMESTAMP ->
          register(column, Timestamp.builder(), value -> millis(value, false), registration);
      case TIMESTAMPTZ ->
          register(column, Timestamp.builder(), value -> millis(value, true), registration);
      case NUMERIC -> register(column, text("numeric"), PostgresValues::numeric, registration);
      case MONEY -> register(column, text("numeric"), PostgresValues::money, registration);
      case VARBIT -> register(column, text("text"), Object::toString, registration);
      case BIT -> {
        if (column.length().orElse(1) > 1) {
          register(column, text("text"), Object::toString, registration);
        }
      }
      default -> {
        String type = column.typeName().toLowerCase(Locale.ROOT);
        String element = ARRAYS.get(column.nativeType());
        if (element == null && (type.startsWith("_") || column.jdbcType() == JDBC_ARRAY)) {
          element = type.startsWith("_") ? type.substring(1) : "text";
        }
        if (element != null) {
          register(column, text("_" + element), Object::toString, registration);
        } else if (isUnknown(column, type)) {
          register(column, text("text"), Object::toString, registration);
        }
      }
    }
  }

  /** A type that the connector would leave out, or give as bytes. */
  private static boolean isUnknown(RelationalColumn column, String type) {
    return !LEFT_TO_THE_CONNECTOR.contains(type)
        // An enum's type, and a domain's, has a name of its own, and the driver knows what it is.
        && (column.jdbcType() == java.sql.Types.OTHER
            || column.jdbcType() == java.sql.Types.STRUCT
            || column.jdbcType() == java.sql.Types.VARCHAR);
  }

  private static SchemaBuilder text(String type) {
    return SchemaBuilder.string().name(PostgresText.SCHEMA_NAME).parameter(PostgresText.TYPE, type);
  }

  private static void register(
      RelationalColumn column,
      SchemaBuilder schema,
      Converter converter,
      ConverterRegistration<SchemaBuilder> registration) {
    Object initial = column.defaultValue();
    if (initial != null) {
      // The connector asks for the default value in the same way, which is of no use here.
      schema.optional();
    }
    if (!column.isOptional()) {
      schema.parameter(RowEncoder.REQUIRED, "true");
    }
    registration.register(
        schema,
        value -> {
          if (value == null || (initial != null && value == initial)) {
            return null;
          }
          return converter.convert(value);
        });
  }

  private static Object numeric(Object value) {
    if (value instanceof SpecialValueDecimal special) {
      return special
          .getDecimalValue()
          .map(BigDecimal::toPlainString)
          .orElseGet(() -> specialText(special));
    }
    return value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
  }

  private static String specialText(SpecialValueDecimal special) {
    double value = special.toDouble();
    return Double.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }

  private static Object money(Object value) {
    if (value instanceof Double amount) {
      if (Math.abs(amount) > EXACT_MONEY) {
        throw unreadable(
            "An amount of type money beyond 9 trillion cannot be read exactly; make the"
                + " column numeric");
      }
      return BigDecimal.valueOf(amount).setScale(2, RoundingMode.HALF_UP).toPlainString();
    }
    return value.toString();
  }

  /** The connector drops an exception of its own kind and tells its cause. */
  static DebeziumException unreadable(String message) {
    return new DebeziumException(message, new IllegalArgumentException(message));
  }

  /** Milliseconds of a date or a time, where Postgres counts: in the calendar of today. */
  private static long millis(Object value, boolean withZone) {
    if (value instanceof LocalDate date) {
      long day = date.toEpochDay();
      return day == INFINITE_DAY
          ? Long.MAX_VALUE
          : day == MINUS_INFINITE_DAY ? Long.MIN_VALUE : day * Temporal.MILLIS_PER_DAY;
    } else if (value instanceof Instant instant) {
      return millis(instant);
    } else if (value instanceof OffsetDateTime time) {
      return millis(time.toInstant());
    } else if (value instanceof Date date) {
      return millis(date, withZone);
    }
    throw unreadable("a date came as " + value.getClass().getName());
  }

  private static long millis(Instant instant) {
    if (INFINITY.contains(instant)) {
      return Long.MAX_VALUE;
    }
    return MINUS_INFINITY.contains(instant) ? Long.MIN_VALUE : instant.toEpochMilli();
  }

  /** The driver counts in the Julian calendar what was before 1582, and in this machine's zone. */
  @SuppressWarnings("JavaUtilDate") // It is the driver's.
  private static long millis(Date date, boolean withZone) {
    long millis = date.getTime();
    if (millis == DRIVERS_INFINITY) {
      return Long.MAX_VALUE;
    } else if (millis == DRIVERS_MINUS_INFINITY) {
      return Long.MIN_VALUE;
    } else if (withZone && millis > END_OF_JULIAN_CALENDAR) {
      return millis;
    }
    GregorianCalendar calendar =
        new GregorianCalendar(withZone ? TimeZone.getTimeZone("UTC") : TimeZone.getDefault());
    calendar.setTimeInMillis(millis);
    int year = calendar.get(Calendar.YEAR);
    return LocalDateTime.of(
            calendar.get(Calendar.ERA) == GregorianCalendar.BC ? 1 - year : year,
            calendar.get(Calendar.MONTH) + 1,
            calendar.get(Calendar.DAY_OF_MONTH),
            calendar.get(Calendar.HOUR_OF_DAY),
            calendar.get(Calendar.MINUTE),
            calendar.get(Calendar.SECOND),
            calendar.get(Calendar.MILLISECOND) * 1_000_000)
        .toInstant(ZoneOffset.UTC)
        .toEpochMilli();
  }
}
