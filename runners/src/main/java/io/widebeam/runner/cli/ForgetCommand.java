package io.widebeam.runner.cli;

import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.SourceTraces;
import io.widebeam.runner.state.StateDirectory;
import java.io.PrintWriter;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Removes what a flow keeps, but for what it wrote. */
@Command(
    name = "forget",
    description = {
      "Removes what a flow that is not to run any more keeps: its state directory, and its"
          + " replication slots and publications in Postgres, for whose sake the server keeps its"
          + " log. The targets stay as they are. Stop a job on a cluster first."
    })
final class ForgetCommand implements Runnable {
  @Spec private CommandSpec spec;
  @Mixin private StateOfFlow flow;

  @Override
  public void run() {
    OptionalLong process = StateDirectory.runningProcess(flow.directory());
    if (process.isPresent()) {
      throw new ParameterException(
          spec.commandLine(),
          "process " + process.getAsLong() + " runs the flow: stop it first (widebeam stop)");
    }
    PrintWriter out = spec.commandLine().getOut();
    SourceTraces.remove(FlowYaml.parse(flow.file()))
        .forEach(trace -> out.println("removed " + trace));
    if (StateDirectory.remove(flow.directory())) {
      out.println("removed " + flow.directory());
    }
  }
}
