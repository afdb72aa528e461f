package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.BeamOptions;
import io.widebeam.runner.launch.Failures;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.KeptState;
import io.widebeam.runner.state.Checkpoint;
import io.widebeam.runner.state.StateBackend;
import io.widebeam.runner.state.StateDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.annotation.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** Runs a flow in the foreground until it is stopped or fails, and goes on where it was left. */
@Command(
    name = "run",
    description = {
      "Runs a flow until Ctrl-C, SIGTERM or 'widebeam stop', and goes on where the last run ended,"
          + " however it did.",
      "Shows the snapshot's progress, then once a second how the flow is doing. A view without a"
          + " target goes to an embedded server, whose address is printed, and which is filled anew"
          + " by every run."
    },
    footer = {
      "",
      "Any option of Apache Beam or of the runner may follow, as in --parallelism=2,",
      "--checkpointingInterval=60000, --runner=DirectRunner or --flinkMaster=host:8081."
    })
final class RunCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Option(
      names = "--state-dir",
      paramLabel = "DIRECTORY",
      description = "Where the flow keeps what it needs to go on (default: .widebeam/NAME).")
  @Nullable
  private Path stateDirectory;

  @Option(
      names = "--state-backend",
      paramLabel = "heap|rocksdb",
      description =
          "Where state is while the flow runs: in memory (default), or on disk, for state that"
              + " does not fit into memory.")
  @Nullable
  private StateBackend backend;

  @Option(
      names = "--fresh",
      description =
          "Forget the state and rebuild all documents; those that are not rebuilt are removed when"
              + " the rest is in place.")
  private boolean fresh;

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
      FlowWatch watch = FlowWatch.of(spec.commandLine(), stop);
      if (!options.canKeepState()) {
        requireNoStateOptions();
        return run(
            join(planned).withGeneration(PlannedFlow.generationAt(System.currentTimeMillis())),
            options,
            watch);
      }
      Path directory = stateDirectory == null ? StateDirectory.ofFlow(flow.name()) : stateDirectory;
      try (StateDirectory state = StateDirectory.open(directory)) {
        boolean lasts = target.server().isEmpty();
        state.prepare(join(planned), Optional.ofNullable(backend), fresh || !lasts, this::say);
        return lasts
            ? runFromState(join(planned), options, state, watch)
            : run(
                join(planned).withGeneration(state.generation()),
                options,
                watch.telling(new Reporter(flow.name(), state)));
      }
    }
  }

  /** Elsewhere, state is in the hands of the runner. */
  private void requireNoStateOptions() {
    if (stateDirectory != null || backend != null || fresh) {
      throw new ParameterException(
          spec.commandLine(),
          "--state-dir, --state-backend and --fresh are for embedded Flink: leave out --runner,"
              + " --flinkMaster and --flinkConfDir, or say where state is with the options of the"
              + " runner");
    }
  }

  private int runFromState(
      PlannedFlow flow, BeamOptions options, StateDirectory state, FlowWatch watch) {
    FlowWatch reporting = watch.telling(new Reporter(flow.name(), state));
    while (true) {
      Optional<Checkpoint> checkpoint = state.newestWhole(this::say);
      checkpoint.ifPresent(
          found ->
              say(
                  "resuming from "
                      + state.path().relativize(found.path())
                      + ", taken "
                      + age(found.taken())
                      + " ago"));
      BeamOptions kept =
          options.keepingState(
              new KeptState(
                  state.backend(),
                  state.checkpointsOfRun(),
                  state.temporary(),
                  checkpoint.map(Checkpoint::path)));
      try {
        return run(flow.withGeneration(state.generation()), kept, reporting);
      } catch (FlowFailedException e) {
        if (checkpoint.isEmpty() || !Failures.isFromRestoring(e)) {
          throw e;
        }
        state.setAside(checkpoint.get(), Failures.describe(e), this::say);
      }
    }
  }

  private static int run(PlannedFlow flow, BeamOptions options, FlowWatch watch) {
    return watch.watch(
        new BeamLauncher().launch(flow, options, TargetDocuments.count(flow.views())));
  }

  private static String age(Instant taken) {
    Duration age = Duration.between(taken, Instant.now());
    if (age.toSeconds() < 120) {
      return String.format(Locale.ROOT, "%.1f s", age.toMillis() / 1e3);
    }
    return age.toHours() < 2 ? age.toMinutes() + " min" : age.toHours() + " h";
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
