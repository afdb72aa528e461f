package io.widebeam.flow;

import java.io.Serializable;
import org.bson.BsonDocument;
import org.bson.BsonValue;

/** A field computed from a row; see {@link ViewBuilder#computed(String, RowValue)}. */
@FunctionalInterface
public interface RowValue extends Serializable {
  /**
   * The field's value. Must be a function of the row alone.
   *
   * @param row the table's row, all columns of it; nulls are BSON nulls
   */
  BsonValue of(BsonDocument row);
}
