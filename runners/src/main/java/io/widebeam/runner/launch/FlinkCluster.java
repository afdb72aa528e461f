package io.widebeam.runner.launch;

import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.PlannedFlow;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.annotation.Nullable;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.client.JobStatusMessage;
import org.apache.flink.runtime.jobgraph.JobVertexID;
import org.apache.flink.runtime.rest.messages.ClusterConfigurationInfoHeaders;
import org.apache.flink.runtime.rest.messages.ConfigurationInfoEntry;
import org.apache.flink.runtime.rest.messages.EmptyMessageParameters;
import org.apache.flink.runtime.rest.messages.EmptyRequestBody;
import org.apache.flink.runtime.rest.messages.JobConfigHeaders;
import org.apache.flink.runtime.rest.messages.JobConfigInfo;
import org.apache.flink.runtime.rest.messages.JobIDPathParameter;
import org.apache.flink.runtime.rest.messages.JobMessageParameters;
import org.apache.flink.runtime.rest.messages.JobVertexIdPathParameter;
import org.apache.flink.runtime.rest.messages.MessageParameter;
import org.apache.flink.runtime.rest.messages.job.JobDetailsInfo.JobVertexDetailsInfo;
import org.apache.flink.runtime.rest.messages.job.metrics.AggregatedMetric;
import org.apache.flink.runtime.rest.messages.job.metrics.AggregatedSubtaskMetricsHeaders;
import org.apache.flink.runtime.rest.messages.job.metrics.AggregatedSubtaskMetricsParameters;
import org.apache.flink.runtime.rest.messages.job.metrics.MetricsFilterParameter;

/** A Flink cluster, asked through its REST interface. */
public final class FlinkCluster implements AutoCloseable {
  private static final long TIMEOUT_SECONDS = 15;

  /** A savepoint has to pass whatever is under way, such as the release of a load. */
  private static final long SAVEPOINT_TIMEOUT_SECONDS = 600;

  /** Follows the operator's name, which has no dots here, and precedes the metric's. */
  private static final String INFIX = "." + MetricValues.NAMESPACE + "_";

  /** Names go into the address of a request, which has a longest length. */
  private static final int METRICS_AT_A_TIME = 20;

  private final String address;
  private final RestClusterClient<String> client;

  private FlinkCluster(String address, RestClusterClient<String> client) {
    this.address = address;
    this.client = client;
  }

  /** A job on the cluster, running or not. */
  public record Job(JobID id, String flow, JobStatus status, long startMillis) {

    /** Whether it may still write to the flow's targets. */
    public boolean isAlive() {
      return !status.isGloballyTerminalState();
    }

    public boolean failed() {
      return status == JobStatus.FAILED;
    }
  }

  /**
   * A cluster by its address.
   *
   * @param master {@code host:port} of the job manager's REST interface, as in {@code
   *     --flinkMaster}
   * @param configurationDirectory of Flink's client, for clusters whose REST interface is
   *     encrypted; null if there is none
   * @throws OptionsException if the address is none
   */
  public static FlinkCluster at(String master, @Nullable Path configurationDirectory) {
    Configuration configuration =
        configurationDirectory == null
            ? new Configuration()
            : GlobalConfiguration.loadConfiguration(configurationDirectory.toString());
    String address = master.replaceFirst("^https?://", "").replaceFirst("/+$", "");
    int colon = address.lastIndexOf(':');
    String host = colon < 0 ? address : address.substring(0, colon);
    int port = configuration.get(RestOptions.PORT);
    try {
      port = colon < 0 ? port : Integer.parseInt(address.substring(colon + 1));
    } catch (NumberFormatException e) {
      throw new OptionsException("--flinkMaster takes host:port, not '" + master + "'", e);
    }
    configuration.set(RestOptions.ADDRESS, host);
    configuration.set(RestOptions.PORT, port);
    configuration.set(JobManagerOptions.ADDRESS, host);
    // Who waits for an answer here would rather be told soon that there is none.
    configuration.set(RestOptions.RETRY_MAX_ATTEMPTS, 3);
    configuration.set(RestOptions.RETRY_DELAY, 1_000L);
    try {
      return new FlinkCluster(
          host + ":" + port, new RestClusterClient<>(configuration, "widebeam"));
    } catch (Exception e) {
      throw new OptionsException("no Flink cluster can be asked at " + master, e);
    }
  }

  /** The flow's newest job, one that is alive before all others; empty if there is none. */
  public Optional<Job> find(String flow) {
    return jobs().stream()
        .filter(job -> job.flow().equals(flow))
        .max(Comparator.comparing(Job::isAlive).thenComparing(Job::startMillis));
  }

  /** The jobs that the cluster knows. */
  public List<Job> jobs() {
    Collection<JobStatusMessage> found = await(client.listJobs(), TIMEOUT_SECONDS);
    return found.stream()
        .map(
            job -> new Job(job.getJobId(), job.getJobName(), job.getJobState(), job.getStartTime()))
        .toList();
  }

  /** A setting that the cluster was started with. */
  Optional<String> setting(String key) {
    Collection<ConfigurationInfoEntry> entries =
        await(
            client.sendRequest(
                ClusterConfigurationInfoHeaders.getInstance(),
                EmptyMessageParameters.getInstance(),
                EmptyRequestBody.getInstance()),
            TIMEOUT_SECONDS);
    return entries.stream()
        .filter(entry -> entry.getKey().equals(key))
        .map(ConfigurationInfoEntry::getValue)
        .findFirst();
  }

  /** What a job tells of itself: the Beam options that it was started with. */
  private Map<String, String> parameters(JobID job) {
    JobMessageParameters parameters = new JobMessageParameters();
    parameters.jobPathParameter.resolve(job);
    JobConfigInfo.ExecutionConfigInfo config =
        await(
                client.sendRequest(
                    JobConfigHeaders.getInstance(), parameters, EmptyRequestBody.getInstance()),
                TIMEOUT_SECONDS)
            .getExecutionConfigInfo();
    return config == null ? Map.of() : config.getGlobalJobParameters();
  }

  /** How a flow's job is doing; a rate takes a second to tell. */
  public FlowStatus status(Job job) throws InterruptedException {
    Map<String, String> parameters = parameters(job.id());
    FlowStatus.State state =
        switch (job.status()) {
          case INITIALIZING, CREATED, RECONCILING -> FlowStatus.State.STARTING;
          case RUNNING, RESTARTING, FAILING, CANCELLING -> FlowStatus.State.RUNNING;
          case FAILED -> FlowStatus.State.ERROR;
          case FINISHED, CANCELED, SUSPENDED -> FlowStatus.State.STOPPED;
        };
    StatusMeter meter =
        new StatusMeter(
            new PlannedFlow(job.flow(), List.of(), List.of(), Optional.empty()),
            Long.parseLong(parameters.getOrDefault("documentsBefore", "0")),
            System::nanoTime);
    if (!job.isAlive()) {
      return meter.read(state, MetricValues.NONE);
    }
    long before = metrics(job.id()).counter("changes");
    TimeUnit.SECONDS.sleep(1);
    MetricValues now = metrics(job.id());
    Map<String, Long> counters = new HashMap<>(now.counters());
    counters.merge("changes", before, (all, earlier) -> Math.max(0, all - earlier));
    return meter.read(state, new MetricValues(counters, now.gauges()));
  }

  /** The generation of a flow's job, for {@code --generation}. */
  public Optional<String> generation(Job job) {
    return Optional.ofNullable(parameters(job.id()).get("generation"));
  }

  /**
   * Ends a flow's job where a savepoint was taken, beside its checkpoints unless told otherwise.
   *
   * @param directory reached by all of the cluster; null for that of the job's checkpoints, or if
   *     that is the cluster's, for the one that the cluster has for savepoints
   * @return where the savepoint is, for {@code --savepointPath}
   */
  public String stop(Job job, @Nullable String directory) {
    return stopWithSavepoint(
        job.id(),
        directory == null ? parameters(job.id()).get("stateBackendStoragePath") : directory);
  }

  /** Whether checkpoints of jobs that do not say where have a place where they outlive a crash. */
  boolean hasCheckpointDirectory() {
    return setting(CheckpointingOptions.CHECKPOINTS_DIRECTORY.key()).isPresent();
  }

  /** Ends a job where a savepoint was taken, and waits for both. */
  String stopWithSavepoint(JobID job, @Nullable String directory) {
    return await(
        client.stopWithSavepoint(job, false, directory, SavepointFormatType.CANONICAL),
        SAVEPOINT_TIMEOUT_SECONDS);
  }

  /** Ends a job at once. */
  public void cancel(JobID job) {
    await(client.cancel(job), TIMEOUT_SECONDS);
  }

  /** What a job's running tasks have counted, summed over subtasks and steps. */
  MetricValues metrics(JobID job) {
    Map<String, Long> counters = new HashMap<>();
    Map<String, Long> gauges = new HashMap<>();
    for (JobVertexDetailsInfo vertex :
        await(client.getJobDetails(job), TIMEOUT_SECONDS).getJobVertexInfos()) {
      JobVertexID id = vertex.getJobVertexID();
      List<String> names =
          metrics(job, id, List.of()).stream()
              .map(AggregatedMetric::getId)
              .filter(name -> name.contains(INFIX))
              .toList();
      for (int from = 0; from < names.size(); from += METRICS_AT_A_TIME) {
        int to = Math.min(names.size(), from + METRICS_AT_A_TIME);
        for (AggregatedMetric metric : metrics(job, id, names.subList(from, to))) {
          String name = metric.getId();
          name = name.substring(name.indexOf(INFIX) + INFIX.length());
          // Flink does not tell the two kinds apart. Of a gauge, the highest of all subtasks.
          counters.merge(name, metric.getSum().longValue(), Long::sum);
          gauges.merge(name, metric.getMax().longValue(), Math::max);
        }
      }
    }
    return new MetricValues(counters, gauges);
  }

  private Collection<AggregatedMetric> metrics(JobID job, JobVertexID vertex, List<String> names) {
    AggregatedSubtaskMetricsParameters parameters = new AggregatedSubtaskMetricsParameters();
    List<MessageParameter<?>> all = new ArrayList<>(parameters.getPathParameters());
    all.addAll(parameters.getQueryParameters());
    for (MessageParameter<?> parameter : all) {
      if (parameter instanceof JobIDPathParameter path) {
        path.resolve(job);
      } else if (parameter instanceof JobVertexIdPathParameter path) {
        path.resolve(vertex);
      } else if (parameter instanceof MetricsFilterParameter filter && !names.isEmpty()) {
        // The client puts them into the address as they are.
        filter.resolve(
            names.stream().map(name -> URLEncoder.encode(name, StandardCharsets.UTF_8)).toList());
      }
    }
    return await(
            client.sendRequest(
                AggregatedSubtaskMetricsHeaders.getInstance(),
                parameters,
                EmptyRequestBody.getInstance()),
            TIMEOUT_SECONDS)
        .getMetrics();
  }

  private <T> T await(CompletableFuture<T> answer, long seconds) {
    try {
      return answer.get(seconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new ClusterException(
          "the Flink cluster at " + address + ": " + firstLine(Failures.describe(e.getCause())),
          e.getCause());
    } catch (TimeoutException e) {
      throw new ClusterException(
          "the Flink cluster at " + address + " has not answered within " + seconds + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException("interrupted while asking the Flink cluster at " + address, e);
    }
  }

  /** The server sends whole stack traces along. */
  private static String firstLine(String message) {
    String line = message.lines().findFirst().orElse("");
    return line.replaceFirst("^\\[?([a-z0-9_]+\\.)+[A-Z]\\w*(Exception|Error): ", "");
  }

  @Override
  public void close() {
    client.close();
  }
}
