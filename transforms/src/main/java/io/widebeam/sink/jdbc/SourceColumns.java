package io.widebeam.sink.jdbc;

import java.io.Serializable;
import java.util.List;
import javax.annotation.Nullable;

/**
 * Looks up the columns of the table that a target table follows, when rows bring one that was not
 * there before.
 */
@FunctionalInterface
public interface SourceColumns extends Serializable {

  /**
   * A column as the source has it now.
   *
   * @param initial what it holds in the rows that were there before it, as text; null for null
   */
  record SourceColumn(String name, ColumnType type, @Nullable String initial) {}

  /** All columns of the source's table. Throws whatever keeps it from telling. */
  List<SourceColumn> describe() throws Exception;
}
