package io.widebeam.document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.util.CoderUtils;
import org.bson.BsonBinary;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DocumentChangeCoderTest {

  private static final RawBsonDocument BEFORE = RawBsonDocument.parse("{a: 1, list: [{b: 'x'}]}");
  private static final RawBsonDocument AFTER = RawBsonDocument.parse("{a: 2, nothing: null}");

  static List<BsonValue> keys() {
    return List.of(
        new BsonString("order-1 ü"),
        new BsonInt32(-7),
        new BsonInt64(Long.MIN_VALUE),
        new BsonDecimal128(Decimal128.parse("12.50")),
        new BsonBinary(new byte[] {0, -1}),
        BsonNull.VALUE,
        new BsonDocument("order_id", new BsonString("o")).append("item", new BsonInt32(3)));
  }

  @ParameterizedTest
  @MethodSource("keys")
  void everyKindOfKeyComesBackAsItWas(BsonValue key) throws IOException {
    DocumentChange change = new DocumentChange(key, BEFORE, AFTER, Long.MAX_VALUE, 1_700_000L);
    assertThat(roundTrip(change)).isEqualTo(change);
  }

  @Test
  void insertsAndDeletesComeBackWithoutTheMissingSide() throws IOException {
    DocumentChange insert = new DocumentChange(new BsonInt32(1), null, AFTER, 1, -1);
    DocumentChange delete = new DocumentChange(new BsonInt32(1), BEFORE, null, 2, 0);
    assertThat(roundTrip(insert)).isEqualTo(insert);
    assertThat(roundTrip(delete)).isEqualTo(delete);
  }

  @Test
  void anUncertainChangeStaysUncertain() throws IOException {
    for (BsonValue key : keys()) {
      DocumentChange change = new DocumentChange(key, BEFORE, AFTER, true, false, 7, 8);
      assertThat(roundTrip(change)).isEqualTo(change);
    }
  }

  @Test
  void aChangeEndsWhereTheNextBegins() throws IOException {
    List<DocumentChange> changes =
        List.of(
            new DocumentChange(new BsonInt32(1), null, AFTER, 1, 1),
            new DocumentChange(new BsonString("k"), BEFORE, AFTER, 2, 2));
    assertThat(CoderUtils.clone(ListCoder.of(DocumentChangeCoder.of()), changes))
        .isEqualTo(changes);
  }

  @Test
  void documentsTravelAsTheirBytes() throws IOException {
    DocumentChange change = new DocumentChange(new BsonInt32(1), null, AFTER, 1, 1);
    byte[] encoded = CoderUtils.encodeToByteArray(DocumentChangeCoder.of(), change);
    assertThat(encoded).hasSize(1 + 1 + 1 + 1 + AFTER.getByteBuffer().remaining());
  }

  @Test
  void aDocumentThatIsASliceOfALargerBufferIsCopiedAlone() throws IOException {
    byte[] bytes = new byte[AFTER.getByteBuffer().remaining() + 20];
    AFTER.getByteBuffer().get(bytes, 10, bytes.length - 20);
    RawBsonDocument slice = new RawBsonDocument(bytes, 10, bytes.length - 20);
    DocumentChange change = new DocumentChange(new BsonInt32(1), slice, slice, 1, 1);
    assertThat(roundTrip(change)).isEqualTo(change);
  }

  @Test
  void beamFindsTheCoderByItself() throws Exception {
    assertThat(Pipeline.create().getCoderRegistry().getCoder(DocumentChange.class))
        .isEqualTo(DocumentChangeCoder.of());
  }

  @Test
  void aChangeIsNotAKey() {
    assertThatThrownBy(DocumentChangeCoder.of()::verifyDeterministic)
        .isInstanceOf(Coder.NonDeterministicException.class);
  }

  private static DocumentChange roundTrip(DocumentChange change) throws IOException {
    return CoderUtils.clone(DocumentChangeCoder.of(), change);
  }
}
