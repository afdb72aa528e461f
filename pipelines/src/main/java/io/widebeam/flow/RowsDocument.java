package io.widebeam.flow;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.view.RowFunction;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/**
 * The document that a model writes: its row, or an array of its rows where there may be several. No
 * document where there are none.
 */
record RowsDocument(RowSource source, boolean several) implements RowFunction {
  /** The array's field. */
  static final String ROWS = "rows";

  @Override
  @Nullable
  public RawBsonDocument apply(RawBsonDocument document) {
    List<RawBsonDocument> rows = new ArrayList<>();
    source.forEach(document, rows::add);
    if (rows.isEmpty()) {
      return null;
    }
    if (!several) {
      return rows.get(0);
    }
    BsonBuffer out = new BsonBuffer();
    int start = out.startDocument();
    int array = out.startArray(BsonBuffer.fieldName(ROWS));
    for (int i = 0; i < rows.size(); i++) {
      byte[] row = BsonRow.bytes(rows.get(i));
      int element = out.startDocument(BsonBuffer.fieldName(Integer.toString(i)));
      out.putElements(row, BsonRow.FIRST_ELEMENT, row.length - 1);
      out.end(element);
    }
    out.end(array);
    out.end(start);
    return out.toDocument();
  }

  @Override
  public String toString() {
    return source.toString();
  }
}
