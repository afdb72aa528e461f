package io.widebeam.cdc;

import io.widebeam.change.TableId;
import java.io.IOException;

/**
 * All rows of a table, or of a partition, went at once: by {@code TRUNCATE}, or because the table
 * was dropped. The log says so, but not which rows there were, and a pipeline whose state is spread
 * over keys has no way to delete them all. So the read ends here, with every change before it
 * handed out and none after it; going on from a checkpoint meets the same event again.
 *
 * <p>What to do: load again, in a new generation. That is, start the pipeline without its
 * checkpoint; its sequences begin with the time of its start and so outrank all that was written
 * before. Documents whose root row is gone are to be deleted: those with a version below the new
 * load's.
 *
 * <p>Runners wrap failures, and some ship them as text between processes: ask {@link #isIn}.
 */
public final class TableEmptiedException extends IOException {
  private static final long serialVersionUID = 1L;

  private static final int MAX_CAUSES = 50;

  private final TableId table;

  /**
   * @param event what happened to the table, such as "was truncated"
   */
  TableEmptiedException(TableId table, String event) {
    super(
        "Table "
            + table.namespace()
            + "."
            + table.name()
            + " of "
            + table.source()
            + " "
            + event
            + ". Its log does not say which rows it had, so what was made of them has to be loaded"
            + " anew.");
    this.table = table;
  }

  /** The table that has lost its rows. */
  public TableId table() {
    return table;
  }

  /** Whether a pipeline's failure comes from such an event, however it is wrapped. */
  public static boolean isIn(Throwable failure) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      // By name: Flink, for one, gives what it has shipped another class, but keeps the name.
      if (cause instanceof TableEmptiedException
          || cause.toString().contains(TableEmptiedException.class.getName())) {
        return true;
      }
    }
    return false;
  }
}
