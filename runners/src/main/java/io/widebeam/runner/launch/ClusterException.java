package io.widebeam.runner.launch;

/** A Flink cluster does not answer, or cannot do what was asked; the message is for people. */
public final class ClusterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ClusterException(String message, Throwable cause) {
    super(message, cause);
  }
}
