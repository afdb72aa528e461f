package io.widebeam.sink.jdbc;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.sink.internal.BatchesInFlight;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.display.DisplayData;

/**
 * Gathers the rows of a bundle's changes, the newest write for each, and writes them in batches.
 * While up to two batches are on their way the next is gathered; the last one, often the only one
 * of a bundle, goes out on the bundle's own thread.
 */
final class WriteRowsFn extends DoFn<DocumentChange, Void> {

  private static final int MAX_BATCH_ROWS = 1000;
  private static final int MAX_BATCH_BYTES = 8 * 1024 * 1024;

  private final Counter staleRefused = Metrics.counter("widebeam", "staleWritesRefused");

  private final TableWrite target;

  @Nullable private transient SharedTable shared;
  @Nullable private transient BatchWriter writer;
  private transient FlatTable table;
  private transient Unwinder unwinder;
  private transient RowBatch batch;
  private transient long batchBytes;
  private transient BatchesInFlight<String> inFlight;

  WriteRowsFn(TableWrite target) {
    this.target = target;
  }

  @Setup
  public void setup() throws IOException, InterruptedException {
    shared = SharedTable.open(target);
    writer = new BatchWriter(shared, target);
    // Now, so that a table without rows is there too, and that one that does not fit is known.
    writer.prepare();
    inFlight = new BatchesInFlight<>(shared.claims(), target.toString());
    useTable(shared.table());
  }

  @StartBundle
  public void startBundle() {
    useTable(shared.table());
    startBatch();
  }

  @ProcessElement
  public void process(@Element DocumentChange change) throws IOException, InterruptedException {
    if (target.sourceColumns() != null && change.after() != null) {
      followColumns(change);
    }
    staleRefused.inc(batch.add(unwinder.unwind(change)));
    batchBytes += change.after() == null ? 0 : change.after().getByteBuffer().remaining();
    if (batch.size() >= MAX_BATCH_ROWS || batchBytes >= MAX_BATCH_BYTES) {
      send();
    }
  }

  @FinishBundle
  public void finishBundle() throws IOException, InterruptedException {
    writeRest();
    inFlight.await();
  }

  @Teardown
  public void teardown() {
    if (shared == null) {
      return;
    }
    // Something is in flight only if its bundle failed. It keeps its documents claimed until it
    // ends, so it need not be awaited: the repeated bundle waits for the claims.
    writer.giveUp();
    shared.close();
    shared = null;
  }

  private void startBatch() {
    batch = new RowBatch(table);
    batchBytes = 0;
  }

  private void useTable(FlatTable current) {
    if (!current.equals(table)) {
      table = current;
      unwinder = new Unwinder(current);
    }
  }

  /** A batch is for the columns of its time: what was gathered goes out before they change. */
  private void followColumns(DocumentChange change) throws IOException, InterruptedException {
    Set<String> fields = fields(BsonRow.bytes(change.after()));
    if (!shared.knows(fields)) {
      writer.follow(fields);
    }
    if (!shared.table().equals(table)) {
      writeRest();
      useTable(shared.table());
      startBatch();
    }
  }

  private static Set<String> fields(byte[] document) {
    Set<String> names = new HashSet<>();
    int element = BsonRow.FIRST_ELEMENT;
    while (element < document.length - 1) {
      int end = BsonRow.valueOffset(document, element) - 1;
      names.add(new String(document, element + 1, end - element - 1, StandardCharsets.UTF_8));
      element = BsonRow.nextElement(document, element);
    }
    return names;
  }

  private void writeRest() throws IOException, InterruptedException {
    if (!batch.isEmpty()) {
      RowBatch last = batch;
      startBatch();
      inFlight.write(last.documents(), () -> writer.write(last));
    }
  }

  private void send() throws IOException, InterruptedException {
    RowBatch full = batch;
    startBatch();
    inFlight.send(full.documents(), () -> writer.write(full));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    super.populateDisplayData(builder);
    builder.add(DisplayData.item("table", target.table().name()).withLabel("Table"));
    target.target().populateDisplayData(builder);
  }
}
