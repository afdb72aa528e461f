package io.widebeam.cdc;

import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCount;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.TupleTag;
import org.joda.time.Instant;

/**
 * Takes the source's batches apart, each element with its own event time, and counts them. Dead
 * letters go to an output of their own.
 */
final class ExplodeBatches<T> extends DoFn<CdcBatch<T>, T> {
  private static final long serialVersionUID = 1L;

  static final TupleTag<DeadLetter> DEAD_LETTERS = new TupleTag<>("deadLetters") {};

  private final TupleTag<T> elements;
  private final DeadLetterCount deadLetters = new DeadLetterCount();

  private final Counter changes = Metrics.counter("widebeam", "changes");
  private transient Map<TableId, Counter> snapshotRows;

  /**
   * @param elements the main output
   */
  ExplodeBatches(TupleTag<T> elements) {
    this.elements = elements;
  }

  @Setup
  public void setup() {
    snapshotRows = new HashMap<>();
  }

  @ProcessElement
  public void process(@Element CdcBatch<T> batch, MultiOutputReceiver outputs) {
    OutputReceiver<T> out = outputs.get(elements);
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
    for (CdcBatch.Letter letter : batch.letters()) {
      deadLetters.add(letter.letter());
      outputs
          .get(DEAD_LETTERS)
          .outputWithTimestamp(letter.letter(), Instant.ofEpochMilli(letter.eventMillis()));
    }
  }

  private void countSnapshotRows(@Nullable TableId table, long rows) {
    if (table != null) {
      snapshotRows
          .computeIfAbsent(table, t -> Metrics.counter("widebeam", "snapshotRows." + t.name()))
          .inc(rows);
    }
  }
}
