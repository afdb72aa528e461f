package io.widebeam.runner.launch;

/** A Beam option is unknown or has a value that it cannot take; the message is for people. */
public final class OptionsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  OptionsException(String message) {
    super(message);
  }

  OptionsException(String message, Throwable cause) {
    super(message, cause);
  }
}
