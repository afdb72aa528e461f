package io.widebeam.document;

import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;

/**
 * What a view's root emits: one wide document changed.
 *
 * @param key the root row's primary key: the column's value, or a document of the columns when the
 *     key is composite
 * @param before the document as it was last emitted, or null if there was none (or if the view was
 *     told not to keep it)
 * @param after the document now, or null if the root row is gone; carries no {@code _id} of its own
 * @param existed whether a document of this key was emitted before and not deleted since: an
 *     update, not an insert, even where {@code before} is not kept
 * @param version strictly grows from one change of a key to the next, across restarts
 * @param commitMillis commit time, in milliseconds since the epoch, of the newest change that the
 *     document contains
 */
@DefaultCoder(DocumentChangeCoder.class)
public record DocumentChange(
    BsonValue key,
    @Nullable RawBsonDocument before,
    @Nullable RawBsonDocument after,
    boolean existed,
    long version,
    long commitMillis) {

  /** A change that existed before if it has a {@code before}. */
  public DocumentChange(
      BsonValue key,
      @Nullable RawBsonDocument before,
      @Nullable RawBsonDocument after,
      long version,
      long commitMillis) {
    this(key, before, after, before != null, version, commitMillis);
  }
}
