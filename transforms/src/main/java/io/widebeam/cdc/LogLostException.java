package io.widebeam.cdc;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * The database no longer has its log from where a reader must go on: its binary log was purged, its
 * replication slot dropped, or another server has taken its place. Whatever was changed meanwhile
 * is not to be had, so the read ends instead of going on with a hole.
 *
 * <p>What to do: load again, as {@link ReloadException} says. Ask {@link #isIn} of a pipeline's
 * failure.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class LogLostException extends ReloadException {
  private static final long serialVersionUID = 1L;

  /**
   * @param source where was read
   * @param event what happened to its log
   */
  LogLostException(String source, String event) {
    this(
        "The log of "
            + source
            + " does not go back to where it was last read: "
            + event
            + ". The changes in between are lost, so its tables have to be loaded anew. Keep the"
            + " log for longer than the pipeline may stand still.");
  }

  private LogLostException(String message) {
    super(message);
  }

  @Override
  LogLostException again() {
    return new LogLostException(getMessage());
  }

  /** Whether a pipeline's failure comes from such a loss, however it is wrapped. */
  public static boolean isIn(Throwable failure) {
    return isIn(failure, LogLostException.class);
  }
}
