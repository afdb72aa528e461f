package io.widebeam.sink.jdbc;

import java.sql.SQLException;
import java.sql.SQLTransientException;
import javax.annotation.Nullable;

/** Tells failures that time mends from those that it does not, and puts them into words. */
final class Failures {
  private Failures() {}

  /**
   * Whether to try again.
   *
   * @param dialect null as long as no server has answered
   */
  static boolean isTransient(SQLException failure, @Nullable Dialect dialect) {
    boolean mends = false;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        String state = String.valueOf(sql.getSQLState());
        if (state.startsWith("28")) {
          // The pool hides a refused password behind its own timeout.
          return false;
        }
        mends |=
            sql instanceof SQLTransientException
                || state.startsWith("08")
                || state.startsWith("40")
                || (dialect != null && dialect.isTransient(sql));
      }
    }
    return mends;
  }

  static boolean isInterruption(SQLException failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException) {
        return true;
      }
    }
    return Thread.currentThread().isInterrupted();
  }

  /** Why, in a line, in the words of whoever knows best: the server, not the pool around it. */
  static String reason(SQLException failure, JdbcTarget target) {
    Throwable deepest = failure;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException) {
        deepest = cause;
      }
    }
    String message = String.valueOf(deepest.getMessage()).lines().findFirst().orElse("").strip();
    return target.password().isEmpty() ? message : message.replace(target.password(), "***");
  }
}
