package io.widebeam.sink.mongodb;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.bulk.BulkWriteError;
import com.mongodb.bulk.BulkWriteResult;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.WriteModel;
import io.widebeam.document.DocumentChange;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Gauge;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.util.BackOff;
import org.apache.beam.sdk.util.BackOffUtils;
import org.apache.beam.sdk.util.FluentBackoff;
import org.apache.beam.sdk.util.Sleeper;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.joda.time.Duration;

/**
 * Writes one batch of changes, at most one per document, and returns when the server has
 * acknowledged all of it. Thread-safe; the caller has claimed the batch's documents.
 */
final class BatchWriter {

  private static final FluentBackoff RETRY =
      FluentBackoff.DEFAULT
          .withInitialBackoff(Duration.millis(50))
          .withMaxBackoff(Duration.standardSeconds(5))
          .withMaxRetries(Integer.MAX_VALUE);

  private static final BulkWriteOptions UNORDERED = new BulkWriteOptions().ordered(false);

  /** A document may come and go while it is refused; so often it does not. */
  private static final int MAX_REFUSALS = 5;

  private static final int MAX_ID_IN_MESSAGE = 200;

  private final Counter inserted;
  private final Counter written;
  private final Counter deleted;
  private final Counter staleRefused;
  private final Counter retries;
  private final Gauge delayMillis;

  private final SharedTarget shared;
  private final MongoTarget target;
  @Nullable private final Refusals refusals;
  private volatile boolean givenUp;

  /** Takes the changes whose documents the server cannot store, from any thread. */
  interface Refusals {
    /** Called once a document; the reason is for people. */
    void add(DocumentChange change, String reason);
  }

  /**
   * @param metrics the namespace of the writer's metrics
   * @param refusals who wants to know of documents that cannot be stored; null to fail instead
   */
  BatchWriter(SharedTarget shared, String metrics, @Nullable Refusals refusals) {
    this.shared = shared;
    this.target = shared.target();
    this.refusals = refusals;
    inserted = Metrics.counter(metrics, "documentsInserted");
    written = Metrics.counter(metrics, "documentsWritten");
    deleted = Metrics.counter(metrics, "documentsDeleted");
    staleRefused = Metrics.counter(metrics, "staleWritesRefused");
    retries = Metrics.counter(metrics, "writeRetries");
    delayMillis = Metrics.gauge(metrics, "delayMillis");
  }

  void write(Map<BsonValue, DocumentChange> changes) throws IOException, InterruptedException {
    List<PendingWrite> pending = new ArrayList<>(changes.size());
    for (Map.Entry<BsonValue, DocumentChange> entry : changes.entrySet()) {
      DocumentChange change = entry.getValue();
      if (change.after() == null) {
        shared.deletes().add(entry.getKey(), change.version());
      } else if (shared.deletes().outranks(entry.getKey(), change.version())) {
        staleRefused.inc();
        continue;
      }
      try {
        pending.add(new PendingWrite(entry.getKey(), change, target.versionField()));
      } catch (IllegalArgumentException e) {
        reject(change, e.getMessage());
        if (!change.key().isNull()) {
          pending.add(removal(entry.getKey(), change));
        }
      }
    }

    while (!pending.isEmpty()) {
      List<PendingWrite> sent = pending;
      pending = retrying(() -> attempt(sent), () -> sent.forEach(PendingWrite::markOutcomeUnknown));
    }
  }

  /**
   * Deletes all documents with a version below the given one, and answers how many there were. If
   * an answer is lost, those that were deleted already are not counted.
   */
  long deleteBelow(long version) throws IOException, InterruptedException {
    BsonDocument older =
        new BsonDocument(
            target.versionField(),
            new BsonDocument("$lt", new BsonInt64(version))
                .append("$type", new BsonString("long")));
    return retrying(() -> shared.collection().deleteMany(older).getDeletedCount(), () -> {});
  }

  /** The {@code _id}s of all documents that have a document for one. */
  List<BsonDocument> keys() throws IOException, InterruptedException {
    return retrying(
        () -> {
          List<BsonDocument> keys = new ArrayList<>();
          for (RawBsonDocument found :
              shared.collection().find().projection(new BsonDocument("_id", new BsonInt32(1)))) {
            BsonValue id = found.get("_id");
            if (id.isDocument()) {
              keys.add(id.asDocument());
            }
          }
          return keys;
        },
        () -> {});
  }

  /** Repeats what fails for reasons that pass, with growing pauses. */
  private <T> T retrying(Supplier<T> action, Runnable beforeRetry)
      throws IOException, InterruptedException {
    BackOff backOff = RETRY.backoff();
    while (true) {
      try {
        T result = action.get();
        shared.outages().reportSuccess();
        return result;
      } catch (MongoInterruptedException e) {
        throw interrupted(e);
      } catch (MongoException e) {
        if (!Failures.isTransient(e)) {
          throw new MongoTargetException(
              "MongoDB refused to write to " + target + ": " + Failures.reason(e));
        }
        beforeRetry.run();
        pauseBeforeRetry(backOff, Failures.reason(e));
      }
    }
  }

  /** What is on its way ends without another retry. */
  void giveUp() {
    givenUp = true;
  }

  /** Sends what is pending and returns what of it is to be sent again. */
  private List<PendingWrite> attempt(List<PendingWrite> pending) {
    VersionGuard guard = shared.guard();
    List<PendingWrite> sent =
        switch (guard) {
          case IN_FILTER -> pending;
          case READ_FIRST -> withoutStale(pending);
        };
    if (sent.isEmpty()) {
      return List.of();
    }

    List<WriteModel<RawBsonDocument>> models = new ArrayList<>(sent.size());
    for (PendingWrite write : sent) {
      models.add(write.model(guard, target.versionField()));
    }
    try {
      acknowledge(sent, shared.collection().bulkWrite(models, UNORDERED));
      return List.of();
    } catch (MongoBulkWriteException e) {
      if (e.getWriteConcernError() != null) {
        throw e;
      }
      return sortOut(sent, e);
    }
  }

  /** The server took some of the batch: counts that, and decides about the rest one by one. */
  private List<PendingWrite> sortOut(List<PendingWrite> sent, MongoBulkWriteException e) {
    Map<Integer, BulkWriteError> errors = new HashMap<>();
    e.getWriteErrors().forEach(error -> errors.put(error.getIndex(), error));

    List<PendingWrite> accepted = new ArrayList<>();
    List<PendingWrite> duplicates = new ArrayList<>();
    List<PendingWrite> again = new ArrayList<>();
    Map<PendingWrite, BulkWriteError> rejected = new LinkedHashMap<>();
    for (int i = 0; i < sent.size(); i++) {
      PendingWrite write = sent.get(i);
      BulkWriteError error = errors.get(i);
      if (error == null) {
        accepted.add(write);
      } else if (error.getCode() == Failures.DUPLICATE_KEY) {
        if (write.replaceFromNowOn() > MAX_REFUSALS) {
          rejected.put(write, error);
        } else {
          duplicates.add(write);
        }
      } else if (Failures.isTransient(error.getCode())) {
        again.add(write);
      } else {
        rejected.put(write, error);
      }
    }
    acknowledge(accepted, e.getWriteResult());
    if (!again.isEmpty()) {
      retries.inc();
    }
    // A duplicate key does not prove that the document there is newer: two inserts may have raced,
    // or another unique index may be in the way.
    again.addAll(withoutStale(duplicates));
    rejected.forEach(
        (write, error) -> {
          if (write.isDelete()) {
            throw new MongoTargetException(
                message(write.change(), "cannot be deleted: " + error.getMessage()));
          }
          reject(write.change(), "was refused: " + error.getMessage());
          again.add(removal(write.identity(), write.change()));
        });
    return again;
  }

  /**
   * The document as it was must not pass for what it is now, which cannot be stored: it is deleted,
   * until a version comes that can.
   */
  private PendingWrite removal(BsonValue identity, DocumentChange change) {
    shared.deletes().add(identity, change.version());
    return new PendingWrite(
        identity,
        new DocumentChange(change.key(), null, null, change.version(), change.commitMillis()),
        target.versionField());
  }

  /** Reads the stored versions; counts and leaves out what does not outrank them. */
  private List<PendingWrite> withoutStale(List<PendingWrite> writes) {
    Map<BsonValue, OptionalLong> stored = storedVersions(writes);
    List<PendingWrite> newer = new ArrayList<>(writes.size());
    for (PendingWrite write : writes) {
      OptionalLong version = stored.getOrDefault(write.identity(), OptionalLong.empty());
      if (version.isEmpty() || version.getAsLong() < write.change().version()) {
        newer.add(write);
      } else if (version.getAsLong() == write.change().version() && write.outcomeUnknown()) {
        // An attempt before, whose answer was lost, has put it there.
        written.inc();
        if (!write.change().existed()) {
          inserted.inc();
        }
        measureDelay(write.change().commitMillis());
      } else {
        staleRefused.inc();
      }
    }
    return newer;
  }

  private Map<BsonValue, OptionalLong> storedVersions(List<PendingWrite> writes) {
    BsonArray ids = new BsonArray();
    for (PendingWrite write : writes) {
      if (write.kind() != PendingWrite.Kind.INSERT) {
        ids.add(write.change().key());
      }
    }
    if (ids.isEmpty()) {
      return Map.of();
    }
    MongoCollection<RawBsonDocument> collection = shared.collection();
    Map<BsonValue, OptionalLong> versions = new HashMap<>();
    collection
        .find(new BsonDocument("_id", new BsonDocument("$in", ids)))
        .projection(new BsonDocument(target.versionField(), new BsonInt32(1)))
        .batchSize(ids.size())
        .forEach(
            document -> {
              BsonValue version = document.get(target.versionField());
              versions.put(
                  StoredDocument.identity(document.get("_id")),
                  version != null && version.isNumber()
                      ? OptionalLong.of(version.asNumber().longValue())
                      : OptionalLong.empty());
            });
    return versions;
  }

  private void acknowledge(List<PendingWrite> accepted, BulkWriteResult result) {
    // Not result.getInsertedCount(): some servers count refused inserts there.
    long newDocuments = result.getUpserts().size();
    long upserts = 0;
    long newestCommit = Long.MIN_VALUE;
    for (PendingWrite write : accepted) {
      if (write.kind() == PendingWrite.Kind.INSERT) {
        newDocuments++;
      }
      if (!write.isDelete()) {
        upserts++;
      }
      newestCommit = Math.max(newestCommit, write.change().commitMillis());
    }
    inserted.inc(newDocuments);
    written.inc(upserts);
    deleted.inc(result.getDeletedCount());
    if (!accepted.isEmpty()) {
      measureDelay(newestCommit);
    }
  }

  private void measureDelay(long commitMillis) {
    delayMillis.set(System.currentTimeMillis() - commitMillis);
  }

  private void pauseBeforeRetry(BackOff backOff, String reason)
      throws IOException, InterruptedException {
    retries.inc();
    shared.outages().reportOutage(reason);
    if (givenUp || !BackOffUtils.next(Sleeper.DEFAULT, backOff)) {
      throw new MongoTargetException("MongoDB did not take writes to " + target + ": " + reason);
    }
  }

  /** The one place where a document that cannot be stored ends up. */
  private void reject(DocumentChange change, String reason) {
    String message = message(change, reason);
    if (refusals == null) {
      throw new MongoTargetException(message);
    }
    refusals.add(change, message);
  }

  private String message(DocumentChange change, String reason) {
    String id = new BsonDocument("_id", change.key()).toJson();
    if (id.length() > MAX_ID_IN_MESSAGE) {
      id = id.substring(0, MAX_ID_IN_MESSAGE) + "…";
    }
    return "Cannot write to " + target + ": the document with " + id + " " + reason;
  }

  private static InterruptedException interrupted(MongoInterruptedException e) {
    InterruptedException interrupted = new InterruptedException("interrupted while writing");
    interrupted.initCause(e);
    return interrupted;
  }
}
