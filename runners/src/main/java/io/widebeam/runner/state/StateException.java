package io.widebeam.runner.state;

/** A flow cannot run on its state as it is; the message is for people and says what to do. */
public final class StateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  StateException(String message) {
    super(message);
  }

  StateException(String message, Throwable cause) {
    super(message, cause);
  }
}
