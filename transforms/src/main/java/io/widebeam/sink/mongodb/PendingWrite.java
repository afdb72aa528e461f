package io.widebeam.sink.mongodb;

import com.mongodb.client.model.DeleteOneModel;
import com.mongodb.client.model.InsertOneModel;
import com.mongodb.client.model.ReplaceOneModel;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.client.model.WriteModel;
import io.widebeam.document.DocumentChange;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;

/** A document change on its way to the server. */
final class PendingWrite {

  enum Kind {
    /** The server itself refuses it if the document is there, by the uniqueness of {@code _id}. */
    INSERT,
    REPLACE,
    DELETE
  }

  private static final ReplaceOptions UPSERT = new ReplaceOptions().upsert(true);

  private final DocumentChange change;
  private final BsonValue identity;
  @Nullable private final RawBsonDocument document;
  private Kind kind;
  private boolean outcomeUnknown;
  private int refusals;

  /**
   * @throws IllegalArgumentException if there is no such document; the message completes "the
   *     document …"
   */
  PendingWrite(BsonValue identity, DocumentChange change, String versionField) {
    if (change.key().isNull()) {
      throw new IllegalArgumentException("has no key");
    }
    this.change = change;
    this.identity = identity;
    this.document = change.after() == null ? null : StoredDocument.render(change, versionField);
    this.kind =
        change.after() == null ? Kind.DELETE : change.existed() ? Kind.REPLACE : Kind.INSERT;
  }

  DocumentChange change() {
    return change;
  }

  BsonValue identity() {
    return identity;
  }

  Kind kind() {
    return kind;
  }

  boolean isDelete() {
    return kind == Kind.DELETE;
  }

  /** The attempt's answer was lost: the server may have the document already. */
  void markOutcomeUnknown() {
    outcomeUnknown = true;
  }

  boolean outcomeUnknown() {
    return outcomeUnknown;
  }

  /** From now on a document that is there is replaced. Answers how often the server refused. */
  int replaceFromNowOn() {
    kind = Kind.REPLACE;
    return ++refusals;
  }

  WriteModel<RawBsonDocument> model(VersionGuard guard, String versionField) {
    return switch (kind) {
      case INSERT -> new InsertOneModel<>(document);
      case REPLACE -> new ReplaceOneModel<>(filter(guard, versionField), document, UPSERT);
      case DELETE -> new DeleteOneModel<>(filter(guard, versionField));
    };
  }

  private BsonDocument filter(VersionGuard guard, String versionField) {
    BsonDocument byId = new BsonDocument("_id", change.key());
    return switch (guard) {
      // "Not at least", rather than "less than", also matches a document without a version.
      case IN_FILTER ->
          byId.append(
              versionField,
              new BsonDocument("$not", new BsonDocument("$gte", new BsonInt64(change.version()))));
      case READ_FIRST -> byId;
    };
  }
}
