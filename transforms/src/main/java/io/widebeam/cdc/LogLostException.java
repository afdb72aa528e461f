package io.widebeam.cdc;

import java.io.IOException;

/**
 * The database no longer has its log from where a reader must go on: its binary log was purged, its
 * replication slot dropped, or another server has taken its place. Whatever was changed meanwhile
 * is not to be had, so the read ends instead of going on with a hole.
 *
 * <p>What to do: load again, in a new generation. That is, start the pipeline without its
 * checkpoint.
 *
 * <p>Runners wrap failures, and some ship them as text between processes: ask {@link #isIn}.
 */
public final class LogLostException extends IOException {
  private static final long serialVersionUID = 1L;

  private static final int MAX_CAUSES = 50;

  /**
   * @param source where was read
   * @param event what happened to its log
   */
  LogLostException(String source, String event) {
    super(
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

  /** This failure for another thread to throw. */
  LogLostException again() {
    return new LogLostException(getMessage());
  }

  /** Whether a pipeline's failure comes from such a loss, however it is wrapped. */
  public static boolean isIn(Throwable failure) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      // By name: Flink, for one, gives what it has shipped another class, but keeps the name.
      if (cause instanceof LogLostException
          || cause.toString().contains(LogLostException.class.getName())) {
        return true;
      }
    }
    return false;
  }
}
