package io.widebeam.view;

/** A row that cannot be processed as its view wants it; the message says why, for people. */
public final class RowException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RowException(String message) {
    super(message);
  }

  public RowException(String message, Throwable cause) {
    super(message, cause);
  }
}
