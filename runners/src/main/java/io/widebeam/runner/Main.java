package io.widebeam.runner;

import io.widebeam.runner.cli.Widebeam;

/** The program that {@code ./widebeam} starts, and Flink's client from the bundle. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    int status = Widebeam.commandLine().execute(arguments);
    if (Main.class.getClassLoader() == ClassLoader.getSystemClassLoader()) {
      System.exit(status);
    }
    // The process is Flink's, which has yet to say how it went.
    if (status != 0) {
      throw new IllegalStateException("ended with status " + status + "; see the messages above");
    }
  }
}
