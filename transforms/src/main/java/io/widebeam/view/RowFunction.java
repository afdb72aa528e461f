package io.widebeam.view;

import java.io.Serializable;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/**
 * Makes the rows of a view's node out of the rows of its table: leaves rows out, chooses, renames
 * and computes columns. It is the first thing that a row meets, before any state, so that what it
 * leaves out costs nothing.
 *
 * <p>It must be a function of the row alone: a change's row before goes through it as the row after
 * did when it came. One instance is used by one thread at a time.
 */
@FunctionalInterface
public interface RowFunction extends Serializable {
  /**
   * The node's row, or null if the node has no such row.
   *
   * @throws RowException if the row cannot be told; says why
   */
  @Nullable
  RawBsonDocument apply(RawBsonDocument row);
}
