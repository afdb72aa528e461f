package io.widebeam.change;

import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.bson.RawBsonDocument;

/**
 * One row of one table changed. An insert has no {@code before}, a delete has no {@code after}; an
 * update of the primary key arrives as a delete and an insert.
 *
 * <p>Rows are BSON documents with one field per column, in the table's column order, null columns
 * included.
 *
 * @param table the table
 * @param before the whole row before the change, or null if there was none
 * @param after the whole row after the change, or null if there is none any more
 * @param sequence the change's number within its source: strictly growing, also across restarts; it
 *     follows the clock, so that of two sources' numbers a much later one is the greater
 * @param commitMillis when the source committed the change, in milliseconds since the epoch, at the
 *     source's own precision (whole seconds on some servers); for a snapshot row, when it was read
 * @param snapshot whether the row comes from the initial snapshot
 */
@DefaultCoder(ChangeCoder.class)
public record Change(
    TableId table,
    @Nullable RawBsonDocument before,
    @Nullable RawBsonDocument after,
    long sequence,
    long commitMillis,
    boolean snapshot) {

  public Change {
    if (before == null && after == null) {
      throw new IllegalArgumentException(
          "a change of " + table + " has neither a row before nor a row after");
    }
  }
}
