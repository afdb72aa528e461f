package io.widebeam.sink.jdbc;

import javax.annotation.Nullable;
import org.bson.BsonValue;

/**
 * A row on its way to the database: to be there with these values, or to be gone.
 *
 * @param id the row's key as text, see {@link RowKey}
 * @param document the document's
 * @param key the document's key
 * @param values by column; null for a delete
 */
record RowWrite(
    String id,
    String document,
    BsonValue[] key,
    @Nullable BsonValue[] values,
    long version,
    long commitMillis) {

  boolean isDelete() {
    return values == null;
  }
}
