package io.widebeam.flow;

import io.widebeam.rollup.Aggregation;
import java.util.function.BiConsumer;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;

/**
 * What a document's rows give their groups.
 *
 * @param groups makes a row's group, and leaves out rows that are in none
 * @param values makes what a row gives
 */
record GroupedRows(RowSource source, SelectedRow groups, SelectedRow values)
    implements Aggregation.Rows {
  @Override
  public void forEach(RawBsonDocument document, BiConsumer<BsonDocument, BsonDocument> row) {
    source.forEach(
        document,
        input -> {
          RawBsonDocument group = groups.apply(input);
          if (group != null) {
            row.accept(group, values.apply(input));
          }
        });
  }

  @Override
  public String toString() {
    String from = source.toString();
    return (from.isEmpty() ? "" : from + "; ") + groups + "; " + values;
  }
}
