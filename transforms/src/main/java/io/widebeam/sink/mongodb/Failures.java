package io.widebeam.sink.mongodb;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoClientException;
import com.mongodb.MongoException;
import com.mongodb.MongoInterruptedException;
import com.mongodb.MongoSecurityException;
import com.mongodb.MongoSocketException;
import com.mongodb.MongoTimeoutException;
import java.util.Set;

/** Tells failures that time mends from those that it does not, and puts them into words. */
final class Failures {

  static final int DUPLICATE_KEY = 11000;

  /** The server is starting, stopping, electing, overloaded or out of disk space. */
  private static final Set<Integer> TRANSIENT_CODES =
      Set.of(
          6, 7, 46, 50, 64, 89, 91, 112, 133, 134, 189, 202, 262, 290, 317, 358, 384, 9001, 10058,
          10107, 11600, 11602, 13388, 13435, 13436, 14031);

  private Failures() {}

  static boolean isTransient(MongoException failure) {
    if (failure instanceof MongoInterruptedException) {
      return false;
    }
    if (failure instanceof MongoBulkWriteException bulk) {
      // Write errors are taken one by one; what is left is an acknowledgement that did not come.
      return bulk.getWriteConcernError() != null;
    }
    if (failure instanceof MongoSecurityException) {
      return failure.getCause() instanceof MongoSocketException;
    }
    return failure instanceof MongoSocketException
        || failure instanceof MongoTimeoutException
        || failure.hasErrorLabel("RetryableWriteError")
        || failure.hasErrorLabel("TransientTransactionError")
        || isTransient(failure.getCode())
        || (failure instanceof MongoClientException
            && failure.getCause() instanceof MongoException cause
            && isTransient(cause));
  }

  static boolean isTransient(int code) {
    return TRANSIENT_CODES.contains(code);
  }

  /** Why, in a line. The driver's messages show no passwords. */
  static String reason(MongoException failure) {
    if (failure instanceof MongoTimeoutException) {
      // Its own message is a page that describes the whole cluster.
      return "no server took the connection in time";
    }
    Throwable cause = failure;
    while (failure instanceof MongoSocketException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = String.valueOf(cause.getMessage());
    return message.lines().findFirst().orElse(message);
  }
}
