package io.widebeam.runner.launch;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.annotation.Nullable;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.sdk.Pipeline;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.JobID;
import org.apache.flink.core.execution.JobClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A pipeline on a Flink cluster, which keeps running when this process ends. */
final class ClusterRun implements PipelineRun {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterRun.class);
  private static final int STOP_TIMEOUT_SECONDS = 30;

  private final FlinkCluster cluster;
  private final JobID job;
  private final CompletableFuture<JobExecutionResult> end;
  private final ClusterMetrics metrics;
  @Nullable private final String savepointDirectory;
  private volatile boolean stopRequested;
  private volatile Optional<String> savepoint = Optional.empty();

  private ClusterRun(FlinkCluster cluster, JobClient client, @Nullable String savepointDirectory) {
    this.savepointDirectory = savepointDirectory;
    this.cluster = cluster;
    this.job = client.getJobID();
    this.end = client.getJobExecutionResult();
    this.metrics = new ClusterMetrics(() -> cluster.metrics(job), System::nanoTime);
  }

  /** Submits the pipeline, with the libraries it needs. */
  static ClusterRun start(Pipeline pipeline) {
    FlinkPipelineOptions options = pipeline.getOptions().as(FlinkPipelineOptions.class);
    FlinkCluster cluster =
        FlinkCluster.at(options.getFlinkMaster(), Path.of(options.getFlinkConfDir()));
    try {
      return new ClusterRun(
          cluster, SubmittedJobs.clientOf(pipeline::run), options.getStateBackendStoragePath());
    } catch (RuntimeException e) {
      cluster.close();
      throw new FlowFailedException(e);
    }
  }

  @Override
  public Optional<String> jobId() {
    return Optional.of(job.toHexString());
  }

  @Override
  public Optional<String> savepoint() {
    return savepoint;
  }

  @Override
  public State state() {
    if (!end.isDone()) {
      return State.RUNNING;
    }
    if (!end.isCompletedExceptionally()) {
      return stopRequested ? State.STOPPED : State.FINISHED;
    }
    return stopRequested ? State.STOPPED : State.FAILED;
  }

  @Override
  public MetricValues metrics() {
    return metrics.read();
  }

  @Override
  public void stop() {
    if (end.isDone()) {
      return;
    }
    stopRequested = true;
    try {
      savepoint = Optional.of(cluster.stopWithSavepoint(job, savepointDirectory));
    } catch (ClusterException e) {
      if (end.isDone()) {
        return;
      }
      LOG.warn(
          "no savepoint could be taken ({}): the last checkpoint stays where it is",
          e.getMessage());
      cluster.cancel(job);
    }
    try {
      JobExecutionResult unused = end.get(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      // A cancelled job ends with an exception, too.
      LOG.debug("job {} ended", job, e);
    } catch (TimeoutException e) {
      LOG.warn("the job has not stopped within {} s", STOP_TIMEOUT_SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void awaitEnd() throws InterruptedException {
    try {
      JobExecutionResult unused = end.get();
    } catch (ExecutionException e) {
      if (!stopRequested) {
        throw new FlowFailedException(e.getCause());
      }
    }
  }

  @Override
  public void close() {
    cluster.close();
  }
}
