package io.widebeam.sink.mongodb;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCount;
import io.widebeam.document.DocumentChange;
import io.widebeam.sink.internal.BatchesInFlight;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Instant;

/**
 * Gathers a bundle's changes, the newest per document, and writes them in batches. While up to two
 * batches are on their way the next is gathered; the last one, often the only one of a bundle, goes
 * out on the bundle's own thread.
 *
 * <p>The output is what the server cannot store; without a table to name in it, that fails the
 * bundle.
 */
final class WriteDocumentsFn extends DoFn<DocumentChange, DeadLetter> {

  private static final int MAX_BATCH_DOCUMENTS = 1000;
  private static final int MAX_BATCH_BYTES = 8 * 1024 * 1024;

  private final MongoTarget target;
  private final String metrics;
  @Nullable private final TableId root;
  private final Counter staleRefused;
  private final DeadLetterCount deadLetters = new DeadLetterCount();

  @Nullable private transient SharedTarget shared;
  @Nullable private transient BatchWriter writer;
  private transient Map<BsonValue, DocumentChange> batch;
  private transient long batchBytes;
  private transient BatchesInFlight<BsonValue> inFlight;

  // Where the bundle's latest change was, and so its dead letters.
  private transient Instant time;
  private transient BoundedWindow window;
  private transient Queue<DeadLetter> refused;

  /**
   * @param metrics the namespace of the step's metrics
   * @param root the table whose rows the documents are, if dead letters are wanted
   */
  WriteDocumentsFn(MongoTarget target, String metrics, @Nullable TableId root) {
    this.target = target;
    this.metrics = metrics;
    this.root = root;
    this.staleRefused = Metrics.counter(metrics, "staleWritesRefused");
  }

  @Setup
  public void setup() {
    shared = SharedTarget.open(target);
    refused = new ConcurrentLinkedQueue<>();
    writer = new BatchWriter(shared, metrics, root == null ? null : this::refuse);
    inFlight = new BatchesInFlight<>(shared.claims(), target.toString());
  }

  @StartBundle
  public void startBundle() {
    refused.clear();
    startBatch();
  }

  @ProcessElement
  public void process(
      @Element DocumentChange change, @Timestamp Instant timestamp, BoundedWindow ofChange)
      throws IOException, InterruptedException {
    time = timestamp;
    window = ofChange;
    BsonValue identity = StoredDocument.identity(change.key());
    DocumentChange other = batch.get(identity);
    if (other != null && other.version() >= change.version()) {
      staleRefused.inc();
      return;
    }
    batch.put(identity, change);
    batchBytes += size(change) - (other == null ? 0 : size(other));
    if (batch.size() >= MAX_BATCH_DOCUMENTS || batchBytes >= MAX_BATCH_BYTES) {
      send();
    }
  }

  @FinishBundle
  public void finishBundle(FinishBundleContext context) throws IOException, InterruptedException {
    if (!batch.isEmpty()) {
      Map<BsonValue, DocumentChange> last = batch;
      startBatch();
      inFlight.write(last.keySet(), () -> writer.write(last));
    }
    inFlight.await();
    for (DeadLetter letter : refused) {
      deadLetters.add(letter);
      context.output(letter, time, window);
    }
  }

  private void refuse(DocumentChange change, String reason) {
    boolean small = size(change) <= StoredDocument.MAX_BYTES;
    refused.add(
        new DeadLetter(
            DeadLetter.Stage.WRITE,
            target.database() + "." + target.collection(),
            root,
            key(change.key()),
            change.version(),
            null,
            change.commitMillis(),
            reason,
            null,
            small ? change.after() : null));
  }

  private static RawBsonDocument key(BsonValue key) {
    return new RawBsonDocument(
        key.isDocument() ? key.asDocument() : new BsonDocument("_id", key),
        new BsonDocumentCodec());
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
    batch = new LinkedHashMap<>();
    batchBytes = 0;
  }

  private void send() throws IOException, InterruptedException {
    Map<BsonValue, DocumentChange> full = batch;
    startBatch();
    inFlight.send(full.keySet(), () -> writer.write(full));
  }

  private static long size(DocumentChange change) {
    return change.after() == null ? 0 : change.after().getByteBuffer().remaining();
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    super.populateDisplayData(builder);
    target.populateDisplayData(builder);
  }
}
