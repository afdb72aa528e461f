package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.BeamOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** Runs a flow in the foreground until it is stopped or fails. */
@Command(
    name = "run",
    description = {
      "Runs a flow until Ctrl-C or SIGTERM.",
      "Shows the snapshot's progress, then once a second how the flow is doing. A view without a"
          + " target goes to an embedded server, whose address is printed."
    },
    footer = {
      "",
      "Any option of Apache Beam or of the runner may follow, as in --parallelism=2,",
      "--runner=DirectRunner or --flinkMaster=host:8081."
    })
final class RunCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Unmatched private List<String> beamArguments = new ArrayList<>();

  @Override
  public Integer call() {
    StopSignal stop = StopSignal.install();
    Flow flow = FlowYaml.parse(file.path());
    try (EmbeddedTarget target = EmbeddedTarget.forViewsWithoutOne(flow)) {
      // Asking the databases takes as long as reading Beam's options: do both at once.
      CompletableFuture<PlannedFlow> planned =
          CompletableFuture.supplyAsync(() -> FlowPlanner.connected().plan(target.flow()));
      BeamOptions options = BeamOptions.parse(beamArguments.toArray(String[]::new));
      target.address().ifPresent(address -> say("no target given: writing to " + address));
      return FlowWatch.of(spec.commandLine(), stop)
          .watch(new BeamLauncher().launch(join(planned), options));
    }
  }

  private static <T> T join(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private void say(String message) {
    spec.commandLine().getErr().println("widebeam: " + message);
  }
}
