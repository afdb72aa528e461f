package io.widebeam.cdc;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * A load has to begin from nothing, and some of its rows have been given out before. It reads what
 * the tables hold now, and cannot say which of those rows have gone meanwhile. That is so for the
 * connector's own snapshot, which keeps no place in the tables or the log until it is done, and
 * cannot read a table again whose columns have changed.
 *
 * <p>What to do: load again, as {@link ReloadException} says. Ask {@link #isIn} of a pipeline's
 * failure.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class LoadInterruptedException extends ReloadException {
  private static final long serialVersionUID = 1L;

  private LoadInterruptedException(String message) {
    super(message);
  }

  /**
   * @param source what is loaded
   * @param reason why it cannot go on where it was
   */
  static LoadInterruptedException of(String source, String reason) {
    return new LoadInterruptedException(
        "The load of "
            + source
            + " has to begin again, because "
            + reason
            + ". Rows that it has given out before may be gone by now, so what was made of them has"
            + " to be loaded anew.");
  }

  @Override
  LoadInterruptedException again() {
    return new LoadInterruptedException(getMessage());
  }

  /** Whether a pipeline's failure comes from such an interruption, however it is wrapped. */
  public static boolean isIn(Throwable failure) {
    return isIn(failure, LoadInterruptedException.class);
  }
}
