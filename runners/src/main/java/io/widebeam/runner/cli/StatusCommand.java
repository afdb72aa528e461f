package io.widebeam.runner.cli;

import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.state.RunReport;
import io.widebeam.runner.state.StateDirectory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says how a flow is doing. */
@Command(
    name = "status",
    description = {
      "Says how a flow is doing that runs on this machine or on a Flink cluster, or how its last"
          + " run ended.",
      "Exit status: 0 if it runs or was stopped, 1 if it failed or was killed."
    })
final class StatusCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private StateOfFlow flow;
  @Mixin private OnCluster cluster;

  @Override
  public Integer call() throws InterruptedException {
    if (cluster.isMeant()) {
      return cluster.status(flow.name(), spec.commandLine());
    }
    PrintWriter out = spec.commandLine().getOut();
    Path directory = flow.directory();
    OptionalLong process = StateDirectory.runningProcess(directory);
    Optional<RunReport> report =
        RunReport.read(directory)
            .filter(last -> process.isEmpty() || last.process() == process.getAsLong());
    if (report.isEmpty()) {
      out.println(
          process.isPresent()
              ? "starting, as process " + process.getAsLong()
              : "has not run yet: there is no state in " + directory);
      return CommandLine.ExitCode.OK;
    }
    RunReport last = report.get();
    String checkpoint =
        last.checkpoint()
            .map(taken -> "last checkpoint " + age(taken) + " ago")
            .orElse("no checkpoint yet");
    if (process.isPresent()) {
      out.println(last.status());
      RunReport.Load load = last.load();
      if (!load.done()) {
        out.printf(
            Locale.ROOT,
            "reading the tables: %,d of %,d rows%n",
            load.rowsRead(),
            load.rowsExpected());
      }
      out.println(
          "running for "
              + age(last.started())
              + " as process "
              + process.getAsLong()
              + ", "
              + checkpoint);
      return CommandLine.ExitCode.OK;
    }
    if (last.state() == FlowStatus.State.STOPPED) {
      out.println(last.status());
      out.println("stopped " + age(last.updated()) + " ago, " + checkpoint);
      return CommandLine.ExitCode.OK;
    }
    boolean failed = last.state() == FlowStatus.State.ERROR;
    out.println(failed ? last.status() : "job current status is: killed");
    out.println(
        (failed ? "failed " : "process " + last.process() + " was last seen ")
            + age(last.updated())
            + " ago, "
            + checkpoint
            + ": run the flow again to go on from there");
    return Widebeam.FAILED;
  }

  private static String age(Instant moment) {
    return Ages.of(Duration.between(moment, Instant.now()));
  }
}
