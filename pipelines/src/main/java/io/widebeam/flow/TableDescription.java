package io.widebeam.flow;

import io.widebeam.change.TableId;
import java.util.List;
import java.util.Objects;

/**
 * A table as it is in its database.
 *
 * @param columns all columns, in table order
 * @param primaryKey the primary key's columns, in key order; empty if there is none
 * @param rows how many rows it has: counted if there are few, else the database's estimate
 * @param wholeRowsBefore whether the log has the whole row before each update and delete, and not
 *     only its key
 */
public record TableDescription(
    TableId id, List<String> columns, List<String> primaryKey, long rows, boolean wholeRowsBefore) {
  public TableDescription {
    Objects.requireNonNull(id, "id");
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
  }
}
