package io.widebeam.runner.launch;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a job on a cluster has counted since it was watched first.
 *
 * <p>Flink's tasks begin to count anew when they are restarted, so a count that fell is added to
 * what it was before. The cluster is asked at most once in {@link #INTERVAL_NANOS}, in the calling
 * thread; while it does not answer, the last values stand.
 */
final class ClusterMetrics {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterMetrics.class);

  static final long INTERVAL_NANOS = 900_000_000L;

  private final Supplier<MetricValues> cluster;
  private final LongSupplier nanoClock;
  private final Map<String, Long> beforeRestarts = new HashMap<>();
  private MetricValues last = MetricValues.NONE;
  private long nextNanos;

  ClusterMetrics(Supplier<MetricValues> cluster, LongSupplier nanoClock) {
    this.cluster = cluster;
    this.nanoClock = nanoClock;
    this.nextNanos = nanoClock.getAsLong();
  }

  synchronized MetricValues read() {
    long now = nanoClock.getAsLong();
    if (now - nextNanos >= 0) {
      try {
        advance(cluster.get());
      } catch (ClusterException e) {
        LOG.debug("no metrics", e);
      }
      nextNanos = now + INTERVAL_NANOS;
    }
    return total();
  }

  private void advance(MetricValues next) {
    last.counters()
        .forEach(
            (name, before) -> {
              if (next.counter(name) < before) {
                beforeRestarts.merge(name, before, Long::sum);
              }
            });
    last = next;
  }

  private MetricValues total() {
    Map<String, Long> counters = new HashMap<>(last.counters());
    beforeRestarts.forEach((name, before) -> counters.merge(name, before, Long::sum));
    return new MetricValues(counters, last.gauges());
  }
}
