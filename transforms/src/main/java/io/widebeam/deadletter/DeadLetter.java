package io.widebeam.deadletter;

import io.widebeam.change.TableId;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.bson.RawBsonDocument;

/**
 * A change that could not be processed, and why. To what comes after, it was the deletion of the
 * row, where its key can be told; a later change of the row that can be processed brings it back.
 *
 * @param stage which step could not process it
 * @param place where in that step: empty when reading and rolling up, the path of the lookup in the
 *     document when joining (empty for the root), the collection when writing
 * @param table the row's table; when rolling up or writing, the view's root table
 * @param key the row's primary key, or null if it cannot be told
 * @param sequence the change's number within its source; when rolling up or writing, the document's
 *     version
 * @param logPosition the connector's own position in the database's log, if known
 * @param commitMillis when the source committed the change, in milliseconds since the epoch
 * @param reason why, in words for people
 * @param before the row before, without the columns that cannot be represented; null if there was
 *     none
 * @param after the row after, likewise; when rolling up or writing, the document
 */
@DefaultCoder(DeadLetterCoder.class)
public record DeadLetter(
    Stage stage,
    String place,
    TableId table,
    @Nullable RawBsonDocument key,
    long sequence,
    @Nullable RawBsonDocument logPosition,
    long commitMillis,
    String reason,
    @Nullable RawBsonDocument before,
    @Nullable RawBsonDocument after) {

  /** The steps that dead letters come from. In letters' bytes by their names. */
  public enum Stage {
    /** A record of the source that cannot be turned into a change. */
    READ,
    /** A row that its view cannot take in. */
    JOIN,
    /** A document that a rollup cannot take in. */
    AGGREGATE,
    /** A document that the target refuses. */
    WRITE
  }

  public DeadLetter {
    Objects.requireNonNull(stage, "stage");
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(table, "table");
    Objects.requireNonNull(reason, "reason");
  }
}
