package io.widebeam.runner.launch;

import java.util.Optional;
import org.apache.beam.sdk.Pipeline;

/** One started pipeline, whatever runs it. */
interface PipelineRun extends AutoCloseable {
  /** Starts the pipeline on the runner that its options name. */
  static PipelineRun start(BeamOptions options, Pipeline pipeline) {
    return switch (options.kind()) {
      case FLINK -> FlinkRun.start(pipeline, options.keepsState());
      case CLUSTER -> ClusterRun.start(pipeline);
      case APPLICATION, DIRECT, OTHER -> BeamRun.start(pipeline);
    };
  }

  /** Where a run is in its life; every state but {@code RUNNING} is final. */
  enum State {
    RUNNING,
    FINISHED,
    STOPPED,
    FAILED
  }

  State state();

  /** The id that the runner gave the run, if others can ask for it there. */
  default Optional<String> jobId() {
    return Optional.empty();
  }

  /** Where a run that was stopped left its state, if it did and others can go on from there. */
  default Optional<String> savepoint() {
    return Optional.empty();
  }

  /** What has been counted so far; stays available when the run has ended. */
  MetricValues metrics();

  /** Ends the run and waits until it has ended; does nothing if it has. */
  void stop();

  /**
   * Waits until the run has ended, by itself or by {@link #stop()}.
   *
   * @throws FlowFailedException if it failed; the message names the root cause
   */
  void awaitEnd() throws InterruptedException;

  /** Lets go of the run, whether or not it has ended. */
  @Override
  default void close() {}
}
