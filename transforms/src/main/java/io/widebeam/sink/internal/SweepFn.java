package io.widebeam.sink.internal;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import org.apache.beam.sdk.io.GenerateSequence;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.FlatMapElements;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Removes what older generations left in the target, once this one's initial load is written.
 *
 * <p>All elements have one key. The first one sets an event-time timer, and there its state ends:
 * its watermark is that of the writes behind the load, so it stands at the minimum until every
 * source is done with its load. The sources need not be done at the same event time, though, and
 * the documents of the last one are released when the watermark passes its time; so the timer is
 * set once more, to a moment that all of them are before.
 */
public final class SweepFn extends DoFn<KV<String, byte[]>, Void> {
  private static final TypeDescriptor<KV<String, byte[]>> INPUT = new TypeDescriptor<>() {};

  /** What a target does to clear away. */
  @FunctionalInterface
  public interface Sweep extends Serializable {
    /** Removes what has a lower version. Answers how much that was. */
    long deleteBelow(long version) throws IOException, InterruptedException;
  }

  /** Sources stamp their loads by their own machines' clocks. */
  private static final Duration CLOCK_DIFFERENCE = Duration.standardSeconds(2);

  private final Counter swept = Metrics.counter("widebeam", "documentsSwept");

  private final Counter loadsWritten = Metrics.counter("widebeam", "loadsWritten");

  // These ids are a wire format: a checkpoint finds its timers by them.
  @TimerId("loaded")
  private final TimerSpec loadedSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  @TimerId("written")
  private final TimerSpec writtenSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  private final Sweep sweep;
  private final long firstVersion;

  private SweepFn(Sweep sweep, long firstVersion) {
    this.sweep = sweep;
    this.firstVersion = firstVersion;
  }

  /**
   * Adds the steps that sweep a target.
   *
   * @param written the output of the target's writes, of which only the watermark matters
   */
  public static <T> void apply(PCollection<T> written, Sweep sweep, long firstVersion) {
    // There may be nothing to write at all, so something else has to begin the wait.
    // Not an impulse: on Flink, that has state under an id that changes with the parallelism.
    PCollection<Long> begin = written.getPipeline().apply("Begin", GenerateSequence.from(0).to(1));
    PCollectionList.of(
            begin.apply("KeyBegin", MapElements.into(INPUT).via(number -> KV.of("", new byte[0]))))
        .and(written.apply("KeyWritten", FlatMapElements.into(INPUT).via(element -> List.of())))
        .apply("WrittenSoFar", Flatten.pCollections())
        .apply("Sweep", ParDo.of(new SweepFn(sweep, firstVersion)));
  }

  @ProcessElement
  public void process(@TimerId("loaded") Timer loaded) {
    loaded.set(BoundedWindow.TIMESTAMP_MIN_VALUE.plus(Duration.millis(1)));
  }

  @OnTimer("loaded")
  public void loaded(@TimerId("written") Timer written) {
    written.set(Instant.now().plus(CLOCK_DIFFERENCE));
  }

  @OnTimer("written")
  public void written() throws IOException, InterruptedException {
    swept.inc(sweep.deleteBelow(firstVersion));
    loadsWritten.inc();
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    super.populateDisplayData(builder);
    builder.add(DisplayData.item("firstVersion", firstVersion).withLabel("First version"));
  }
}
