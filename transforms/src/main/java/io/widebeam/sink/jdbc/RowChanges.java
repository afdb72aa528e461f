package io.widebeam.sink.jdbc;

import java.util.List;
import org.bson.BsonValue;

/**
 * What a document change does to a table.
 *
 * @param document the text of the document's key
 * @param key the document's key
 * @param writes the rows to be put and those to be deleted, each once
 * @param whole whether the rows put are all that the document has now, so that others of it with
 *     lower versions are to be deleted
 */
record RowChanges(
    String document, BsonValue[] key, List<RowWrite> writes, boolean whole, long version) {}
