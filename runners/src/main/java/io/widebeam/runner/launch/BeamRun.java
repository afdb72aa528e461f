package io.widebeam.runner.launch;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;

/** A pipeline on any runner whose result is live: the direct runner, Dataflow. */
final class BeamRun implements PipelineRun {
  private final PipelineResult result;

  // The direct runner tells of a failure only to those who wait for the end.
  private final CompletableFuture<PipelineResult.State> end = new CompletableFuture<>();
  private volatile boolean stopRequested;

  private BeamRun(PipelineResult result) {
    this.result = result;
  }

  static BeamRun start(Pipeline pipeline) {
    BeamRun run;
    try {
      run = new BeamRun(pipeline.run());
    } catch (RuntimeException e) {
      throw new FlowFailedException(e);
    }
    Thread waiter = new Thread(run::watch, "pipeline-end");
    waiter.setDaemon(true);
    waiter.start();
    return run;
  }

  private void watch() {
    try {
      end.complete(result.waitUntilFinish());
    } catch (RuntimeException | Error e) {
      end.completeExceptionally(e);
    }
  }

  @Override
  public State state() {
    if (stopRequested) {
      return State.STOPPED;
    }
    if (!end.isDone()) {
      return State.RUNNING;
    }
    if (end.isCompletedExceptionally()) {
      return State.FAILED;
    }
    return switch (end.join()) {
      case DONE, UPDATED -> State.FINISHED;
      case CANCELLED, STOPPED -> State.STOPPED;
      case FAILED, RUNNING, UNKNOWN, UNRECOGNIZED -> State.FAILED;
    };
  }

  @Override
  public MetricValues metrics() {
    return MetricValues.of(result.metrics());
  }

  @Override
  public void stop() {
    if (end.isDone()) {
      return;
    }
    stopRequested = true;
    try {
      result.cancel();
    } catch (IOException | UnsupportedOperationException e) {
      throw new FlowFailedException(e);
    }
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    try {
      PipelineResult.State unused = end.get();
    } catch (ExecutionException e) {
      if (!stopRequested) {
        throw new FlowFailedException(e.getCause());
      }
    }
  }
}
