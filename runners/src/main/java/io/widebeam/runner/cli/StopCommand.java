package io.widebeam.runner.cli;

import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.state.RunReport;
import io.widebeam.runner.state.StateDirectory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Stops a flow where the next run goes on. */
@Command(
    name = "stop",
    description = {
      "Stops a flow that runs on this machine or on a Flink cluster: takes a last checkpoint, from"
          + " which the next run goes on, and waits until it has ended.",
      "Exit status: 0 if it does not run any more, 1 if it failed meanwhile or is still running."
    })
final class StopCommand implements Callable<Integer> {
  private static final long POLL_MILLIS = 50;

  @Spec private CommandSpec spec;
  @Mixin private StateOfFlow flow;
  @Mixin private OnCluster cluster;

  @Option(
      names = "--savepoint-dir",
      paramLabel = "URI",
      description =
          "Where a cluster leaves the savepoint (default: beside the checkpoints, or where the"
              + " cluster has its savepoints).")
  @Nullable
  private String savepointDirectory;

  @Option(
      names = "--timeout",
      defaultValue = "120",
      paramLabel = "SECONDS",
      description = "How long to wait (default: ${DEFAULT-VALUE}); on a cluster, always 600.")
  private int timeoutSeconds;

  @Override
  public Integer call() throws InterruptedException {
    if (cluster.isMeant()) {
      return cluster.stop(flow.name(), savepointDirectory, spec.commandLine());
    }
    PrintWriter err = spec.commandLine().getErr();
    Path directory = flow.directory();
    OptionalLong process = StateDirectory.runningProcess(directory);
    if (process.isEmpty()) {
      err.println("widebeam: it is not running");
      return CommandLine.ExitCode.OK;
    }
    boolean told = ProcessHandle.of(process.getAsLong()).map(ProcessHandle::destroy).orElse(false);
    if (!told) {
      err.println("widebeam: process " + process.getAsLong() + " cannot be told to stop");
      return Widebeam.FAILED;
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeoutSeconds);
    while (StateDirectory.runningProcess(directory).equals(process)) {
      if (System.nanoTime() > deadline) {
        err.println(
            "widebeam: process "
                + process.getAsLong()
                + " is still running after "
                + timeoutSeconds
                + " s; a second stop ends it at once");
        return Widebeam.FAILED;
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
    }
    RunReport.read(directory).ifPresent(last -> spec.commandLine().getOut().println(last.status()));
    return RunReport.read(directory).stream()
            .allMatch(last -> last.state() == FlowStatus.State.STOPPED)
        ? CommandLine.ExitCode.OK
        : Widebeam.FAILED;
  }
}
