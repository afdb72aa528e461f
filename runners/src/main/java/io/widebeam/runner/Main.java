package io.widebeam.runner;

import io.widebeam.runner.cli.Widebeam;

/** The program that {@code ./widebeam} starts. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(Widebeam.commandLine().execute(arguments));
  }
}
