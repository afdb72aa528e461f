package io.widebeam.runner.cli;

import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Shows what a flow file means. */
@Command(
    name = "plan",
    description = "Shows what a flow reads, how its rows are joined and where they go.")
final class PlanCommand implements Runnable {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Override
  public void run() {
    try (EmbeddedTarget target = EmbeddedTarget.forViewsWithoutOne(FlowYaml.parse(file.path()))) {
      PlannedFlow planned = FlowPlanner.connected().plan(target.flow());
      spec.commandLine().getOut().print(PlanText.of(planned));
      spec.commandLine().getOut().flush();
    }
  }
}
