package io.widebeam.runner.cli;

/** Whether a person is watching. */
public final class Terminal {
  /** Set by {@code ./widebeam}, for Java cannot tell: its console needs standard input too. */
  private static final String STANDARD_ERROR = "widebeam.terminal";

  private Terminal() {}

  /** Whether standard error is a terminal. */
  public static boolean onStandardError() {
    return Boolean.getBoolean(STANDARD_ERROR);
  }
}
