package io.widebeam.flow;

import java.util.function.Consumer;
import org.bson.RawBsonDocument;

/** The rows that a selection makes of others. */
record SelectedRows(RowSource source, SelectedRow selected) implements RowSource {
  @Override
  public void forEach(RawBsonDocument document, Consumer<RawBsonDocument> row) {
    source.forEach(
        document,
        input -> {
          RawBsonDocument made = selected.apply(input);
          if (made != null) {
            row.accept(made);
          }
        });
  }

  @Override
  public String toString() {
    String from = source.toString();
    return from.isEmpty() ? selected.toString() : from + "; " + selected;
  }
}
