package io.widebeam.join;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.BsonRow;
import java.util.List;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;

class JoinKeyEncoderTest {
  @Test
  void keysOfEqualNumbersAreEqualAndSortAsTheNumbersDo() {
    List<BsonValue> ascending =
        List.of(
            new BsonDecimal128(Decimal128.parse("-1e6000")),
            new BsonInt64(Long.MIN_VALUE),
            new BsonInt32(-5),
            new BsonDecimal128(Decimal128.parse("-4.99999999999999999999")),
            new BsonInt32(0),
            new BsonDecimal128(Decimal128.parse("0.1")),
            new BsonDecimal128(Decimal128.parse("0.10000000000000000000000000001")),
            new BsonInt32(5),
            new BsonInt64(Long.MAX_VALUE - 1),
            new BsonInt64(Long.MAX_VALUE));
    for (int i = 1; i < ascending.size(); i++) {
      assertThat(encode(ascending.get(i - 1))).isLessThan(encode(ascending.get(i)));
    }
    assertThat(encode(new BsonInt32(5))).isEqualTo(encode(new BsonInt64(5)));
    assertThat(encode(new BsonInt32(5)))
        .isEqualTo(encode(new BsonDecimal128(Decimal128.parse("5.00"))));
    assertThat(encode(new BsonInt32(0)))
        .isEqualTo(encode(new BsonDecimal128(Decimal128.parse("-0.0"))));
    assertThat(encode(BsonNull.VALUE)).isNull();
    assertThat(encode(new BsonString("a\0"))).isGreaterThan(encode(new BsonString("a")));
  }

  private static JoinKey encode(BsonValue value) {
    return new JoinKeyEncoder(List.of("v"))
        .encode(
            BsonRow.bytes(
                new RawBsonDocument(new BsonDocument("v", value), new BsonDocumentCodec())));
  }
}
