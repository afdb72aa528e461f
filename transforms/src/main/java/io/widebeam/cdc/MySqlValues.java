package io.widebeam.cdc;

import io.debezium.data.Json;
import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import io.debezium.time.Timestamp;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * Keeps what the connectors of MySQL and MariaDB by themselves lose of a value: that a date that
 * must not be null is the zero date, which they take for 1970 or for the column's default, the
 * zeros at the end of MariaDB's UUIDs, and what a number in MySQL's JSON is.
 */
public final class MySqlValues implements CustomConverter<SchemaBuilder, RelationalColumn> {
  /** The property that says whether JSON is in MySQL's log, or a text in MariaDB's. */
  static final String BINARY_JSON = "binary.json";

  private static final int UUID_BYTES = 16;

  private boolean binaryJson;

  @Override
  public void configure(Properties properties) {
    binaryJson = Boolean.parseBoolean(properties.getProperty(BINARY_JSON));
  }

  @Override
  public void converterFor(
      RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
    switch (column.typeName().toUpperCase(Locale.ROOT)) {
      case "UUID" -> register(column, SchemaBuilder.string(), MySqlValues::uuid, registration);
      case "JSON" -> {
        if (binaryJson) {
          register(column, Json.builder().optional(), MySqlValues::json, registration);
        }
      }
      case "DATE", "DATETIME" -> {
        if (!column.isOptional() || column.hasDefaultValue()) {
          register(column, Timestamp.builder().optional(), MySqlValues::millis, registration);
        }
      }
      default -> {
        // The connector's own conversion is right.
      }
    }
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
    registration.register(
        schema,
        value ->
            value == null || (initial != null && value == initial)
                ? null
                : converter.convert(value));
  }

  private static Object uuid(Object value) {
    if (value instanceof byte[] bytes) {
      // The log leaves zeros at the end out.
      BigInteger number = new BigInteger(1, Arrays.copyOf(bytes, UUID_BYTES));
      return new UUID(number.shiftRight(Long.SIZE).longValue(), number.longValue()).toString();
    }
    return value.toString();
  }

  private static Object json(Object value) {
    if (value instanceof byte[] binary) {
      try {
        return binary.length == 0 ? "null" : MySqlJson.text(binary);
      } catch (IOException | RuntimeException e) {
        throw PostgresValues.unreadable("a JSON value came in a form that is not known");
      }
    }
    return value.toString();
  }

  private static Object millis(Object value) {
    if (value instanceof LocalDate date) {
      return date.toEpochDay() * Temporal.MILLIS_PER_DAY;
    } else if (value instanceof LocalDateTime time) {
      return time.toInstant(ZoneOffset.UTC).toEpochMilli();
    } else if (value instanceof java.sql.Timestamp time) {
      return time.toLocalDateTime().toInstant(ZoneOffset.UTC).toEpochMilli();
    } else if (value instanceof Instant instant) {
      return instant.toEpochMilli();
    }
    throw PostgresValues.unreadable("a date came as " + value.getClass().getName());
  }
}
