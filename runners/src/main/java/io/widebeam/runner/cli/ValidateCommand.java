package io.widebeam.runner.cli;

import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Checks a flow file against its databases. */
@Command(
    name = "validate",
    description =
        "Checks a flow file and the databases that it names: tables, columns, keys, settings.")
final class ValidateCommand implements Runnable {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Override
  public void run() {
    try (EmbeddedTarget target = EmbeddedTarget.forViewsWithoutOne(FlowYaml.parse(file.path()))) {
      PlannedFlow planned = FlowPlanner.connected().plan(target.flow());
      spec.commandLine().getOut().println(planned.name() + " can run");
    }
  }
}
