package io.widebeam.runner.launch;

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

/**
 * The Beam options that a flow starts with: Widebeam's defaults for the runner, then what the user
 * says instead ({@code --parallelism=4}, {@code --runner=DirectRunner}, any option of Beam or of
 * the runner).
 *
 * @param keepsState whether the pipeline keeps its state on this machine's disk
 */
public record BeamOptions(Kind kind, PipelineOptions pipelineOptions, boolean keepsState) {
  private static final String EMBEDDED = "[local]";

  /** The runners that have defaults of their own. */
  public enum Kind {
    FLINK,
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
    Kind kind = kindOf(given.getOrDefault("--runner", "flink"));
    Map<String, String> all = new LinkedHashMap<>();
    switch (kind) {
      case FLINK -> {
        all.putAll(FLINK_DEFAULTS);
        if (!given.containsKey("--flinkConfDir")) {
          all.put("--flinkConfDir", FlinkConfiguration.writeDefaults().toString());
        }
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
   * Whether the pipeline's state can be kept on this machine's disk: by embedded Flink, unless the
   * user has a configuration of Flink's own that says what becomes of it.
   */
  public boolean canKeepState() {
    if (kind != Kind.FLINK) {
      return false;
    }
    FlinkPipelineOptions flink = pipelineOptions.as(FlinkPipelineOptions.class);
    return flink.getFlinkMaster().equals(EMBEDDED)
        && FlinkConfiguration.isOurs(Path.of(flink.getFlinkConfDir()));
  }

  /** The options of a pipeline that keeps its state, and goes on from what was kept. */
  public BeamOptions keepingState(KeptState state) {
    FlinkPipelineOptions flink = pipelineOptions.as(FlinkPipelineOptions.class);
    if (flink.getCheckpointingInterval() == -1) {
      flink.setCheckpointingInterval(KeptState.INTERVAL.toMillis());
    }
    // A checkpoint that fails is no reason to stop: the one before stays.
    flink.setFailOnCheckpointingErrors(false);
    flink.setFlinkConfDir(FlinkConfiguration.write(state).toString());
    return new BeamOptions(kind, pipelineOptions, true);
  }

  private static Kind kindOf(String runner) {
    return switch (runner.toLowerCase(Locale.ROOT).replaceFirst("runner$", "")) {
      case "flink" -> Kind.FLINK;
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
