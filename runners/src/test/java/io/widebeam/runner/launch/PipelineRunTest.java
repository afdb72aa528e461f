package io.widebeam.runner.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.io.GenerateSequence;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Gauge;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class PipelineRunTest {
  private static final long FAILING_ELEMENT = 50;

  @ParameterizedTest
  @ValueSource(strings = {"FlinkRunner", "DirectRunner"})
  void anEndlessPipelineShowsItsMetricsWhileItRunsAndEndsWhenItIsStopped(String runner)
      throws Exception {
    PipelineRun run = start(runner, new Count());

    await(() -> run.metrics().counter("changes") >= 20);
    assertThat(run.state()).isEqualTo(PipelineRun.State.RUNNING);
    assertThat(run.metrics().gauge("delayMillis")).hasValue(7);

    run.stop();
    run.awaitEnd();
    assertThat(run.state()).isEqualTo(PipelineRun.State.STOPPED);
    assertThat(run.metrics().counter("changes")).isGreaterThanOrEqualTo(20);
  }

  @ParameterizedTest
  @ValueSource(strings = {"FlinkRunner", "DirectRunner"})
  void aFailingPipelineEndsWithTheMessageOfItsRootCause(String runner) {
    PipelineRun run = start(runner, new FailOnce());

    assertThatThrownBy(run::awaitEnd)
        .isInstanceOf(FlowFailedException.class)
        .hasMessage("cannot write orders: the disk is full");
    assertThat(run.state()).isEqualTo(PipelineRun.State.FAILED);
  }

  private static PipelineRun start(String runner, DoFn<Long, Long> fn) {
    BeamOptions options = BeamOptions.parse("--runner=" + runner);
    Pipeline pipeline = Pipeline.create(options.pipelineOptions());
    pipeline
        .apply("Read", GenerateSequence.from(0).withRate(100, org.joda.time.Duration.millis(100)))
        .apply("Count", ParDo.of(fn));
    return PipelineRun.start(options, pipeline);
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private static final class Count extends DoFn<Long, Long> {
    private final Counter changes = Metrics.counter(MetricValues.NAMESPACE, "changes");
    private final Gauge delay = Metrics.gauge(MetricValues.NAMESPACE, "delayMillis");

    @ProcessElement
    public void process() {
      changes.inc();
      delay.set(7);
    }
  }

  private static final class FailOnce extends DoFn<Long, Long> {
    @ProcessElement
    public void process(@Element Long element) {
      if (element == FAILING_ELEMENT) {
        throw new IllegalStateException(
            "cannot write orders", new java.io.IOException("the disk is full"));
      }
    }
  }
}
