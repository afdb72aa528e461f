package io.widebeam.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter.Stage;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.junit.jupiter.api.Test;

class DeadLettersTest {
  private final Pipeline pipeline = Pipeline.create();

  @Test
  void theLettersOfAllTransformsReachTheSink() {
    DeadLetters<PCollection<String>> letters = handler();
    letters.addErrorCollection(letter("one"));
    letters.addErrorCollection(letter("two"));
    assertThatThrownBy(letters::getOutput).hasMessageContaining("not closed yet");
    letters.close();
    PAssert.that(letters.getOutput()).containsInAnyOrder("one", "two");
    pipeline.run();
  }

  @Test
  void aClosedHandlerTakesNoMore() {
    DeadLetters<PCollection<String>> letters = handler();
    assertThat(letters.isClosed()).isFalse();
    letters.close();
    assertThat(letters.isClosed()).isTrue();
    assertThatThrownBy(() -> letters.addErrorCollection(letter("late")))
        .hasMessageContaining("closed already");
    assertThatThrownBy(letters::close).hasMessageContaining("closed already");
  }

  @Test
  void aPipelineWhereNobodyHasLettersRuns() {
    DeadLetters<PCollection<String>> letters = handler();
    letters.close();
    PAssert.that(letters.getOutput()).empty();
    pipeline.run();
  }

  private DeadLetters<PCollection<String>> handler() {
    return DeadLetters.to(
        pipeline,
        MapElements.into(TypeDescriptors.strings()).via((DeadLetter letter) -> letter.reason()));
  }

  private PCollection<DeadLetter> letter(String reason) {
    return pipeline.apply(
        reason,
        Create.of(
            new DeadLetter(
                Stage.READ,
                "",
                new TableId("shop", "sales", "orders"),
                null,
                0,
                null,
                0,
                reason,
                null,
                null)));
  }
}
