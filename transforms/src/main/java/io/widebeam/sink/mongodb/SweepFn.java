package io.widebeam.sink.mongodb;

import java.io.IOException;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Removes what older generations left in the collection, once this one's initial load is written.
 *
 * <p>All elements have one key. The first one sets an event-time timer, and there its state ends:
 * its watermark is that of the writes behind the load, so it stands at the minimum until every
 * source is done with its load. The sources need not be done at the same event time, though, and
 * the documents of the last one are released when the watermark passes its time; so the timer is
 * set once more, to a moment that all of them are before.
 */
final class SweepFn extends DoFn<KV<String, byte[]>, Void> {
  static final TypeDescriptor<KV<String, byte[]>> INPUT = new TypeDescriptor<>() {};

  /** Sources stamp their loads by their own machines' clocks. */
  private static final Duration CLOCK_DIFFERENCE = Duration.standardSeconds(2);

  private final Counter swept = Metrics.counter("widebeam", "documentsSwept");

  // These ids are a wire format: a checkpoint finds its timers by them.
  @TimerId("loaded")
  private final TimerSpec loadedSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  @TimerId("written")
  private final TimerSpec writtenSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  private final MongoTarget target;
  private final long firstVersion;

  @Nullable private transient SharedTarget shared;

  SweepFn(MongoTarget target, long firstVersion) {
    this.target = target;
    this.firstVersion = firstVersion;
  }

  @Setup
  public void setup() {
    shared = SharedTarget.open(target);
  }

  @Teardown
  public void teardown() {
    if (shared != null) {
      shared.close();
      shared = null;
    }
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
    swept.inc(new BatchWriter(shared).deleteBelow(firstVersion));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    super.populateDisplayData(builder);
    target.populateDisplayData(builder);
    builder.add(DisplayData.item("firstVersion", firstVersion).withLabel("First version"));
  }
}
