package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.Change;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetters;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rows that cannot be represented, through the whole reader, from a connector that has some. */
@Timeout(180)
class UnreadableRowsTest {
  @Test
  void theyBecomeLettersBesideTheOtherChanges() {
    Pipeline pipeline = Pipeline.create();
    DeadLetters<PCollection<String>> letters =
        DeadLetters.to(
            pipeline,
            MapElements.into(TypeDescriptors.strings())
                .via((DeadLetter letter) -> letter.key().toJson() + " " + letter.logPosition()));
    PCollection<Change> changes =
        pipeline.apply(read().withMaxNumberOfRecords(4).withDeadLetters(letters));
    letters.close();
    PAssert.that(
            changes.apply(
                MapElements.into(TypeDescriptors.strings())
                    .via(
                        change ->
                            change.sequence() % 4096
                                + " "
                                + (change.before() == null ? "-" : change.before().keySet())
                                + " "
                                + (change.after() == null ? "-" : change.after().keySet()))))
        .containsInAnyOrder("1 - [id, at]", "2 [id] -", "3 - [id, at]", "4 [id] [id, at]");
    PAssert.that(letters.getOutput()).containsInAnyOrder("{\"id\": 2} {\"record\": 2}");
    pipeline.run();
  }

  @Test
  void withoutAHandlerTheReadEndsAfterTheChangesBefore() throws Exception {
    try (CdcReader<Change> reader = read().source().createReader(null, null)) {
      List<Change> changes = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (boolean available = reader.start(); ; available = reader.advance()) {
                  if (available) {
                    changes.addAll(reader.getCurrent().values());
                  }
                }
              })
          .hasMessageContaining("The value of column sales.orders.at")
          .hasMessageContaining("cannot be represented");
      assertThat(changes).hasSize(1);
    }
  }

  @Test
  void aBatchOfLettersAloneSurvivesItsCoder() throws Exception {
    DebeziumChanges decoder = new DebeziumChanges(Map.of(), true);
    assertThat(decoder.decode(FakeConnector.record(2, "c", null, "yesterday"), 7)).isNotNull();
    DeadLetter letter = decoder.takeDeadLetter();
    CdcBatch<Change> batch =
        new CdcBatch<>(List.of(), new long[0], List.of(new CdcBatch.Letter(letter, 5)));
    CdcBatch<Change> copy =
        CoderUtils.clone(new CdcBatch.BatchCoder<>(io.widebeam.change.ChangeCoder.of()), batch);
    assertThat(copy.size()).isZero();
    assertThat(copy.firstMillis()).isEqualTo(5);
    assertThat(copy.letters()).containsExactly(new CdcBatch.Letter(letter, 5));
  }

  private static CdcIO.Read<Change> read() {
    return CdcIO.readChanges()
        .withConnectorConfiguration(
            ConnectorConfiguration.create()
                .withConnectorClass(FakeConnector.class)
                .withHostName("nowhere")
                .withPort("1")
                .withUsername("nobody")
                .withPassword("secret")
                .withConnectionProperty("topic.prefix", "shop"));
  }
}
