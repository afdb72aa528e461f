package io.widebeam.sink.mongodb;

/** A write that failed for a reason that trying again does not mend. The message is for people. */
public final class MongoTargetException extends RuntimeException {
  MongoTargetException(String message) {
    super(message);
  }
}
