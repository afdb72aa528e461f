package io.widebeam.runner.launch;

import io.widebeam.runner.state.StateDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Flink's own settings, for which Beam has no options. */
final class FlinkConfiguration {
  private static final String PREFIX = "widebeam-flink-";

  private static final Map<String, String> SETTINGS =
      settings(
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
  static Path writeDefaults() {
    return write(SETTINGS, Path.of(System.getProperty("java.io.tmpdir")));
  }

  /** Writes the settings for a pipeline that keeps its state. */
  static Path write(KeptState state) {
    Map<String, String> all = new LinkedHashMap<>(SETTINGS);
    all.put("state.checkpoints.dir", state.checkpoints().toUri().toString());
    all.put("state.savepoints.dir", state.checkpoints().toUri().toString());
    all.put("state.checkpoints.num-retained", Integer.toString(StateDirectory.KEPT));
    all.put("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    all.put("execution.checkpointing.min-pause", KeptState.PAUSE.toMillis() + "ms");
    // What a killed process leaves behind goes with the directory.
    all.put("io.tmp.dirs", state.temporary().toString());
    switch (state.backend()) {
      case HEAP -> all.put("state.backend.type", "hashmap");
      case ROCKSDB -> {
        all.put("state.backend.type", "rocksdb");
        all.put("state.backend.incremental", "true");
        all.put("taskmanager.memory.managed.size", "256m");
      }
    }
    state
        .resumeFrom()
        .ifPresent(
            checkpoint -> all.put("execution.savepoint.path", checkpoint.toUri().toString()));
    return write(all, state.temporary());
  }

  /** Whether a directory is one of those that are written here. */
  static boolean isOurs(Path directory) {
    return directory.getFileName().toString().startsWith(PREFIX);
  }

  private static Path write(Map<String, String> settings, Path parent) {
    StringBuilder yaml = new StringBuilder();
    settings.forEach((key, value) -> yaml.append(key).append(": ").append(value).append('\n'));
    try {
      Path directory = Files.createTempDirectory(Files.createDirectories(parent), PREFIX);
      Path file = directory.resolve("flink-conf.yaml");
      Files.writeString(file, yaml);
      directory.toFile().deleteOnExit();
      file.toFile().deleteOnExit();
      return directory;
    } catch (IOException e) {
      throw new IllegalStateException("cannot write to the directory " + parent, e);
    }
  }

  private static Map<String, String> settings(String... namesAndValues) {
    Map<String, String> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      map.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return map;
  }
}
