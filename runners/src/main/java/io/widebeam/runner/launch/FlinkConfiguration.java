package io.widebeam.runner.launch;

import io.widebeam.runner.state.StateBackend;
import io.widebeam.runner.state.StateDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Flink's own settings, for which Beam has no options. */
final class FlinkConfiguration {
  private static final String PREFIX = "widebeam-flink-";
  private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));

  /** For jobs everywhere. */
  private static final Map<String, String> JOB =
      settings(
          // Records leave for the next task at once, not when a buffer fills.
          "execution.buffer-timeout.interval",
          "5ms",
          "execution.job-listeners",
          SubmittedJobs.class.getName());

  private static final Map<String, String> EMBEDDED =
      settings(
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

  /** What concerns the processes of a cluster is the cluster's. */
  private static final Map<String, String> CLUSTER =
      settings(
          // Machines go and come back; what can never work shall not be tried for ever.
          "restart-strategy.type",
          "exponential-delay",
          "restart-strategy.exponential-delay.initial-backoff",
          "1s",
          "restart-strategy.exponential-delay.max-backoff",
          "1min",
          "restart-strategy.exponential-delay.backoff-multiplier",
          "2",
          "restart-strategy.exponential-delay.reset-backoff-threshold",
          "10min",
          "restart-strategy.exponential-delay.attempts-before-reset-backoff",
          "20",
          "state.checkpoints.num-retained",
          Integer.toString(StateDirectory.KEPT),
          "execution.checkpointing.externalized-checkpoint-retention",
          "RETAIN_ON_CANCELLATION",
          "execution.checkpointing.min-pause",
          KeptState.PAUSE.toMillis() + "ms");

  private FlinkConfiguration() {}

  /** Writes the settings of embedded Flink to a new directory, gone when the JVM ends. */
  static Path writeEmbedded() {
    return write(all(EMBEDDED), TEMPORARY);
  }

  /** Writes the settings of embedded Flink for a pipeline that keeps its state. */
  static Path writeEmbedded(KeptState state) {
    Map<String, String> all = all(EMBEDDED);
    addState(all, state);
    // What a killed process leaves behind goes with the directory.
    all.put("io.tmp.dirs", state.temporary().toString());
    if (state.backend() == StateBackend.ROCKSDB) {
      all.put("taskmanager.memory.managed.size", "256m");
    }
    return write(all, state.temporary());
  }

  /** Writes the settings of a job on a cluster. */
  static Path writeCluster() {
    return write(all(CLUSTER), TEMPORARY);
  }

  /** Writes the settings of a job on a cluster that shares the directory of the state. */
  static Path writeCluster(KeptState state) {
    Map<String, String> all = all(CLUSTER);
    addState(all, state);
    return write(all, state.temporary());
  }

  private static void addState(Map<String, String> all, KeptState state) {
    all.put("state.checkpoints.dir", state.checkpoints().toUri().toString());
    all.put("state.savepoints.dir", state.checkpoints().toUri().toString());
    all.put("state.checkpoints.num-retained", Integer.toString(StateDirectory.KEPT));
    all.put("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    all.put("execution.checkpointing.min-pause", KeptState.PAUSE.toMillis() + "ms");
    switch (state.backend()) {
      case HEAP -> all.put("state.backend.type", "hashmap");
      case ROCKSDB -> {
        all.put("state.backend.type", "rocksdb");
        all.put("state.backend.incremental", "true");
      }
    }
    state
        .resumeFrom()
        .ifPresent(
            checkpoint -> all.put("execution.savepoint.path", checkpoint.toUri().toString()));
    all.put("execution.savepoint.ignore-unclaimed-state", Boolean.toString(state.altered()));
  }

  private static Map<String, String> all(Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(JOB);
    all.putAll(more);
    return all;
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
