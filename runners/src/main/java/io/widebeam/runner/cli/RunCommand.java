package io.widebeam.runner.cli;

import io.widebeam.cdc.LoadInterruptedException;
import io.widebeam.cdc.LogLostException;
import io.widebeam.cdc.TableEmptiedException;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.SourceTraces;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.BeamOptions;
import io.widebeam.runner.launch.Failures;
import io.widebeam.runner.launch.FlinkCluster;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.KeptState;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.state.Checkpoint;
import io.widebeam.runner.state.StateBackend;
import io.widebeam.runner.state.StateDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.annotation.Nullable;
import picocli.CommandLine;
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
      description =
          "Where the flow keeps what it needs to go on (default: .widebeam/NAME). For a cluster: a"
              + " directory that all its machines and this one share.")
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

  @Option(
      names = "--fail-fast",
      description =
          "End with the first change that cannot be processed, instead of writing it to the dead"
              + " letters.")
  private boolean failFast;

  @Option(
      names = "--detach",
      description =
          "Return when the flow has been submitted to a cluster, and leave it running there.")
  private boolean detach;

  @Unmatched private List<String> beamArguments = new ArrayList<>();

  @Override
  public Integer call() {
    StopSignal stop = StopSignal.install();
    Flow parsed = FlowYaml.parse(file.path());
    Flow flow = failFast ? parsed.failFast() : parsed;
    try (EmbeddedTarget target = EmbeddedTarget.forViewsWithoutOne(flow);
        Notices notices = Notices.of(flow)) {
      try {
        return call(flow, target, notices, stop);
      } catch (FlowFailedException e) {
        notices.tellFailure(e);
        throw e;
      }
    }
  }

  private int call(Flow flow, EmbeddedTarget target, Notices notices, StopSignal stop) {
    // Asking the databases takes as long as reading Beam's options: do both at once.
    CompletableFuture<PlannedFlow> planned =
        CompletableFuture.supplyAsync(() -> FlowPlanner.connected().plan(target.flow()));
    BeamOptions options = BeamOptions.parse(beamArguments.toArray(String[]::new));
    target.address().ifPresent(address -> say("no target given: writing to " + address));
    FlowWatch watch = FlowWatch.of(spec.commandLine(), stop);
    if (options.kind() == BeamOptions.Kind.CLUSTER) {
      requireTargets(target);
      return runOnCluster(target, planned, options, watch, notices);
    }
    if (options.kind() == BeamOptions.Kind.APPLICATION) {
      requireTargets(target);
      requireNoStateOptions();
      long generation = options.generation();
      say("the generation is " + generation);
      submit(join(planned).withGeneration(generation), options).close();
      return CommandLine.ExitCode.OK;
    }
    if (detach) {
      throw new ParameterException(
          spec.commandLine(), "--detach goes with --flinkMaster: embedded Flink ends with this");
    }
    if (!options.canKeepState()) {
      requireNoStateOptions();
      return run(join(planned).withGeneration(options.generation()), options, watch, notices);
    }
    return runIn(
        stateDirectory == null ? StateDirectory.ofFlow(flow.name()) : stateDirectory,
        target,
        planned,
        options,
        watch,
        notices);
  }

  private int runOnCluster(
      EmbeddedTarget target,
      CompletableFuture<PlannedFlow> planned,
      BeamOptions options,
      FlowWatch watch,
      Notices notices) {
    try (FlinkCluster cluster = options.cluster()) {
      PlannedFlow flow = join(planned);
      requireNotRunning(cluster, flow);
      if (stateDirectory != null && options.canKeepState()) {
        return runIn(stateDirectory, target, planned, options, watch, notices);
      }
      requireNoStateOptions();
      options.requireCheckpointDirectory(cluster);
      long generation = options.generation();
      say("the generation is " + generation);
      return run(flow.withGeneration(generation), options, watch, notices);
    }
  }

  private int runIn(
      Path directory,
      EmbeddedTarget target,
      CompletableFuture<PlannedFlow> planned,
      BeamOptions options,
      FlowWatch watch,
      Notices notices) {
    // State is of no use to the next run if the targets do not outlive this one.
    boolean lasts = target.server().isEmpty();
    try (StateDirectory state = StateDirectory.open(directory)) {
      PlannedFlow flow = join(planned);
      state.prepare(flow, Optional.ofNullable(backend), fresh || !lasts, this::say);
      notices.remember(state);
      return lasts
          ? runFromState(target.flow(), flow, options, state, watch, notices)
          : run(
              state.inGeneration(flow),
              options,
              watch.telling(new Reporter(flow.name(), state)),
              notices);
    }
  }

  /** Elsewhere, state is in the hands of the runner. */
  private void requireNoStateOptions() {
    if (stateDirectory != null || backend != null || fresh) {
      throw new ParameterException(
          spec.commandLine(),
          "--state-dir, --state-backend and --fresh are for Flink, and --state-backend and --fresh"
              + " go with a --state-dir if it is a cluster: leave out --runner, --flinkConfDir,"
              + " --savepointPath and --stateBackend, or say where state is with the options of the"
              + " runner");
    }
  }

  private void requireTargets(EmbeddedTarget target) {
    if (target.server().isPresent()) {
      throw new ParameterException(
          spec.commandLine(),
          "a view names no target (to:), and the embedded one is not to be reached from a cluster");
    }
  }

  /** Two jobs would read from one slot, or write over each other's documents. */
  private void requireNotRunning(FlinkCluster cluster, PlannedFlow flow) {
    Optional<FlinkCluster.Job> running =
        cluster.find(flow.name()).filter(FlinkCluster.Job::isAlive);
    if (running.isPresent()) {
      throw new ParameterException(
          spec.commandLine(),
          "the cluster runs "
              + flow.name()
              + " already, as job "
              + running.get().id()
              + ": stop that first (widebeam stop)");
    }
  }

  private int runFromState(
      Flow flow,
      PlannedFlow planned,
      BeamOptions options,
      StateDirectory state,
      FlowWatch watch,
      Notices notices) {
    FlowWatch reporting = watch.telling(new Reporter(flow.name(), state));
    while (true) {
      Optional<Checkpoint> checkpoint = state.newestWhole(this::say);
      checkpoint.ifPresent(state::resume);
      checkpoint.ifPresent(
          found ->
              say(
                  "resuming from "
                      + state.path().relativize(found.path())
                      + ", taken "
                      + Ages.of(Duration.between(found.taken(), Instant.now()))
                      + " ago"));
      BeamOptions kept =
          options.keepingState(
              new KeptState(
                  state.backend(),
                  state.checkpointsOfRun(),
                  state.temporary(),
                  checkpoint.map(Checkpoint::path),
                  // Rules that are taken out leave what they have not delivered.
                  state.isAltered() || state.hadRules()));
      PlannedFlow present = state.inGeneration(planned);
      if (!present.rules().isEmpty()) {
        state.haveRules();
      }
      SourceTraces.removeUnused(flow, present)
          .forEach(trace -> say("removed " + trace + ", which is not read any more"));
      try {
        return run(present, kept, reporting, notices);
      } catch (FlowFailedException e) {
        if (TableEmptiedException.isIn(e) || LoadInterruptedException.isIn(e)) {
          say(Failures.describe(e) + " Rebuilding all documents.");
          state.startGeneration();
        } else if (checkpoint.isPresent() && Failures.isFromRestoring(e)) {
          state.setAside(checkpoint.get(), Failures.describe(e), this::say);
        } else {
          if (LogLostException.isIn(e)) {
            say("the flow cannot go on from its state; to rebuild all documents, use --fresh");
          }
          throw e;
        }
      }
    }
  }

  private int run(PlannedFlow flow, BeamOptions options, FlowWatch watch, Notices notices) {
    try (RunningBeamFlow running = submit(flow, options)) {
      running.jobId().ifPresent(job -> say("runs on the cluster as job " + job));
      if (detach) {
        return CommandLine.ExitCode.OK;
      }
      int status = watch.telling(notices.watching(flow, running)).watch(running);
      running.savepoint().ifPresent(path -> say("stopped; the state is in " + path));
      return status;
    }
  }

  private static RunningBeamFlow submit(PlannedFlow flow, BeamOptions options) {
    return new BeamLauncher().launch(flow, options, TargetDocuments.count(flow.targets()));
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
