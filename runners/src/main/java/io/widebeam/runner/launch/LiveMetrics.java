package io.widebeam.runner.launch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/**
 * Reads a Flink job's Beam metrics while the job runs in this JVM.
 *
 * <p>The Flink runner fills Beam's own metric results only when a job ends; until then the values
 * go to Flink's metric groups, so this reporter keeps hold of them there. A job in another process
 * has none here.
 */
public final class LiveMetrics implements MetricReporter {
  /** Makes the reporter; Flink finds it by its class name in the job's configuration. */
  public static final class Factory implements MetricReporterFactory {
    @Override
    public MetricReporter createMetricReporter(Properties properties) {
      return new LiveMetrics();
    }
  }

  private static final String PREFIX = MetricValues.NAMESPACE + ".";
  private static final Map<String, JobMetrics> JOBS = new ConcurrentHashMap<>();

  private LiveMetrics() {}

  /** The values of one job, by its Flink id; empty if no such job ran in this JVM. */
  static MetricValues of(String jobId) {
    JobMetrics metrics = JOBS.get(jobId);
    return metrics == null ? MetricValues.NONE : metrics.values();
  }

  /** Lets go of an ended job's values. */
  static void forget(String jobId) {
    JOBS.remove(jobId);
  }

  @Override
  public void open(MetricConfig config) {}

  @Override
  public void close() {}

  @Override
  public void notifyOfAddedMetric(Metric metric, String metricName, MetricGroup group) {
    if (metricName.startsWith(PREFIX)) {
      JOBS.computeIfAbsent(jobId(group), unused -> new JobMetrics())
          .add(metricName.substring(PREFIX.length()), metric);
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String metricName, MetricGroup group) {
    JobMetrics job = JOBS.get(jobId(group));
    if (job != null) {
      job.retire(metric);
    }
  }

  private static String jobId(MetricGroup group) {
    return group.getAllVariables().getOrDefault("<job_id>", "");
  }

  private static final class JobMetrics {
    private final List<Tracked> live = new ArrayList<>();

    // What operators that are closed by now counted, so that a finished job keeps its totals.
    private final Map<String, Long> retiredCounters = new HashMap<>();
    private final Map<String, Long> gauges = new HashMap<>();

    synchronized void add(String name, Metric metric) {
      live.add(new Tracked(name, metric));
    }

    synchronized void retire(Metric metric) {
      live.stream()
          .filter(tracked -> tracked.metric == metric && metric instanceof Counter)
          .forEach(
              tracked ->
                  retiredCounters.merge(tracked.name, ((Counter) metric).getCount(), Long::sum));
      live.removeIf(tracked -> tracked.metric == metric);
    }

    synchronized MetricValues values() {
      Map<String, Long> counters = new HashMap<>(retiredCounters);
      for (Tracked tracked : live) {
        if (tracked.metric instanceof Counter counter) {
          counters.merge(tracked.name, counter.getCount(), Long::sum);
        } else if (tracked.metric instanceof Gauge<?> gauge
            && gauge.getValue() instanceof Long value
            && !value.equals(tracked.lastValue)) {
          // Parallel operators each have a gauge of the name: the one that moved last is the news.
          tracked.lastValue = value;
          gauges.put(tracked.name, value);
        }
      }
      return new MetricValues(counters, gauges);
    }
  }

  private static final class Tracked {
    private final String name;
    private final Metric metric;
    private Long lastValue;

    Tracked(String name, Metric metric) {
      this.name = name;
      this.metric = metric;
    }
  }
}
