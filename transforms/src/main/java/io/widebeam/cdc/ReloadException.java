package io.widebeam.cdc;

import java.io.IOException;

/**
 * A read cannot go on from where it was, and everything that was made of it has to be loaded anew,
 * in a new generation. That is, start the pipeline without its checkpoint; its sequences begin with
 * the time of its start and so outrank all that was written before. Documents whose root row is
 * gone are to be deleted: those with a version below the new load's.
 *
 * <p>Each of them tells Flink that starting the job over is of no use.
 */
public abstract sealed class ReloadException extends IOException
    permits LoadInterruptedException,
        LogLostException,
        StateMismatchException,
        TableEmptiedException {
  private static final long serialVersionUID = 1L;

  private static final int MAX_CAUSES = 50;

  ReloadException(String message) {
    super(message);
  }

  /** This failure for another thread to throw. */
  abstract ReloadException again();

  /**
   * Whether a pipeline's failure comes from one, however it is wrapped: runners wrap failures, and
   * some ship them as text between processes.
   */
  static boolean isIn(Throwable failure, Class<? extends ReloadException> type) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      // By name: Flink, for one, gives what it has shipped another class, but keeps the name.
      if (type.isInstance(cause) || cause.toString().contains(type.getName())) {
        return true;
      }
    }
    return false;
  }
}
