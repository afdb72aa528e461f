package io.widebeam.cdc;

import io.widebeam.cdc.CdcCheckpoint.Position;
import java.io.IOException;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import javax.annotation.Nullable;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.beam.sdk.metrics.Gauge;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.joda.time.Instant;

/** Hands out a session's batches; never waits for one. */
final class CdcReader<T> extends UnboundedSource.UnboundedReader<CdcBatch<T>> {
  private static final long METRICS_INTERVAL_NANOS = 200_000_000L;

  private final Gauge backlog = Metrics.gauge("widebeam", "backlog");
  private final Gauge catchingUp = Metrics.gauge("widebeam", "catchingUp");

  private final CdcSource<T> source;
  private final Supplier<ConnectorSession<T>> starter;
  private final boolean parks;

  @Nullable private ConnectorSession<T> session;
  private Position position;
  @Nullable private CdcBatch<T> current;
  private boolean finished;
  private long deadlineNanos;
  private long nextMetricsNanos = System.nanoTime();

  /**
   * @param starter starts the connector at the position
   * @param parks whether {@link #close} shall leave the connector running for the next reader
   */
  CdcReader(
      CdcSource<T> source,
      Position position,
      Supplier<ConnectorSession<T>> starter,
      boolean parks) {
    this.source = source;
    this.position = position;
    this.starter = starter;
    this.parks = parks;
  }

  @Override
  public boolean start() throws IOException {
    session = starter.get();
    // A session that was started anew is held first.
    position = session.handedOutPosition();
    Long millis = source.limits().millis();
    deadlineNanos = millis == null ? Long.MAX_VALUE : System.nanoTime() + millis * 1_000_000;
    return advance();
  }

  @Override
  public boolean advance() throws IOException {
    current = null;
    if (finished || isPastLimits()) {
      finished = true;
      return false;
    }
    // Asked first: what is queued between the two calls only makes it out of date, not wrong.
    Position drained = session.drainedPosition();
    ConnectorSession.Entry<T> entry = session.poll();
    if (entry != null) {
      long before = position.elements();
      position = entry.position();
      current = withinLimits(entry.batch(), before);
    } else if (drained != null) {
      position = drained;
    }
    reportMetrics();
    return current != null;
  }

  private boolean isPastLimits() {
    Integer limit = source.limits().elements();
    return (limit != null && position.elements() >= limit)
        || (deadlineNanos != Long.MAX_VALUE && System.nanoTime() >= deadlineNanos);
  }

  private CdcBatch<T> withinLimits(CdcBatch<T> batch, long before) {
    Integer limit = source.limits().elements();
    return limit == null || before + batch.size() <= limit
        ? batch
        : batch.first((int) (limit - before));
  }

  private void reportMetrics() {
    long now = System.nanoTime();
    if (now - nextMetricsNanos >= 0) {
      nextMetricsNanos = now + METRICS_INTERVAL_NANOS;
      backlog.set(session.backlogElements());
      for (LoadProgress.TableProgress table : position.load().tables()) {
        Metrics.gauge("widebeam", "tableRows." + table.name()).set(table.rows());
      }
      for (LoadProgress.TableProgress table : session.loadedBefore().tables()) {
        // Unless the connector has begun anew.
        boolean goesOn = position.load().find(table.namespace(), table.name()) != null;
        Metrics.gauge("widebeam", "rowsBefore." + session.name() + "." + table.name())
            .set(goesOn ? table.given() : 0);
      }
      report("sourceDown", isSourceDown());
      EventClock.Phase phase = position.clock().phase();
      report("live", phase == EventClock.Phase.LIVE);
      report("snapshotDone", phase != EventClock.Phase.LOAD);
      catchingUp.set(phase == EventClock.Phase.CATCH_UP ? 1 : 0);
    }
  }

  private void report(String gauge, boolean yes) {
    Metrics.gauge("widebeam", gauge + "." + session.name()).set(yes ? 1 : 0);
  }

  /** Whether the database cannot be reached at the moment, and is tried again. */
  boolean isSourceDown() {
    return session != null && session.isSourceDown();
  }

  @Override
  public CdcBatch<T> getCurrent() {
    if (current == null) {
      throw new NoSuchElementException();
    }
    return current;
  }

  @Override
  public Instant getCurrentTimestamp() {
    return Instant.ofEpochMilli(getCurrent().firstMillis());
  }

  @Override
  public Instant getWatermark() {
    if (finished) {
      return BoundedWindow.TIMESTAMP_MAX_VALUE;
    }
    // Even a time in the past could let a timer fire that must wait.
    return session == null || position.clock().held()
        ? BoundedWindow.TIMESTAMP_MIN_VALUE
        : Instant.ofEpochMilli(position.clock().watermark());
  }

  @Override
  public CdcCheckpoint getCheckpointMark() {
    return new CdcCheckpoint(
        session == null ? "" : session.id(),
        position,
        session == null ? new SchemaHistoryLog() : session.history(),
        source.views());
  }

  /** What is queued here; how much more there is in the database's log, nobody knows. */
  @Override
  public long getSplitBacklogBytes() {
    return session == null ? BACKLOG_UNKNOWN : session.backlogBytes();
  }

  @Override
  public CdcSource<T> getCurrentSource() {
    return source;
  }

  @Override
  public void close() {
    if (session == null) {
      return;
    }
    if (parks && !finished) {
      session.park();
    } else {
      session.close();
    }
  }
}
