package io.widebeam.flow;

import java.io.Serializable;
import org.bson.BsonDocument;

/** Which rows of a table a view has; see {@link ViewBuilder#filter(RowCondition)}. */
@FunctionalInterface
public interface RowCondition extends Serializable {
  /**
   * Whether the view has the row. Must be a function of the row alone.
   *
   * @param row the table's row, all columns of it; nulls are BSON nulls
   */
  boolean matches(BsonDocument row);
}
