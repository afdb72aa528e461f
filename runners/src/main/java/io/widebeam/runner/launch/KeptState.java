package io.widebeam.runner.launch;

import io.widebeam.runner.state.StateBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Where embedded Flink keeps a pipeline's state.
 *
 * @param checkpoints the directory for the checkpoints of this run
 * @param temporary a directory for what need not outlive the process
 * @param resumeFrom the checkpoint to go on from; empty to begin with nothing
 * @param altered whether that may have state of steps that are no more; otherwise it must not
 */
public record KeptState(
    StateBackend backend,
    Path checkpoints,
    Path temporary,
    Optional<Path> resumeFrom,
    boolean altered) {
  /** From the beginning of a checkpoint to that of the next: a restart repeats what came since. */
  static final Duration INTERVAL = Duration.ofSeconds(10);

  /**
   * From the end of a checkpoint: on the heap each writes everything, which takes time of its own.
   */
  static final Duration PAUSE = Duration.ofSeconds(10);
}
