package io.widebeam.deadletter;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter.Stage;
import org.apache.beam.sdk.coders.CoderRegistry;
import org.apache.beam.sdk.util.CoderUtils;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Test;

class DeadLetterCoderTest {
  private static final TableId TABLE = new TableId("shop", "sales", "orders");

  @Test
  void everyFieldComesBack() throws Exception {
    assertComesBack(
        new DeadLetter(
            Stage.JOIN,
            "items.product",
            TABLE,
            RawBsonDocument.parse("{id: 1}"),
            1L << 53,
            RawBsonDocument.parse("{file: 'log.1', pos: 4}"),
            1_700_000_000_000L,
            "because – of this",
            RawBsonDocument.parse("{id: 1, a: 1}"),
            RawBsonDocument.parse("{id: 1, a: 2}")));
  }

  @Test
  void whatIsNotKnownStaysUnknown() throws Exception {
    DeadLetter bare =
        new DeadLetter(Stage.READ, "", TABLE, null, 0, null, 0, "because", null, null);
    assertComesBack(bare);
    RawBsonDocument row = RawBsonDocument.parse("{id: 1}");
    assertComesBack(new DeadLetter(Stage.READ, "", TABLE, row, 0, null, 0, "", null, null));
    assertComesBack(new DeadLetter(Stage.READ, "", TABLE, null, 0, row, 0, "", null, null));
    assertComesBack(new DeadLetter(Stage.WRITE, "", TABLE, null, 0, null, 0, "", row, null));
    assertComesBack(new DeadLetter(Stage.WRITE, "", TABLE, null, 0, null, 0, "", null, row));
  }

  @Test
  void beamFindsTheCoder() throws Exception {
    assertThat(CoderRegistry.createDefault().getCoder(DeadLetter.class))
        .isInstanceOf(DeadLetterCoder.class);
  }

  private static void assertComesBack(DeadLetter letter) throws Exception {
    assertThat(CoderUtils.clone(DeadLetterCoder.of(), letter)).isEqualTo(letter);
  }
}
