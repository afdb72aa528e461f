package io.widebeam.cdc;

import io.widebeam.cdc.CdcCheckpoint.Position;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.options.PipelineOptions;

/** One connector as a Beam source. Never split: a database has one log. */
final class CdcSource<T> extends UnboundedSource<CdcBatch<T>, CdcCheckpoint> {
  private static final long serialVersionUID = 1L;

  /** The limits of a read that ends by itself; null where there is none. */
  record Limits(@Nullable Integer elements, @Nullable Long millis) implements java.io.Serializable {
    static final Limits NONE = new Limits(null, null);
  }

  private final JobProperties properties;
  private final RecordDecoder.Factory<T> decoders;
  private final Coder<T> coder;
  private final Limits limits;
  private final long generation;

  /**
   * @param generation the lowest number that a change may get
   */
  CdcSource(
      JobProperties properties,
      RecordDecoder.Factory<T> decoders,
      Coder<T> coder,
      Limits limits,
      long generation) {
    this.generation = generation;
    this.properties = properties;
    this.decoders = decoders;
    this.coder = coder;
    this.limits = limits;
  }

  /** What the job makes of the changes. */
  Map<String, String> views() {
    return ConnectorProperties.views(properties.values());
  }

  Limits limits() {
    return limits;
  }

  @Override
  public List<CdcSource<T>> split(int desiredNumSplits, PipelineOptions options) {
    return List.of(
        everyWorkerHasTheJob(options)
            ? new CdcSource<>(properties.withoutValues(), decoders, coder, limits, generation)
            : this);
  }

  @Override
  public CdcReader<T> createReader(
      @Nullable PipelineOptions options, @Nullable CdcCheckpoint checkpoint)
      throws StateMismatchException {
    boolean reopens = closesReadersToReopenThem(options);
    if (checkpoint == null) {
      Position start = Position.start(System.currentTimeMillis(), generation);
      return new CdcReader<>(
          this,
          start,
          () ->
              ConnectorSession.start(
                  properties.values(),
                  decoders.create(properties.values()),
                  start,
                  new SchemaHistoryLog()),
          reopens);
    }
    checkpoint.requireViews(views());
    return new CdcReader<>(this, checkpoint.position(), () -> adoptOrStart(checkpoint), reopens);
  }

  private ConnectorSession<T> adoptOrStart(CdcCheckpoint checkpoint) {
    @SuppressWarnings("unchecked") // A session's name is known to its own source only.
    ConnectorSession<T> parked = (ConnectorSession<T>) ConnectorSession.find(checkpoint.session());
    if (parked != null && parked.isParked()) {
      if (parked.adopt(checkpoint.position())) {
        return parked;
      }
      // The database would meet two readers of the same name.
      parked.close();
    }
    return ConnectorSession.start(
        properties.values(),
        decoders.create(properties.values()),
        checkpoint.position().resumed(System.currentTimeMillis(), generation),
        checkpoint.copyHistory());
  }

  /**
   * Whether the runner brings the source as it was built to wherever it brings its splits. Flink
   * does; others may send the splits alone.
   */
  private static boolean everyWorkerHasTheJob(PipelineOptions options) {
    return runner(options).endsWith("FlinkRunner");
  }

  /**
   * The direct runner closes a reader now and then after a bundle, to see that it can be reopened.
   * A connector that starts over each time, and its snapshot with it, would never get anywhere.
   */
  private static boolean closesReadersToReopenThem(@Nullable PipelineOptions options) {
    return runner(options).equals("DirectRunner");
  }

  private static String runner(@Nullable PipelineOptions options) {
    try {
      return options == null ? "" : options.getRunner().getSimpleName();
    } catch (IllegalArgumentException e) {
      // No runner is named, and the default one is not there.
      return "";
    }
  }

  @Override
  public Coder<CdcCheckpoint> getCheckpointMarkCoder() {
    return CdcCheckpoint.coder();
  }

  @Override
  public Coder<CdcBatch<T>> getOutputCoder() {
    return new CdcBatch.BatchCoder<>(coder);
  }
}
