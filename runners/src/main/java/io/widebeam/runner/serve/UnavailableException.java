package io.widebeam.runner.serve;

/** A target cannot be read just now. The message is for people and holds no secrets. */
public final class UnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  UnavailableException(String connection, Throwable cause) {
    super("connection " + connection + " cannot be read just now: " + reason(cause), cause);
  }

  /** Not the driver's own words, which may have the address and more in them. */
  private static String reason(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof java.sql.SQLException sql && sql.getSQLState() != null) {
        String state = sql.getSQLState();
        if (state.startsWith("28")) {
          return "the server refuses the user with this password";
        }
        if (state.startsWith("3D") || (state.equals("42000") && sql.getErrorCode() == 1049)) {
          return "there is no such database";
        }
        if (state.equals("42501") || sql.getErrorCode() == 1142 || sql.getErrorCode() == 1044) {
          return "the user may not read the table";
        }
      }
      if (cause instanceof com.mongodb.MongoSecurityException) {
        return "the server refuses the user with this password";
      }
      if (cause instanceof java.net.ConnectException
          || cause instanceof com.mongodb.MongoTimeoutException) {
        return "nothing answers at its address";
      }
    }
    return "the log says why (--verbose shows it)";
  }
}
