package io.widebeam.runner.launch;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.beam.sdk.metrics.GaugeResult;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricQueryResults;
import org.apache.beam.sdk.metrics.MetricResult;
import org.apache.beam.sdk.metrics.MetricResults;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.joda.time.Instant;

/**
 * What a pipeline has counted so far, summed over its steps.
 *
 * @param counters counts by metric name
 * @param gauges the newest value by metric name
 */
record MetricValues(Map<String, Long> counters, Map<String, Long> gauges) {
  static final String NAMESPACE = "widebeam";
  static final MetricValues NONE = new MetricValues(Map.of(), Map.of());

  MetricValues {
    counters = Map.copyOf(counters);
    gauges = Map.copyOf(gauges);
  }

  /** Reads the attempted values: what has been done, whether or not it is durable. */
  static MetricValues of(MetricResults results) {
    MetricQueryResults all =
        results.queryMetrics(
            MetricsFilter.builder().addNameFilter(MetricNameFilter.inNamespace(NAMESPACE)).build());
    Map<String, Long> counters = new HashMap<>();
    for (MetricResult<Long> counter : all.getCounters()) {
      counters.merge(counter.getName().getName(), counter.getAttempted(), Long::sum);
    }
    Map<String, Long> gauges = new HashMap<>();
    Map<String, Instant> gaugeTimes = new HashMap<>();
    for (MetricResult<GaugeResult> result : all.getGauges()) {
      GaugeResult gauge = result.getAttempted();
      String name = result.getName().getName();
      Instant newest = gaugeTimes.get(name);
      if (newest == null || gauge.getTimestamp().isAfter(newest)) {
        gaugeTimes.put(name, gauge.getTimestamp());
        gauges.put(name, gauge.getValue());
      }
    }
    return new MetricValues(counters, gauges);
  }

  /** The counter's value; 0 before it first counts. */
  long counter(String name) {
    Long value = counters.get(name);
    return value == null ? counters.getOrDefault(asFlinkTells(name), 0L) : value;
  }

  /** The gauge's value, once it has one. */
  OptionalLong gauge(String name) {
    Long value = gauges.getOrDefault(name, gauges.get(asFlinkTells(name)));
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** Flink's REST interface has names without what separates their parts elsewhere. */
  private static String asFlinkTells(String name) {
    return name.replaceAll("[ .:,]", "_");
  }
}
