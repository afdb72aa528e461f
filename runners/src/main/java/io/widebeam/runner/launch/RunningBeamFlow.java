package io.widebeam.runner.launch;

import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.RunningFlow;
import java.util.Optional;

/** A flow that runs as a Beam pipeline; its status comes from the pipeline's metrics. */
public final class RunningBeamFlow implements RunningFlow, AutoCloseable {
  private final PipelineRun run;
  private final StatusMeter meter;
  private volatile FlowFailedException failure;

  RunningBeamFlow(PlannedFlow flow, PipelineRun run, long documents) {
    this.run = run;
    this.meter = new StatusMeter(flow, documents, System::nanoTime);
  }

  @Override
  public FlowStatus status() {
    FlowStatus.State state =
        switch (run.state()) {
          case RUNNING -> FlowStatus.State.RUNNING;
          case FINISHED, STOPPED -> FlowStatus.State.STOPPED;
          case FAILED -> FlowStatus.State.ERROR;
        };
    return meter.read(state, run.metrics());
  }

  /** Whether all sources have been read to where they ended at the start, and are read on. */
  public boolean isLive() {
    return meter.isLive(run.metrics());
  }

  /** In how many targets this run has written the initial load, to the end. */
  public long loadsWritten() {
    return run.metrics().counter("loadsWritten");
  }

  @Override
  public void stop() {
    run.stop();
  }

  @Override
  public void awaitEnd() {
    try {
      run.awaitEnd();
    } catch (FlowFailedException e) {
      failure = e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The id of the flow's job, where the runner lets others ask for it. */
  public Optional<String> jobId() {
    return run.jobId();
  }

  /** Where the state is that a stopped flow can be resumed from, for {@code --savepointPath}. */
  public Optional<String> savepoint() {
    return run.savepoint();
  }

  /** Lets go of the flow; one on a cluster goes on without this process unless it was stopped. */
  @Override
  public void close() {
    run.close();
  }

  /** One of Widebeam's counters, as in {@code documentsWritten}; 0 until it has counted. */
  public long counter(String name) {
    return run.metrics().counter(name);
  }

  /** Why the flow failed, once {@link #awaitEnd} has returned; empty if it did not. */
  public Optional<FlowFailedException> failure() {
    return Optional.ofNullable(failure);
  }
}
