package io.widebeam.runner.cli;

import io.widebeam.runner.launch.WarmUp;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Loads the classes that a flow needs; {@code ./widebeam} calls it after a build. */
@Command(name = "warm-up", hidden = true, description = "Runs a small pipeline and ends.")
final class WarmUpCommand implements Callable<Integer> {
  @Override
  public Integer call() throws InterruptedException {
    WarmUp.run();
    return 0;
  }
}
