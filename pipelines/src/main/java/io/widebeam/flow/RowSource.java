package io.widebeam.flow;

import java.io.Serializable;
import java.util.function.Consumer;
import org.bson.RawBsonDocument;

/** Makes flat rows of a document. One instance is used by one thread at a time. */
interface RowSource extends Serializable {
  /**
   * Gives every row of the document.
   *
   * @throws io.widebeam.view.RowException if a row cannot be told
   */
  void forEach(RawBsonDocument document, Consumer<RawBsonDocument> row);
}
