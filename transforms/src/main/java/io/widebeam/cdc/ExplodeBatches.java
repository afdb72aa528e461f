package io.widebeam.cdc;

import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.joda.time.Instant;

/** Takes the source's batches apart, each element with its own event time, and counts them. */
final class ExplodeBatches<T> extends DoFn<CdcBatch<T>, T> {
  private static final long serialVersionUID = 1L;

  private final Counter changes = Metrics.counter("widebeam", "changes");
  private transient Map<TableId, Counter> snapshotRows;

  @Setup
  public void setup() {
    snapshotRows = new HashMap<>();
  }

  @ProcessElement
  public void process(@Element CdcBatch<T> batch, OutputReceiver<T> out) {
    long lastMillis = Long.MIN_VALUE;
    Instant time = null;
    TableId table = null;
    long rows = 0;
    for (int i = 0; i < batch.size(); i++) {
      if (time == null || batch.eventMillis(i) != lastMillis) {
        lastMillis = batch.eventMillis(i);
        time = Instant.ofEpochMilli(lastMillis);
      }
      T value = batch.value(i);
      if (value instanceof Change change && change.snapshot()) {
        if (!change.table().equals(table)) {
          countSnapshotRows(table, rows);
          table = change.table();
          rows = 0;
        }
        rows++;
      }
      out.outputWithTimestamp(value, time);
    }
    countSnapshotRows(table, rows);
    changes.inc(batch.size());
  }

  private void countSnapshotRows(@Nullable TableId table, long rows) {
    if (table != null) {
      snapshotRows
          .computeIfAbsent(table, t -> Metrics.counter("widebeam", "snapshotRows." + t.name()))
          .inc(rows);
    }
  }
}
