package io.widebeam.cdc;

import io.widebeam.change.TableId;
import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * All rows of a table, or of a partition, went at once: by {@code TRUNCATE}, or because the table
 * was dropped. The log says so, but not which rows there were, and a pipeline whose state is spread
 * over keys has no way to delete them all. So the read ends here, with every change before it
 * handed out and none after it; going on from a checkpoint meets the same event again.
 *
 * <p>What to do: load again, as {@link ReloadException} says. Ask {@link #isIn} of a pipeline's
 * failure.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class TableEmptiedException extends ReloadException {
  private static final long serialVersionUID = 1L;

  private final TableId table;

  /**
   * @param event what happened to the table, such as "was truncated"
   */
  TableEmptiedException(TableId table, String event) {
    this(
        "Table "
            + table.namespace()
            + "."
            + table.name()
            + " of "
            + table.source()
            + " "
            + event
            + ". Its log does not say which rows it had, so what was made of them has to be loaded"
            + " anew.",
        table);
  }

  private TableEmptiedException(String message, TableId table) {
    super(message);
    this.table = table;
  }

  /** The table that has lost its rows. */
  public TableId table() {
    return table;
  }

  @Override
  TableEmptiedException again() {
    return new TableEmptiedException(getMessage(), table);
  }

  /** Whether a pipeline's failure comes from such an event, however it is wrapped. */
  public static boolean isIn(Throwable failure) {
    return isIn(failure, TableEmptiedException.class);
  }
}
