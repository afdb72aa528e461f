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
 * @param certain whether a target shows {@code before} if it has been given every change up to now.
 *     Not so at the end of a load or of a restart: a target may then have states of the document
 *     that its sender has never heard of, or has forgotten
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
    boolean certain,
    long version,
    long commitMillis) {

  /** A certain change, of a document that existed before if it has a {@code before}. */
  public DocumentChange(
      BsonValue key,
      @Nullable RawBsonDocument before,
      @Nullable RawBsonDocument after,
      long version,
      long commitMillis) {
    this(key, before, after, before != null, true, version, commitMillis);
  }
}
