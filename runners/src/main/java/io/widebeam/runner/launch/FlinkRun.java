package io.widebeam.runner.launch;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.beam.sdk.Pipeline;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pipeline on Flink, embedded in this JVM or on a cluster. */
final class FlinkRun implements PipelineRun {
  private static final Logger LOG = LoggerFactory.getLogger(FlinkRun.class);
  private static final int STOP_TIMEOUT_SECONDS = 30;

  /** A last checkpoint has to pass whatever is under way, such as the release of a load. */
  private static final int CHECKPOINT_TIMEOUT_SECONDS = 60;

  private final JobClient client;
  private final boolean keepsState;
  private final CompletableFuture<JobExecutionResult> end;
  private volatile boolean stopRequested;
  private MetricValues finalMetrics;

  private FlinkRun(JobClient client, boolean keepsState) {
    this.client = client;
    this.keepsState = keepsState;
    this.end = client.getJobExecutionResult();
  }

  /** Submits the pipeline, whose options are a {@link BeamOptions} for Flink. */
  static FlinkRun start(Pipeline pipeline, boolean keepsState) {
    try {
      return new FlinkRun(SubmittedJobs.clientOf(pipeline::run), keepsState);
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
    if (keepsState && stopWithCheckpoint()) {
      return;
    }
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

  /** Ends the job where a last checkpoint was taken; whether it did. */
  private boolean stopWithCheckpoint() {
    try {
      client
          .stopWithSavepoint(false, null, SavepointFormatType.NATIVE)
          .get(CHECKPOINT_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      end.get(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException | TimeoutException e) {
      if (!end.isDone()) {
        LOG.warn(
            "the last checkpoint could not be taken ({}): the next run goes on from the one before",
            e instanceof TimeoutException
                ? "not done after " + CHECKPOINT_TIMEOUT_SECONDS + " s"
                : Failures.describe(e));
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
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
