package io.widebeam.sink.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.document.DocumentChange;
import java.util.stream.Stream;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.Test;

class StoredDocumentTest {

  @Test
  void keyAndVersionComeBeforeTheDocumentsOwnFields() {
    RawBsonDocument stored = render(new BsonString("o1"), "{a: 1, b: [{c: null}]}");
    assertThat(stored.toJson())
        .isEqualTo("{\"_id\": \"o1\", \"_version\": 7, \"a\": 1, \"b\": [{\"c\": null}]}");
    assertThat(stored.getByteBuffer().getInt()).isEqualTo(stored.getByteBuffer().remaining());
  }

  @Test
  void aCompositeKeyIsASubdocument() {
    BsonDocument key = new BsonDocument("o", new BsonString("x")).append("i", new BsonInt32(2));
    assertThat(render(key, "{}").toJson())
        .isEqualTo("{\"_id\": {\"o\": \"x\", \"i\": 2}, \"_version\": 7}");
  }

  @Test
  void aDocumentWithTheVersionFieldOfItsOwnIsRefused() {
    assertThatThrownBy(() -> render(new BsonInt32(1), "{a: 1, _version: 3}"))
        .hasMessageContaining("has a field _version of its own");
    assertThatThrownBy(() -> render(new BsonInt32(1), "{a: 1, _id: 3}"))
        .hasMessageContaining("has a field _id of its own");
  }

  @Test
  void aNestedFieldMayBeNamedLikeTheVersionField() {
    assertThat(render(new BsonInt32(1), "{a: {_id: 1, _version: 2}}").toJson())
        .isEqualTo("{\"_id\": 1, \"_version\": 7, \"a\": {\"_id\": 1, \"_version\": 2}}");
  }

  @Test
  void aDocumentThatIsTooLargeSaysHowLarge() {
    BsonDocument large = new BsonDocument("b", new BsonBinary(new byte[17 * 1024 * 1024]));
    RawBsonDocument after = new RawBsonDocument(large, new BsonDocumentCodec());
    assertThatThrownBy(
            () ->
                StoredDocument.render(
                    new DocumentChange(new BsonInt32(1), null, after, 7, 0), "_version"))
        .hasMessage("is 17.0 MB large, and MongoDB stores at most 16 MB");
  }

  @Test
  void numbersOfTheSameValueAreTheSameKeyWhateverTheirTypes() {
    assertThat(
            Stream.of("5", "{$numberLong: '5'}", "5.0", "{$numberDecimal: '5.00'}")
                .map(StoredDocumentTest::identity))
        .containsOnly(new BsonInt64(5));
    assertThat(identity("{$numberDecimal: '0.50'}")).isEqualTo(identity("0.5"));
    assertThat(identity("{$numberDecimal: '-0.0'}")).isEqualTo(identity("0"));
    assertThat(identity("{$numberDecimal: '5E+30'}"))
        .isEqualTo(identity("{$numberDecimal: '50E+29'}"));
    assertThat(identity("{$numberDecimal: '5.1'}")).isNotEqualTo(identity("5"));
    assertThat(identity("{$numberDecimal: 'NaN'}")).isNotEqualTo(identity("0"));
    assertThat(identity("{a: 5}")).isEqualTo(identity("{a: {$numberLong: '5'}}"));
  }

  private static BsonValue identity(String key) {
    return StoredDocument.identity(BsonDocument.parse("{key: " + key + "}").get("key"));
  }

  private static RawBsonDocument render(BsonValue key, String after) {
    return StoredDocument.render(
        new DocumentChange(key, null, RawBsonDocument.parse(after), 7, 0), "_version");
  }
}
