package io.widebeam.runner.launch;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.beam.sdk.Pipeline;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pipeline on Flink, embedded in this JVM or on a cluster. */
final class FlinkRun implements PipelineRun {
  private static final Logger LOG = LoggerFactory.getLogger(FlinkRun.class);
  private static final int STOP_TIMEOUT_SECONDS = 30;

  private final JobClient client;
  private final CompletableFuture<JobExecutionResult> end;
  private volatile boolean stopRequested;
  private MetricValues finalMetrics;

  private FlinkRun(JobClient client) {
    this.client = client;
    this.end = client.getJobExecutionResult();
  }

  /** Submits the pipeline, whose options are a {@link BeamOptions} for Flink. */
  static FlinkRun start(Pipeline pipeline) {
    try {
      return new FlinkRun(SubmittedJobs.clientOf(pipeline::run));
    } catch (RuntimeException e) {
      throw new FlowFailedException(e);
    }
  }

  @Override
  public State state() {
    if (!end.isDone()) {
      return State.RUNNING;
    }
    if (!end.isCompletedExceptionally()) {
      return State.FINISHED;
    }
    return stopRequested ? State.STOPPED : State.FAILED;
  }

  @Override
  public synchronized MetricValues metrics() {
    if (finalMetrics != null) {
      return finalMetrics;
    }
    String job = client.getJobID().toHexString();
    if (end.isDone()) {
      finalMetrics = LiveMetrics.of(job);
      LiveMetrics.forget(job);
      return finalMetrics;
    }
    return LiveMetrics.of(job);
  }

  @Override
  public void stop() {
    if (end.isDone()) {
      return;
    }
    stopRequested = true;
    try {
      client.cancel().get(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      end.get(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      // A cancelled job ends with an exception, too.
      LOG.debug("job {} ended", client.getJobID(), e);
    } catch (TimeoutException e) {
      LOG.warn("the job has not stopped within {} s", STOP_TIMEOUT_SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    try {
      end.get();
    } catch (ExecutionException e) {
      if (!stopRequested) {
        throw new FlowFailedException(e.getCause());
      }
    }
  }
}
