package io.widebeam.runner.launch;

import io.widebeam.flow.FlowComposer.Recovery;
import io.widebeam.flow.PlannedFlow;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.runtime.jobgraph.SavepointConfigOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The Beam options that a flow starts with: Widebeam's defaults for the runner, then what the user
 * says instead ({@code --parallelism=4}, {@code --runner=DirectRunner}, any option of Beam or of
 * the runner).
 *
 * @param keepsState whether the pipeline keeps its state on this machine's disk
 */
public record BeamOptions(Kind kind, PipelineOptions pipelineOptions, boolean keepsState) {
  private static final String EMBEDDED = "[local]";
  private static final String SUBMITTED_BY_FLINK = "[auto]";

  /** The runners that have defaults of their own. */
  public enum Kind {
    /** Flink embedded in this JVM. */
    FLINK,
    /** A Flink cluster, by its address. */
    CLUSTER,
    /** A Flink cluster for this one job, in whose job manager this program runs. */
    APPLICATION,
    DIRECT,
    OTHER
  }

  /**
   * One, because the stages of a flow already keep two cores busy; a second copy of each stage adds
   * a network exchange before it.
   */
  private static final String DEFAULT_PARALLELISM = "1";

  private static final Map<String, String> FLINK_DEFAULTS =
      ordered(
          "--runner", "FlinkRunner",
          "--flinkMaster", EMBEDDED,
          // Elements are immutable between steps, so copies are waste.
          "--fasterCopy", "true",
          "--objectReuse", "true",
          "--parallelism", DEFAULT_PARALLELISM,
          // Latency: how often watermarks move, and how long a bundle may wait for more.
          "--autoWatermarkInterval", "10",
          "--maxBundleTimeMills", "10",
          // A bundle ends only when its writes have: let many be under way when a load is released.
          "--maxBundleSize", "100000",
          "--attachedMode", "false");

  private static final Map<String, String> CLUSTER_DEFAULTS =
      ordered(
          // How much is read again after a failure.
          "--checkpointingInterval", Long.toString(KeptState.INTERVAL.toMillis()),
          "--checkpointTimeoutMillis", "600000",
          // A checkpoint that fails is no reason to stop: the one before stays.
          "--failOnCheckpointingErrors", "false");

  private static final Map<String, String> DIRECT_DEFAULTS =
      ordered(
          "--runner", "DirectRunner",
          "--enforceImmutability", "false",
          "--enforceEncodability", "false",
          "--blockOnRun", "false");

  private static final Pattern UNKNOWN_OPTION =
      Pattern.compile("missing a property named '([^']+)'(.*)", Pattern.DOTALL);

  /**
   * Reads the options.
   *
   * @param beamArgs as on the command line: {@code --name=value} each
   * @throws OptionsException if an option is unknown or has a value it cannot take; the message is
   *     for people
   */
  public static BeamOptions parse(String... beamArgs) {
    Map<String, String> given = new LinkedHashMap<>();
    for (String arg : beamArgs) {
      if (!arg.startsWith("--") || arg.length() == 2) {
        throw new OptionsException(
            "unexpected argument '" + arg + "': options are written --name=value");
      }
      int equals = arg.indexOf('=');
      given.put(
          equals < 0 ? arg : arg.substring(0, equals),
          equals < 0 ? "true" : arg.substring(equals + 1));
    }
    Kind kind =
        kindOf(given.getOrDefault("--runner", "flink"), given.getOrDefault("--flinkMaster", "[]"));
    Map<String, String> all = new LinkedHashMap<>();
    switch (kind) {
      case FLINK -> {
        all.putAll(FLINK_DEFAULTS);
        if (!given.containsKey("--flinkConfDir")) {
          all.put("--flinkConfDir", FlinkConfiguration.writeEmbedded().toString());
        }
      }
      case APPLICATION -> {
        all.putAll(FLINK_DEFAULTS);
        all.putAll(CLUSTER_DEFAULTS);
        all.put("--externalizedCheckpointsEnabled", "true");
        all.put("--retainExternalizedCheckpointsOnCancellation", "true");
      }
      case CLUSTER -> {
        all.putAll(FLINK_DEFAULTS);
        all.putAll(CLUSTER_DEFAULTS);
        if (!given.containsKey("--flinkConfDir")) {
          all.put("--flinkConfDir", FlinkConfiguration.writeCluster().toString());
        }
        all.put(
            "--filesToStage",
            String.join(",", StagedFiles.ofClassPath(System.getProperty("java.class.path"))));
      }
      case DIRECT -> all.putAll(DIRECT_DEFAULTS);
      case OTHER -> {}
    }
    all.putAll(given);
    List<String> args = new ArrayList<>();
    all.forEach((name, value) -> args.add(name + "=" + value));
    try {
      return new BeamOptions(
          kind, PipelineOptionsFactory.fromArgs(args.toArray(String[]::new)).create(), false);
    } catch (IllegalArgumentException e) {
      throw new OptionsException(explain(e), e);
    }
  }

  /**
   * Whether the pipeline's state can be kept in a directory that this machine has, too: by embedded
   * Flink or a cluster, unless the user has a configuration of Flink's own, or options of the
   * runner, that say what becomes of it.
   */
  public boolean canKeepState() {
    return switch (kind) {
      case FLINK, CLUSTER -> {
        FlinkPipelineOptions flink = flink();
        yield FlinkConfiguration.isOurs(Path.of(flink.getFlinkConfDir()))
            && (kind == Kind.CLUSTER || flink.getFlinkMaster().equals(EMBEDDED))
            && flink.getSavepointPath() == null
            && flink.getStateBackend() == null;
      }
      case APPLICATION, DIRECT, OTHER -> false;
    };
  }

  /** What the runner does about failures. */
  Recovery recovery() {
    return switch (kind) {
      case FLINK -> flink().getCheckpointingInterval() > 0 ? Recovery.CHECKPOINTS : Recovery.NONE;
      case CLUSTER, APPLICATION ->
          flink().getCheckpointingInterval() > 0 ? Recovery.RESTARTS : Recovery.NONE;
      case DIRECT -> Recovery.NONE;
      case OTHER -> Recovery.CHECKPOINTS;
    };
  }

  /** The options of a pipeline that keeps its state, and goes on from what was kept. */
  public BeamOptions keepingState(KeptState state) {
    FlinkPipelineOptions flink = flink();
    if (flink.getCheckpointingInterval() == -1) {
      flink.setCheckpointingInterval(KeptState.INTERVAL.toMillis());
    }
    // A checkpoint that fails is no reason to stop: the one before stays.
    flink.setFailOnCheckpointingErrors(false);
    if (kind == Kind.CLUSTER) {
      flink.setFlinkConfDir(FlinkConfiguration.writeCluster(state).toString());
      // Without a state backend it has no effect but to be shown: 'stop' finds the place there.
      flink.setStateBackendStoragePath(state.checkpoints().toUri().toString());
      state.resumeFrom().ifPresent(path -> flink.setSavepointPath(path.toUri().toString()));
      flink.setAllowNonRestoredState(state.altered());
    } else {
      flink.setFlinkConfDir(FlinkConfiguration.writeEmbedded(state).toString());
    }
    return new BeamOptions(kind, pipelineOptions, true);
  }

  /** The cluster that the options name; the kind must be {@link Kind#CLUSTER}. */
  public FlinkCluster cluster() {
    return FlinkCluster.at(flink().getFlinkMaster(), Path.of(flink().getFlinkConfDir()));
  }

  /**
   * Requires that checkpoints on the cluster go where they outlive a crash.
   *
   * @throws OptionsException if neither the options nor the cluster say where
   */
  public void requireCheckpointDirectory(FlinkCluster cluster) {
    FlinkPipelineOptions flink = flink();
    if (!keepsState
        && flink.getStateBackend() == null
        && FlinkConfiguration.isOurs(Path.of(flink.getFlinkConfDir()))
        && !cluster.hasCheckpointDirectory()) {
      throw new OptionsException(
          "the cluster has no directory for checkpoints: give --state-dir, a directory that all its"
              + " machines and this one share, or --stateBackend=filesystem (or rocksdb) and"
              + " --stateBackendStoragePath, or set state.checkpoints.dir in the cluster's"
              + " configuration");
    }
  }

  /**
   * The generation of a job that keeps its state in no directory of ours: the one that the user
   * names, since it goes on from a savepoint, or a new one.
   *
   * @throws OptionsException if it is not known which one the job's state is of
   */
  public long generation() {
    Long given = pipelineOptions.as(WidebeamOptions.class).getGeneration();
    if (given != null) {
      return given;
    }
    if (kind == Kind.CLUSTER && flink().getSavepointPath() != null) {
      throw new OptionsException(
          "--savepointPath needs --generation, that of the job which left the savepoint: 'run' and"
              + " 'stop' said it, and Flink shows it in the job's configuration");
    }
    long now = PlannedFlow.generationAt(System.currentTimeMillis());
    if (kind == Kind.APPLICATION && mayFindState()) {
      throw new OptionsException(
          "the job may find state of its own: give --generation, the same number for as long as that"
              + " is kept (a job without state may take "
              + now
              + ")");
    }
    return now;
  }

  /**
   * Whether Flink may give this job state that it left: from a savepoint, or since another job
   * manager takes over, which runs this program again.
   */
  private static boolean mayFindState() {
    ReadableConfig flink = StreamExecutionEnvironment.getExecutionEnvironment().getConfiguration();
    return flink.getOptional(SavepointConfigOptions.SAVEPOINT_PATH).isPresent()
        || !flink.get(HighAvailabilityOptions.HA_MODE).equalsIgnoreCase("none");
  }

  private FlinkPipelineOptions flink() {
    return pipelineOptions.as(FlinkPipelineOptions.class);
  }

  private static Kind kindOf(String runner, String flinkMaster) {
    return switch (runner.toLowerCase(Locale.ROOT).replaceFirst("runner$", "")) {
      case "flink" ->
          flinkMaster.equals(SUBMITTED_BY_FLINK)
              ? Kind.APPLICATION
              : flinkMaster.startsWith("[") ? Kind.FLINK : Kind.CLUSTER;
      case "direct" -> Kind.DIRECT;
      default -> Kind.OTHER;
    };
  }

  private static String explain(IllegalArgumentException e) {
    Matcher unknown = UNKNOWN_OPTION.matcher(String.valueOf(e.getMessage()));
    return unknown.find()
        ? "unknown option --" + unknown.group(1) + unknown.group(2).replaceFirst("^\\.\\s*$", "")
        : e.getMessage();
  }

  private static Map<String, String> ordered(String... namesAndValues) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }
}
