package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.debezium.data.Bits;
import io.debezium.data.Envelope;
import io.debezium.data.Json;
import io.debezium.data.VariableScaleDecimal;
import io.debezium.time.MicroTime;
import io.debezium.time.MicroTimestamp;
import io.debezium.time.NanoTimestamp;
import io.debezium.time.Timestamp;
import io.debezium.time.Year;
import io.debezium.time.ZonedTimestamp;
import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;

class DebeziumChangesTest {
  private static final long MILLIS = 1_709_209_815_125L;

  private static final Schema SOURCE =
      SchemaBuilder.struct()
          .field("connector", Schema.STRING_SCHEMA)
          .field("name", Schema.STRING_SCHEMA)
          .field("ts_ms", Schema.INT64_SCHEMA)
          .field("snapshot", Schema.OPTIONAL_STRING_SCHEMA)
          .field("db", Schema.STRING_SCHEMA)
          .field("table", Schema.STRING_SCHEMA)
          .build();

  private final DebeziumChanges changes = new DebeziumChanges(Map.of());

  @Test
  void integersKeepTheirWidth() {
    assertThat(encode(Schema.INT16_SCHEMA, (short) -3)).isEqualTo(new BsonInt32(-3));
    assertThat(encode(Schema.INT32_SCHEMA, 7)).isEqualTo(new BsonInt32(7));
    assertThat(encode(Schema.INT64_SCHEMA, 7L)).isEqualTo(new BsonInt64(7));
    assertThat(encode(Year.schema(), 2024)).isEqualTo(new BsonInt32(2024));
  }

  @Test
  void anUnsignedBigintIsAnInt64WhereItFits() {
    Schema unsigned =
        Decimal.builder(0).parameter("__debezium.source.column.type", "BIGINT UNSIGNED").build();
    assertThat(encode(unsigned, new BigDecimal("9223372036854775807")))
        .isEqualTo(new BsonInt64(Long.MAX_VALUE));
    assertThat(encode(unsigned, new BigDecimal("18446744073709551615")))
        .isEqualTo(new BsonDecimal128(Decimal128.parse("18446744073709551615")));
  }

  @Test
  void decimalsKeepEveryDigitAndTheirScale() {
    for (String text :
        List.of(
            "0.00",
            "-1.50",
            "12345678901234567890.1234",
            "-9999999999999999999999999999999999",
            "18446744073709551615",
            "0.0000000000000000000000000000000001")) {
      BigDecimal value = new BigDecimal(text);
      Schema schema =
          Decimal.builder(value.scale()).parameter("connect.decimal.precision", "34").build();
      assertThat(encode(schema, value)).isEqualTo(new BsonDecimal128(new Decimal128(value)));
    }
  }

  @Test
  void aDecimalBeyond34DigitsIsText() {
    BigDecimal value = new BigDecimal("12345678901234567890123456789012345.5");
    Schema schema = Decimal.builder(1).parameter("connect.decimal.precision", "36").build();
    assertThat(encode(schema, value)).isEqualTo(new BsonString(value.toPlainString()));
  }

  @Test
  void aDecimalWithoutScaleIsExact() {
    Schema schema = VariableScaleDecimal.schema();
    Struct struct =
        new Struct(schema).put("scale", 3).put("value", new BigInteger("-1234").toByteArray());
    assertThat(encode(schema, struct)).isEqualTo(new BsonDecimal128(Decimal128.parse("-1.234")));
  }

  @Test
  void datesAndTimestampsAreMillisecondsInUtc() {
    assertThat(encode(io.debezium.time.Date.schema(), -1))
        .isEqualTo(new BsonDateTime(-86_400_000L));
    assertThat(encode(Timestamp.schema(), MILLIS)).isEqualTo(new BsonDateTime(MILLIS));
    assertThat(encode(MicroTimestamp.schema(), MILLIS * 1000 + 999))
        .isEqualTo(new BsonDateTime(MILLIS));
    assertThat(encode(MicroTimestamp.schema(), -1L)).isEqualTo(new BsonDateTime(-1));
    assertThat(encode(NanoTimestamp.schema(), MILLIS * 1_000_000 + 1))
        .isEqualTo(new BsonDateTime(MILLIS));
    for (String text :
        List.of(
            "2024-02-29T12:30:15.125Z",
            "2024-02-29T12:30:15.125999Z",
            "2024-02-29T14:30:15.125+02:00")) {
      assertThat(encode(ZonedTimestamp.schema(), text)).isEqualTo(new BsonDateTime(MILLIS));
    }
    assertThat(encode(ZonedTimestamp.schema(), "2024-02-29T12:30:15Z"))
        .isEqualTo(new BsonDateTime(MILLIS - 125));
    assertThat(encode(ZonedTimestamp.schema(), "infinity"))
        .isEqualTo(new BsonDateTime(Long.MAX_VALUE));
  }

  @Test
  void timesAreText() {
    assertThat(encode(MicroTime.schema(), 0L)).isEqualTo(new BsonString("00:00:00"));
    assertThat(encode(MicroTime.schema(), 3_661_000_042L))
        .isEqualTo(new BsonString("01:01:01.000042"));
    assertThat(encode(MicroTime.schema(), -3_020_399_000_000L))
        .isEqualTo(new BsonString("-838:59:59"));
  }

  @Test
  void aFloatIsTheDoubleThatReadsTheSame() {
    assertThat(encode(Schema.FLOAT32_SCHEMA, 0.1f)).isEqualTo(new BsonDouble(0.1));
    assertThat(encode(Schema.FLOAT32_SCHEMA, 3f)).isEqualTo(new BsonDouble(3));
    assertThat(encode(Schema.FLOAT32_SCHEMA, 3.4e38f)).isEqualTo(new BsonDouble(3.4e38));
    assertThat(encode(Schema.FLOAT64_SCHEMA, 0.1)).isEqualTo(new BsonDouble(0.1));
  }

  @Test
  void bytesBitsBooleansAndTextKeepTheirValue() {
    byte[] bytes = {0, -1, 5};
    assertThat(encode(Schema.BYTES_SCHEMA, ByteBuffer.wrap(bytes)))
        .isEqualTo(new BsonBinary(bytes));
    assertThat(encode(Bits.schema(20), bytes)).isEqualTo(new BsonBinary(bytes));
    assertThat(encode(Schema.BOOLEAN_SCHEMA, true)).isEqualTo(BsonBoolean.TRUE);
    assertThat(encode(Schema.STRING_SCHEMA, "a\0ü😀")).isEqualTo(new BsonString("a\0ü😀"));
  }

  @Test
  void jsonObjectsAndArraysAreEmbedded() {
    assertThat(
            encode(Json.schema(), "{\"$oid\": [1, 2.5, 5000000000, null, true, {\"x\": \"y\"}]}"))
        .isEqualTo(
            new BsonDocument(
                "$oid",
                new BsonArray(
                    List.of(
                        new BsonInt32(1),
                        new BsonDouble(2.5),
                        new BsonInt64(5_000_000_000L),
                        BsonNull.VALUE,
                        BsonBoolean.TRUE,
                        new BsonDocument("x", new BsonString("y"))))));
    assertThat(encode(Json.schema(), "[]")).isEqualTo(new BsonArray());
    assertThat(encode(Json.schema(), "\"text\"")).isEqualTo(new BsonString("\"text\""));
    assertThat(encode(Json.schema(), "{broken")).isEqualTo(new BsonString("{broken"));
    assertThat(encode(Json.schema(), "{\"n\": 0.1234567890123456789}"))
        .isEqualTo(
            new BsonDocument("n", new BsonDecimal128(Decimal128.parse("0.1234567890123456789"))));
  }

  @Test
  void arraysMapsAndStructsAreEmbedded() {
    assertThat(
            encode(SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build(), List.of("a", "b")))
        .isEqualTo(new BsonArray(List.of(new BsonString("a"), new BsonString("b"))));
    assertThat(
            encode(
                SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(),
                Map.of("k", 1)))
        .isEqualTo(new BsonDocument("k", new BsonInt32(1)));
    Schema point =
        SchemaBuilder.struct()
            .field("wkb", Schema.BYTES_SCHEMA)
            .field("srid", Schema.OPTIONAL_INT32_SCHEMA)
            .build();
    assertThat(encode(point, new Struct(point).put("wkb", new byte[] {1})))
        .isEqualTo(
            new BsonDocument("wkb", new BsonBinary(new byte[] {1})).append("srid", BsonNull.VALUE));
  }

  @Test
  void nullStaysNullInSpiteOfADefault() {
    Schema schema = SchemaBuilder.int32().optional().defaultValue(5).build();
    assertThat(encode(schema, null)).isEqualTo(BsonNull.VALUE);
  }

  @Test
  void aValueWithoutRepresentationNamesItsColumn() {
    assertThatThrownBy(() -> encode(ZonedTimestamp.schema(), "yesterday"))
        .hasMessageContaining("sales.orders.v")
        .hasMessageContaining("cannot be represented");
  }

  @Test
  void operationsBecomeChanges() throws Exception {
    Schema row = row(Schema.INT32_SCHEMA);
    Struct one = new Struct(row).put("v", 1);
    Struct two = new Struct(row).put("v", 2);

    Change read = changes.decode(record(row, "r", null, one, "true"), 5);
    assertThat(read.table()).isEqualTo(new TableId("shop", "sales", "orders"));
    assertThat(read.snapshot()).isTrue();
    assertThat(read.sequence()).isEqualTo(5);
    assertThat(read.commitMillis()).isEqualTo(MILLIS);
    assertThat(read.before()).isNull();

    assertThat(changes.decode(record(row, "c", null, one, null), 6).snapshot()).isFalse();
    Change update = changes.decode(record(row, "u", one, two, "false"), 7);
    assertThat(update.before()).isEqualTo(BsonDocument.parse("{v: 1}"));
    assertThat(update.after()).isEqualTo(BsonDocument.parse("{v: 2}"));
    assertThat(changes.decode(record(row, "d", one, null, null), 8).after()).isNull();
    assertThat(changes.decode(record(row, "r", null, one, "incremental"), 9).snapshot()).isFalse();
    assertThat(changes.decode(new SourceRecord(Map.of(), Map.of(), "t", row, one, null, null), 11))
        .as("a tombstone")
        .isNull();
  }

  @Test
  void aTruncatedTableEndsTheRead() {
    Schema row = row(Schema.INT32_SCHEMA);
    assertThatThrownBy(() -> changes.decode(record(row, "t", null, null, null), 10))
        .isInstanceOfSatisfying(
            TableEmptiedException.class,
            e -> assertThat(e.table()).isEqualTo(new TableId("shop", "sales", "orders")))
        .hasMessageContaining("Table sales.orders of shop was truncated");
  }

  @Test
  void aMissingRowNamesTheSettingThatGivesIt() {
    Schema row = row(Schema.INT32_SCHEMA);
    Struct one = new Struct(row).put("v", 1);
    assertThatThrownBy(() -> changes.decode(record(row, "u", null, one, null), 1))
        .hasMessageContaining("sales.orders")
        .hasMessageContaining("binlog_row_image=FULL");
    assertThatThrownBy(() -> changes.decode(record(row, "d", null, null, null), 1))
        .hasMessageContaining("binlog_row_image=FULL");
  }

  private BsonValue encode(Schema type, Object value) {
    Schema row = row(type);
    Struct after = new Struct(row);
    if (value != null) {
      after.put("v", value);
    }
    // Decoded into plain values: raw ones compare by their bytes.
    return decode(record(row, "c", null, after, null))
        .after()
        .decode(new BsonDocumentCodec())
        .get("v");
  }

  private Change decode(SourceRecord record) {
    try {
      return changes.decode(record, 1);
    } catch (TableEmptiedException e) {
      throw new AssertionError(e);
    }
  }

  private static Schema row(Schema type) {
    return SchemaBuilder.struct().optional().field("v", type).build();
  }

  private static SourceRecord record(
      Schema row, String operation, Struct before, Struct after, String snapshot) {
    Schema envelope =
        SchemaBuilder.struct()
            .name("shop.sales.orders.Envelope")
            .field(Envelope.FieldName.BEFORE, row)
            .field(Envelope.FieldName.AFTER, row)
            .field(Envelope.FieldName.SOURCE, SOURCE)
            .field(Envelope.FieldName.OPERATION, Schema.STRING_SCHEMA)
            .build();
    Struct source =
        new Struct(SOURCE)
            .put("connector", "mysql")
            .put("name", "shop")
            .put("ts_ms", MILLIS)
            .put("snapshot", snapshot)
            .put("db", "sales")
            .put("table", "orders");
    Struct value =
        new Struct(envelope)
            .put(Envelope.FieldName.BEFORE, before)
            .put(Envelope.FieldName.AFTER, after)
            .put(Envelope.FieldName.SOURCE, source)
            .put(Envelope.FieldName.OPERATION, operation);
    return new SourceRecord(Map.of(), Map.of(), "topic", null, null, envelope, value);
  }
}
