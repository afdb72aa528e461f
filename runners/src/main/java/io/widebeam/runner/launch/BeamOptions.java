package io.widebeam.runner.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;

/**
 * The Beam options that a flow starts with: Widebeam's defaults for the runner, then what the user
 * says instead ({@code --parallelism=4}, {@code --runner=DirectRunner}, any option of Beam or of
 * the runner).
 */
public record BeamOptions(Kind kind, PipelineOptions pipelineOptions) {

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
          "--flinkMaster", "[local]",
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
          all.put("--flinkConfDir", FlinkConfiguration.write().toString());
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
          kind, PipelineOptionsFactory.fromArgs(args.toArray(String[]::new)).create());
    } catch (IllegalArgumentException e) {
      throw new OptionsException(explain(e), e);
    }
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

  /** Flink's own settings, for which Beam has no options. */
  static final class FlinkConfiguration {
    private static final Map<String, String> SETTINGS =
        ordered(
            // Records leave for the next task at once, not when a buffer fills.
            "execution.buffer-timeout.interval",
            "5ms",
            "execution.job-listeners",
            SubmittedJobs.class.getName(),
            "metrics.reporters",
            "widebeam",
            "metrics.reporter.widebeam.factory.class",
            LiveMetrics.Factory.class.getName(),
            // A failing job ends with its reason; sources and sinks retry what can be retried.
            "restart-strategy.type",
            "none",
            // Keyed state is on the heap: leave Flink's own pools small.
            "taskmanager.memory.managed.size",
            "16m",
            "taskmanager.memory.network.min",
            "64m",
            "taskmanager.memory.network.max",
            "64m",
            // Nothing here is for other machines.
            "jobmanager.bind-host",
            "127.0.0.1",
            "taskmanager.bind-host",
            "127.0.0.1",
            "rest.address",
            "127.0.0.1",
            "rest.bind-address",
            "127.0.0.1",
            "rest.bind-port",
            "0",
            "web.submit.enable",
            "false");

    private FlinkConfiguration() {}

    /** Writes the settings to a new directory, gone when the JVM ends. */
    static Path write() {
      StringBuilder yaml = new StringBuilder();
      SETTINGS.forEach((key, value) -> yaml.append(key).append(": ").append(value).append('\n'));
      try {
        Path directory = Files.createTempDirectory("widebeam-flink-");
        Path file = directory.resolve("flink-conf.yaml");
        Files.writeString(file, yaml);
        directory.toFile().deleteOnExit();
        file.toFile().deleteOnExit();
        return directory;
      } catch (IOException e) {
        throw new IllegalStateException(
            "cannot write to the directory for temporary files, "
                + System.getProperty("java.io.tmpdir"),
            e);
      }
    }
  }
}
