package io.widebeam.cdc;

import io.widebeam.change.TableId;
import java.io.Serializable;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.kafka.connect.source.SourceRecord;
import org.bson.RawBsonDocument;

/**
 * Turns the connector's records into the source's elements. Used by one thread; it may keep what it
 * has learned of the records' schemas.
 *
 * @param <T> the elements
 */
interface RecordDecoder<T> {

  /** Makes a decoder for each reader. */
  interface Factory<T> extends Serializable {
    /** A decoder for the records of a connector with these properties. */
    RecordDecoder<T> create(Map<String, String> properties);
  }

  /**
   * Makes the element of one record.
   *
   * @param record a record of a table's data
   * @param sequence the number that the element carries, if it carries one
   * @return the element, or null if the record has none to give
   * @throws TableEmptiedException if the record says that a table has lost its rows
   */
  @Nullable
  T decode(SourceRecord record, long sequence) throws Exception;

  /** Whether {@link #row} makes elements of rows that did not come through the connector. */
  default boolean takesRows() {
    return false;
  }

  /**
   * Makes the element of a row that was read from its table.
   *
   * @param table the row's table
   * @param row as the connector's records would give it
   * @param sequence the number that the element carries
   * @param readMillis when it was read, in milliseconds since the epoch
   */
  default T row(TableId table, RawBsonDocument row, long sequence, long readMillis) {
    throw new UnsupportedOperationException("elements are made of the connector's records only");
  }

  /** The element's size in bytes, roughly, for the queue's bound. */
  long sizeInBytes(T element);
}
