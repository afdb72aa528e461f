package io.widebeam.sink.mongodb;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import io.widebeam.document.DocumentChange;
import io.widebeam.sink.internal.SweepFn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.bson.BsonDocument;

/**
 * Writes document changes to a MongoDB collection.
 *
 * <pre>{@code
 * changes.apply("Orders/Write", MongoDocuments.write()
 *     .withUri("mongodb://127.0.0.1:27017")
 *     .withDatabase("ecommerce")
 *     .withCollection("orderSingleView"));
 * }</pre>
 *
 * <p>A stored document is {@code _id} (the change's key), the version field, and the document's own
 * fields.
 */
public final class MongoDocuments {

  /** The field that holds a document's version if {@link Write#withVersionField} is not called. */
  public static final String DEFAULT_VERSION_FIELD = "_version";

  private MongoDocuments() {}

  /** A sink that still needs its URI, database and collection. */
  public static Write write() {
    return new Write(new MongoTarget("", "", "", DEFAULT_VERSION_FIELD), 0, null, null);
  }

  /**
   * The keys of the groups that a collection has documents of, each a document of the group's
   * fields. Waits for a server that does not answer.
   */
  public static List<BsonDocument> groups(String uri, String database, String collection)
      throws IOException, InterruptedException {
    MongoTarget target = new MongoTarget(uri, database, collection, DEFAULT_VERSION_FIELD);
    try (SharedTarget shared = SharedTarget.open(target)) {
      return new BatchWriter(shared, "widebeam", null).keys();
    }
  }

  /**
   * Upserts and deletes documents, in bulk, by {@code _id}.
   *
   * <p><b>Order.</b> None is assumed. A document is never replaced by a version that is not higher
   * than its own, so a replay changes nothing and a late change is refused; of several changes of a
   * document in one bundle only the newest is written. A document without the version field counts
   * as older than any version.
   *
   * <p>A delete leaves nothing in the collection that could refuse an older upsert arriving after
   * it. That is remembered beside the collection: each JVM keeps the versions of the deletes of the
   * last ten minutes, at most 100,000 for each collection. This suffices: on the direct runner, the
   * one that reorders the bundles of a key, there is only one JVM; on Flink and Dataflow this step
   * is fused with the keyed step before it, so that changes of a key arrive in order, on one
   * worker. After a restart, a replay that repeats an upsert also repeats the delete behind it.
   *
   * <p><b>Errors.</b> A server that does not answer is tried again, with growing pauses of up to
   * five seconds, for ever; it is said in the log every half minute. A document that the server
   * cannot store (larger than 16 MB, say) fails the bundle with a message that names its collection
   * and {@code _id}, or goes to the dead letters: {@link #withDeadLetters}. Bulk writes end, and
   * errors surface, before their bundle does.
   *
   * <p><b>Metrics</b>, all in namespace {@code widebeam}: counters {@code documentsInserted}
   * (documents that were not there before), {@code documentsWritten} (accepted inserts and
   * replacements), {@code documentsDeleted}, {@code documentsSwept} (removed as remains of an older
   * generation), {@code staleWritesRefused}, {@code writeRetries} (attempts that failed and were
   * repeated), and the gauge {@code delayMillis} (milliseconds from the source's commit of the
   * newest change just acknowledged to its acknowledgement).
   */
  public static final class Write extends PTransform<PCollection<DocumentChange>, PDone> {

    private final MongoTarget target;
    private final long firstVersion;

    @Nullable private final ErrorHandler<DeadLetter, ?> deadLetters;
    @Nullable private final TableId root;

    private Write(
        MongoTarget target,
        long firstVersion,
        @Nullable ErrorHandler<DeadLetter, ?> deadLetters,
        @Nullable TableId root) {
      this.target = target;
      this.firstVersion = firstVersion;
      this.deadLetters = deadLetters;
      this.root = root;
    }

    private Write to(MongoTarget other) {
      return new Write(other, firstVersion, deadLetters, root);
    }

    /**
     * The server, as {@code mongodb://} or {@code mongodb+srv://} URI. Kept out of logs, messages
     * and display data, which show its hosts only.
     */
    public Write withUri(String uri) {
      return to(
          new MongoTarget(uri, target.database(), target.collection(), target.versionField()));
    }

    public Write withDatabase(String database) {
      return to(
          new MongoTarget(target.uri(), database, target.collection(), target.versionField()));
    }

    public Write withCollection(String collection) {
      return to(
          new MongoTarget(target.uri(), target.database(), collection, target.versionField()));
    }

    /**
     * The field that holds a document's version, a 64-bit integer; must not be a field of the
     * documents themselves.
     */
    public Write withVersionField(String versionField) {
      return to(
          new MongoTarget(target.uri(), target.database(), target.collection(), versionField));
    }

    /**
     * Begins a generation: when the initial load is written, the documents with a lower version are
     * removed, since their rows are gone from the sources. Documents without the version field, or
     * with something else in it than a 64-bit integer, stay.
     *
     * <p>The load is over when the watermark moves on from its minimum, where the sources must hold
     * it until then. A pipeline that goes on from its state does not remove anything again.
     *
     * @param firstVersion what the versions of this generation are at or above; 0, the default,
     *     removes nothing
     */
    public Write withFirstVersion(long firstVersion) {
      return new Write(target, firstVersion, deadLetters, root);
    }

    /**
     * Gives documents that the server cannot store to the handler; without one, they fail the
     * pipeline. What is stored of such a document from before is deleted, so that it does not pass
     * for current; the next version that can be stored brings the document back.
     *
     * @param root the table whose rows the documents are, for the letters to name
     */
    public Write withDeadLetters(ErrorHandler<DeadLetter, ?> handler, TableId root) {
      return new Write(
          target,
          firstVersion,
          Objects.requireNonNull(handler, "handler"),
          Objects.requireNonNull(root, "root"));
    }

    /**
     * The same sink for dead letters: each becomes a document of its own, and a replay writes the
     * same document again. Its metrics are in the namespace {@code widebeam.deadLetters}.
     */
    public PTransform<PCollection<DeadLetter>, PDone> ofDeadLetters() {
      requireComplete();
      return new WriteDeadLetters(target);
    }

    @Override
    public PDone expand(PCollection<DocumentChange> changes) {
      requireComplete();
      PCollection<DeadLetter> refused =
          changes
              .apply("Write", ParDo.of(new WriteDocumentsFn(target, "widebeam", root)))
              .setCoder(DeadLetterCoder.of());
      if (deadLetters != null) {
        deadLetters.addErrorCollection(refused);
      }
      if (firstVersion > 0) {
        MongoTarget swept = target;
        SweepFn.apply(
            refused,
            version -> {
              try (SharedTarget shared = SharedTarget.open(swept)) {
                return new BatchWriter(shared, "widebeam", null).deleteBelow(version);
              }
            },
            firstVersion);
      }
      return PDone.in(changes.getPipeline());
    }

    private void requireComplete() {
      List<String> missing = new ArrayList<>();
      if (target.uri().isEmpty()) {
        missing.add("withUri");
      }
      if (target.database().isEmpty()) {
        missing.add("withDatabase");
      }
      if (target.collection().isEmpty()) {
        missing.add("withCollection");
      }
      if (target.versionField().isEmpty()) {
        missing.add("withVersionField");
      }
      if (!missing.isEmpty()) {
        throw new IllegalArgumentException(
            "MongoDocuments.write() needs " + String.join(", ", missing));
      }
      // An SRV address is looked up when parsed; the machine that builds the pipeline may not be
      // able to.
      if (!target.uri().startsWith("mongodb+srv://")) {
        target.connectionString();
      }
    }

    @Override
    public void populateDisplayData(DisplayData.Builder builder) {
      super.populateDisplayData(builder);
      target.populateDisplayData(builder);
    }
  }
}
