package io.widebeam.cdc;

import io.debezium.data.Json;
import io.debezium.data.VariableScaleDecimal;
import io.debezium.time.MicroTime;
import io.debezium.time.MicroTimestamp;
import io.debezium.time.NanoTime;
import io.debezium.time.NanoTimestamp;
import io.debezium.time.Time;
import io.debezium.time.Timestamp;
import io.debezium.time.Year;
import io.debezium.time.ZonedTimestamp;
import io.widebeam.change.BsonBuffer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.bson.RawBsonDocument;

/**
 * Writes the rows of one table, in one version of its schema, as BSON: the columns' types are
 * looked at once, not once a row. See {@link DebeziumChanges} for the rules.
 */
final class RowEncoder {

  /** Writes one value, which is never null, as the field {@code name}. */
  @FunctionalInterface
  private interface ValueEncoder {
    void encode(BsonBuffer out, byte[] name, Object value);
  }

  /** One column; its name as the connector's structs know it, and as BSON holds it. */
  private static final class Column {
    private final Field field;
    private final byte[] name;
    private final ValueEncoder encoder;

    Column(Field field, ValueEncoder encoder) {
      this.field = field;
      this.name = BsonBuffer.fieldName(field.name());
      this.encoder = encoder;
    }
  }

  private static final BigInteger MIN_INT64 = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger MAX_INT64 = BigInteger.valueOf(Long.MAX_VALUE);

  /** Tells BIGINT UNSIGNED from DECIMAL(20, 0); {@link ConnectorProperties} asks for it. */
  private static final String SOURCE_TYPE = "__debezium.source.column.type";

  private static final String SOURCE_SCALE = "__debezium.source.column.scale";

  private static final String ZERO_TIMESTAMP = "1970-01-01T00:00:00Z";

  /** Marks a column whose schema has to allow null, but whose table does not. */
  static final String REQUIRED = "io.widebeam.required";

  private final String row;
  private final Column[] columns;

  /**
   * @param row names the table in messages
   * @param schema the row's schema
   */
  RowEncoder(String row, Schema schema) {
    this.row = row;
    List<Field> fields = schema.fields();
    columns = new Column[fields.size()];
    for (int i = 0; i < columns.length; i++) {
      Field field = fields.get(i);
      columns[i] = new Column(field, encoderFor(row + "." + field.name(), field.schema()));
    }
  }

  RawBsonDocument encode(BsonBuffer out, Struct struct) {
    out.clear();
    int start = out.startDocument();
    encodeFields(out, struct);
    out.end(start);
    return out.toDocument();
  }

  /** The row without the columns that cannot be represented. */
  RawBsonDocument encodeReadable(BsonBuffer out, Struct struct) {
    out.clear();
    int start = out.startDocument();
    for (Column column : columns) {
      int mark = out.length();
      try {
        encodeField(out, column, struct);
      } catch (UnsupportedValueException e) {
        out.rewind(mark);
      }
    }
    out.end(start);
    return out.toDocument();
  }

  private void encodeFields(BsonBuffer out, Struct struct) {
    for (Column column : columns) {
      encodeField(out, column, struct);
    }
  }

  private void encodeField(BsonBuffer out, Column column, Struct struct) {
    // Not get(): it answers a column's default where the row holds null.
    Object value = struct.getWithoutDefault(column.field.name());
    if (value == null) {
      out.putNull(column.name);
      return;
    }
    try {
      column.encoder.encode(out, column.name, value);
    } catch (RuntimeException e) {
      throw new UnsupportedValueException(
          "The value of column "
              + row
              + "."
              + column.field.name()
              + " (type "
              + describe(column.field.schema())
              + ") cannot be represented: "
              + e.getMessage(),
          e);
    }
  }

  /** Whether a column that must not be null is, as in a row image that has the key alone. */
  boolean lacksRequiredColumn(Struct struct) {
    for (Column column : columns) {
      if (isRequired(column.field.schema())
          && struct.getWithoutDefault(column.field.name()) == null) {
        return true;
      }
    }
    return false;
  }

  /** Whether there are columns beside the key's, and all of them are null. */
  boolean hasNothingBut(Schema key, Struct struct) {
    boolean others = false;
    for (Column column : columns) {
      if (key.field(column.field.name()) == null) {
        if (struct.getWithoutDefault(column.field.name()) != null) {
          return false;
        }
        others = true;
      }
    }
    return others;
  }

  private static boolean isRequired(Schema schema) {
    return !schema.isOptional()
        || (schema.parameters() != null && schema.parameters().containsKey(REQUIRED));
  }

  private static ValueEncoder encoderFor(String column, Schema schema) {
    if (schema.name() == null) {
      return encoderForType(column, schema);
    }
    return switch (schema.name()) {
      case Decimal.LOGICAL_NAME ->
          isUnsignedBigint(schema) ? RowEncoder::putInteger : RowEncoder::putDecimal;
      case VariableScaleDecimal.LOGICAL_NAME -> RowEncoder::putVariableScaleDecimal;
      case Timestamp.SCHEMA_NAME -> (out, field, value) -> out.putDateTime(field, (Long) value);
      case MicroTimestamp.SCHEMA_NAME ->
          (out, field, value) -> out.putDateTime(field, Math.floorDiv((Long) value, 1_000L));
      case NanoTimestamp.SCHEMA_NAME ->
          (out, field, value) -> out.putDateTime(field, Math.floorDiv((Long) value, 1_000_000L));
      case ZonedTimestamp.SCHEMA_NAME -> RowEncoder::putZonedTimestamp;
      case Year.SCHEMA_NAME ->
          // The log counts years from 1900 on, and has nothing but that for the year 0.
          (out, field, value) -> out.putInt32(field, (Integer) value == 1900 ? 0 : (Integer) value);
      case io.debezium.time.Date.SCHEMA_NAME ->
          (out, field, value) -> out.putDateTime(field, (Integer) value * Temporal.MILLIS_PER_DAY);
      case org.apache.kafka.connect.data.Date.LOGICAL_NAME,
          org.apache.kafka.connect.data.Timestamp.LOGICAL_NAME ->
          (out, field, value) -> out.putDateTime(field, millisOf(value));
      case org.apache.kafka.connect.data.Time.LOGICAL_NAME ->
          (out, field, value) ->
              out.putString(field, Temporal.timeOfMicros(millisOf(value) * 1_000L));
      case Time.SCHEMA_NAME ->
          (out, field, value) ->
              out.putString(field, Temporal.timeOfMicros((Integer) value * 1_000L));
      case MicroTime.SCHEMA_NAME ->
          (out, field, value) -> out.putString(field, Temporal.timeOfMicros((Long) value));
      case NanoTime.SCHEMA_NAME ->
          (out, field, value) ->
              out.putString(field, Temporal.timeOfMicros(Math.floorDiv((Long) value, 1_000L)));
      case Json.LOGICAL_NAME -> (out, field, value) -> JsonEncoder.put(out, field, (String) value);
      case PostgresText.SCHEMA_NAME -> {
        PostgresText text = PostgresText.ofType(schema.parameters().get(PostgresText.TYPE));
        yield (out, field, value) -> text.put(out, field, (String) value);
      }
      // A name that only says where the value comes from: its type is enough.
      default -> encoderForType(column, schema);
    };
  }

  private static boolean isUnsignedBigint(Schema decimal) {
    return decimal.parameters().getOrDefault(SOURCE_TYPE, "").startsWith("BIGINT");
  }

  /** MySQL's FLOAT(7,3) has 32 bits, though the connector widens it; Postgres's FLOAT8 has 64. */
  private static boolean isShortFloat(Schema schema) {
    Map<String, String> parameters = schema.parameters();
    String type = parameters == null ? "" : parameters.getOrDefault(SOURCE_TYPE, "");
    return type.startsWith("FLOAT")
        && !type.equals("FLOAT8")
        && parameters.containsKey(SOURCE_SCALE);
  }

  private static ValueEncoder encoderForType(String column, Schema schema) {
    return switch (schema.type()) {
      case BOOLEAN -> (out, field, value) -> out.putBoolean(field, (Boolean) value);
      case INT8, INT16, INT32 ->
          (out, field, value) -> out.putInt32(field, ((Number) value).intValue());
      case INT64 -> (out, field, value) -> out.putInt64(field, (Long) value);
      case FLOAT32 -> (out, field, value) -> out.putDouble(field, shortestDouble((Float) value));
      case FLOAT64 ->
          isShortFloat(schema)
              ? (out, field, value) ->
                  out.putDouble(field, shortestDouble(((Double) value).floatValue()))
              : (out, field, value) -> out.putDouble(field, (Double) value);
      case STRING -> (out, field, value) -> out.putString(field, (String) value);
      case BYTES -> RowEncoder::putBinary;
      case STRUCT -> {
        RowEncoder nested = new RowEncoder(column, schema);
        yield (out, field, value) -> {
          int start = out.startDocument(field);
          nested.encodeFields(out, (Struct) value);
          out.end(start);
        };
      }
      case ARRAY -> arrayEncoder(encoderFor(column + "[]", schema.valueSchema()));
      case MAP -> mapEncoder(encoderFor(column + "{}", schema.valueSchema()));
    };
  }

  private static void putZonedTimestamp(BsonBuffer out, byte[] name, Object value) {
    // MySQL's zero date; its earliest true TIMESTAMP is a second later. Postgres's come elsewhere.
    if (value.equals(ZERO_TIMESTAMP)) {
      out.putNull(name);
    } else {
      out.putDateTime(name, Temporal.millisOfTimestamp((String) value));
    }
  }

  private static long millisOf(Object value) {
    return ((Date) value).toInstant().toEpochMilli();
  }

  private static ValueEncoder arrayEncoder(ValueEncoder element) {
    return (out, field, value) -> {
      int start = out.startArray(field);
      int index = 0;
      for (Object item : (Collection<?>) value) {
        putNullable(out, BsonBuffer.fieldName(Integer.toString(index++)), item, element);
      }
      out.end(start);
    };
  }

  private static ValueEncoder mapEncoder(ValueEncoder element) {
    return (out, field, value) -> {
      int start = out.startDocument(field);
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
        putNullable(
            out, BsonBuffer.fieldName(entry.getKey().toString()), entry.getValue(), element);
      }
      out.end(start);
    };
  }

  private static void putNullable(BsonBuffer out, byte[] name, Object value, ValueEncoder encoder) {
    if (value == null) {
      out.putNull(name);
    } else {
      encoder.encode(out, name, value);
    }
  }

  /** An exact decimal, or its digits as text where 34 of them are not enough. */
  static void putDecimal(BsonBuffer out, byte[] name, Object value) {
    BigDecimal decimal = (BigDecimal) value;
    if (BsonBuffer.fitsDecimal128(decimal)) {
      out.putDecimal(name, decimal);
    } else {
      out.putString(name, decimal.toPlainString());
    }
  }

  private static void putInteger(BsonBuffer out, byte[] name, Object value) {
    BigInteger integer = ((BigDecimal) value).toBigInteger();
    if (integer.compareTo(MIN_INT64) >= 0 && integer.compareTo(MAX_INT64) <= 0) {
      out.putInt64(name, integer.longValue());
    } else {
      putDecimal(out, name, value);
    }
  }

  private static void putVariableScaleDecimal(BsonBuffer out, byte[] name, Object value) {
    Struct struct = (Struct) value;
    putDecimal(
        out,
        name,
        new BigDecimal(
            new BigInteger(struct.getBytes(VariableScaleDecimal.VALUE_FIELD)),
            struct.getInt32(VariableScaleDecimal.SCALE_FIELD)));
  }

  private static void putBinary(BsonBuffer out, byte[] name, Object value) {
    if (value instanceof byte[] bytes) {
      out.putBinary(name, bytes);
    } else {
      out.putBinary(name, (ByteBuffer) value);
    }
  }

  /** The double with the same shortest decimal text: 0.1f becomes 0.1, not 0.10000000149. */
  static double shortestDouble(float value) {
    return value == (int) value && Math.abs(value) < 1 << 24
        ? (double) value
        : Double.parseDouble(Float.toString(value));
  }

  private static String describe(Schema schema) {
    return schema.name() == null ? schema.type().getName() : schema.name();
  }

  /** A value without a representation in BSON; the message names its column. */
  static final class UnsupportedValueException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnsupportedValueException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
