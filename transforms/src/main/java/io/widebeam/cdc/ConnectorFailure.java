package io.widebeam.cdc;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.kafka.connect.errors.RetriableException;

/** What went wrong in the connector, in words for people. */
final class ConnectorFailure {
  private static final int MAX_CAUSES = 20;

  /**
   * The states of a connection that is lost or not to be had, of a server that stops or starts, and
   * of one that still keeps the slot for a connection it has not noticed the end of.
   */
  private static final Pattern TEMPORARY = Pattern.compile("08|57P|53300|55006");

  /** 1236 is how MySQL and MariaDB refuse a reader's position. */
  private static final Pattern LOG_IS_LOST =
      Pattern.compile(
          "Error code: 1236|no longer available on the server"
              + "|replication slot \\S+ does not exist"
              + "|can(?:not| no longer) (?:read|get changes) from (?:logical )?replication slot"
              + "|requested WAL segment \\S+ has already been removed");

  /** Debezium quotes its whole offset before it says this. */
  private static final Pattern GONE_FROM_SERVER =
      Pattern.compile("(?s)^The connector is trying to read .* no longer available on the server");

  /** Of the same code, but over as soon as the other reader is gone. */
  private static final Pattern TWIN_READER = Pattern.compile("same server_(?:uu)?id");

  /** What the connector finds of a row in a binlog whose session left columns out. */
  private static final Pattern PARTIAL_ROW =
      Pattern.compile(
          "Data row is smaller than a column index|internal schema size \\d+, but row size \\d+");

  private ConnectorFailure() {}

  /**
   * The failure as the runner shall see it. The cause's own trace is not kept: its messages may
   * quote the configuration.
   */
  static IOException toException(Throwable failure, Map<String, String> properties) {
    return new IOException(
        "Reading the changes of "
            + ConnectorProperties.describe(properties)
            + " failed: "
            + describe(failure, properties));
  }

  /** The outermost message that says something, and the root's. */
  static String describe(Throwable failure, Map<String, String> properties) {
    List<String> messages = new ArrayList<>();
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message == null || message.isBlank()) {
        if (cause.getCause() == null) {
          messages.add(cause.getClass().getSimpleName());
        }
        continue;
      }
      // What every failure of a connector's thread is wrapped in.
      if (message.startsWith("An exception occurred in the change event producer")
          || (cause.getCause() != null && message.equals(cause.getCause().toString()))) {
        continue;
      }
      messages.add(message.strip());
    }
    if (messages.stream().anyMatch(message -> PARTIAL_ROW.matcher(message).find())) {
      return "the log has a row without all of its columns. Some session writes with another"
          + " binlog_row_image than FULL, or has altered a table unseen by the log. Set"
          + " binlog_row_image=FULL on the server and for whoever sets it in his session, then load"
          + " everything anew (run --fresh)";
    }
    String outer = messages.isEmpty() ? failure.getClass().getName() : messages.get(0);
    String root = messages.isEmpty() ? outer : messages.get(messages.size() - 1);
    return ConnectorProperties.redact(
        outer.contains(root) ? outer : outer + ": " + root, properties);
  }

  /** Whether trying again may help: the database went away or restarts. */
  static boolean isConnectionLoss(Throwable failure) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      if (cause instanceof RetriableException || cause instanceof IOException) {
        return true;
      }
      if (cause instanceof SQLException sql
          && sql.getSQLState() != null
          && TEMPORARY.matcher(sql.getSQLState()).lookingAt()) {
        return true;
      }
    }
    return false;
  }

  /** What the database says of a log that does not go back far enough; null if it is not that. */
  @Nullable
  static String lostLog(Throwable failure, Map<String, String> properties) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      String message = cause.getMessage() == null ? "" : cause.getMessage();
      if (LOG_IS_LOST.matcher(message).find() && !TWIN_READER.matcher(message).find()) {
        return GONE_FROM_SERVER.matcher(message).find()
            ? "the server no longer has that part of it"
            : ConnectorProperties.redact(message.strip(), properties);
      }
    }
    return null;
  }

  /** Whether the database answers, but does not know what it was asked for: a table was altered. */
  static boolean isBadStatement(SQLException failure) {
    return failure.getSQLState() != null && failure.getSQLState().startsWith("42");
  }
}
