package io.widebeam.cdc;

import java.io.Serializable;
import javax.annotation.Nullable;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Turns the connector's records into the source's elements. Used by one thread; it may keep what it
 * has learned of the records' schemas.
 *
 * @param <T> the elements
 */
interface RecordDecoder<T> {

  /** Makes a decoder for each reader. */
  interface Factory<T> extends Serializable {
    RecordDecoder<T> create();
  }

  /**
   * Makes the element of one record.
   *
   * @param record a record of a table's data
   * @param sequence the number that the element carries, if it carries one
   * @return the element, or null if the record has none to give
   */
  @Nullable
  T decode(SourceRecord record, long sequence) throws Exception;

  /** How many TRUNCATEs were passed over since the last call; for another thread to ask. */
  default long takeTruncatesIgnored() {
    return 0;
  }

  /** The element's size in bytes, roughly, for the queue's bound. */
  long sizeInBytes(T element);
}
