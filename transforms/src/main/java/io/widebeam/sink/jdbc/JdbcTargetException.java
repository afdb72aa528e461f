package io.widebeam.sink.jdbc;

/** Rows could not be written; says where, which and why, without credentials. */
public final class JdbcTargetException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  JdbcTargetException(String message) {
    super(message);
  }
}
