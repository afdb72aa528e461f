package io.widebeam.sink.jdbc;

import java.io.Serializable;
import javax.annotation.Nullable;

/**
 * What goes where. Its text form shows no credentials.
 *
 * @param sourceColumns tells the columns of the table that this one follows; null if the columns
 *     are as they are
 */
record TableWrite(JdbcTarget target, FlatTable table, @Nullable SourceColumns sourceColumns)
    implements Serializable {
  @Override
  public String toString() {
    return table.name() + " at " + target;
  }
}
