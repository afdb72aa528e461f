package io.widebeam.runner.launch;

import javax.annotation.Nullable;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.JobListener;

/**
 * Hands out the Flink client of a job that a pipeline's {@code run()} has just submitted.
 *
 * <p>The result that the Flink runner returns keeps the client to itself, and with it the reason
 * why a job failed. Flink calls its listeners on the thread that submits.
 */
public final class SubmittedJobs implements JobListener {
  private static final ThreadLocal<JobClient> SUBMITTED = new ThreadLocal<>();

  /** Called by Flink, which finds the class by its name in the job's configuration. */
  public SubmittedJobs() {}

  /** Runs {@code submission} and returns the client of the job that it submitted. */
  static JobClient clientOf(Runnable submission) {
    SUBMITTED.remove();
    try {
      submission.run();
      JobClient client = SUBMITTED.get();
      if (client == null) {
        throw new IllegalStateException(
            "Flink does not know the listener " + SubmittedJobs.class.getName());
      }
      return client;
    } finally {
      SUBMITTED.remove();
    }
  }

  @Override
  public void onJobSubmitted(@Nullable JobClient client, @Nullable Throwable failure) {
    if (client != null) {
      SUBMITTED.set(client);
    }
  }

  @Override
  public void onJobExecuted(@Nullable JobExecutionResult result, @Nullable Throwable failure) {}
}
