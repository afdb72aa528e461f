package io.widebeam.change;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.CoderRegistry;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.util.CoderUtils;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.Test;

class ChangeCoderTest {
  private static final TableId ORDERS = new TableId("shop", "sales", "orders");
  private static final Coder<Change> CODER = ChangeCoder.of();

  @Test
  void everyKindOfChangeComesBackAsItWas() throws Exception {
    RawBsonDocument before = document("{a: 1, b: null}");
    RawBsonDocument after = document("{a: 1, b: 'ü'}");
    for (Change change :
        new Change[] {
          new Change(ORDERS, null, after, 1, 0, true),
          new Change(ORDERS, before, after, Long.MAX_VALUE, -1, false),
          new Change(new TableId("x", "", "y"), before, null, 0, Long.MAX_VALUE, false)
        }) {
      Change decoded = CoderUtils.clone(CODER, change);
      assertThat(decoded).isEqualTo(change);
      assertThat(CoderUtils.clone(ListCoder.of(CODER), List.of(change, change)))
          .as("several in one stream")
          .containsExactly(change, change);
    }
  }

  @Test
  void aRowThatIsPartOfALargerArrayIsWrittenAlone() throws Exception {
    RawBsonDocument whole = document("{a: 5}");
    byte[] bytes =
        CoderUtils.encodeToByteArray(CODER, new Change(ORDERS, null, whole, 1, 1, false));
    byte[] row = new byte[ChangeCoder.encodedSize(whole) + 7];
    System.arraycopy(whole.getByteBuffer().array(), 0, row, 3, row.length - 7);
    RawBsonDocument slice = new RawBsonDocument(row, 3, row.length - 7);
    assertThat(CoderUtils.encodeToByteArray(CODER, new Change(ORDERS, null, slice, 1, 1, false)))
        .isEqualTo(bytes);
  }

  @Test
  void tablesOfDecodedChangesAreShared() throws Exception {
    Change change = new Change(ORDERS, null, document("{}"), 1, 1, false);
    assertThat(CoderUtils.clone(CODER, change).table())
        .isSameAs(CoderUtils.clone(CODER, change).table());
  }

  @Test
  void beamFindsTheCoderByItself() throws Exception {
    assertThat(CoderRegistry.createDefault().getCoder(Change.class)).isEqualTo(CODER);
  }

  @Test
  void truncatedBytesAreAnError() throws Exception {
    byte[] bytes =
        CoderUtils.encodeToByteArray(
            CODER, new Change(ORDERS, null, document("{a: 1}"), 1, 1, false));
    for (int length = 0; length < bytes.length; length++) {
      byte[] truncated = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> CODER.decode(new ByteArrayInputStream(truncated)))
          .as("%d of %d bytes", length, bytes.length)
          .isInstanceOf(IOException.class);
    }
  }

  private static RawBsonDocument document(String json) {
    return new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec());
  }
}
