package io.widebeam.runner.launch;

import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.DeadLetters;
import io.widebeam.flow.FlowStatus.TableProgress;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.PlannedFlow.PlannedReader;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.TableDescription;
import io.widebeam.sink.internal.OutageLog;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Turns a pipeline's metrics into a flow's status. */
final class StatusMeter {
  /** Over how long the rate is taken: long enough that a batch more or less does not show. */
  private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final List<PlannedSource> sources;
  private final List<PlannedReader> readers;
  private final Optional<String> deadLetters;
  private final long documentsBefore;
  private final LongSupplier nanoClock;
  private final Deque<Reading> readings = new ArrayDeque<>();

  private record Reading(long nanos, long changes) {}

  /**
   * @param documentsBefore how many documents the targets had when the run began
   */
  StatusMeter(PlannedFlow flow, long documentsBefore, LongSupplier nanoClock) {
    this.sources = flow.sources();
    this.readers = flow.readers();
    this.deadLetters =
        flow.deadLetters().map(target -> target.database() + "." + target.collection());
    this.documentsBefore = documentsBefore;
    this.nanoClock = nanoClock;
    readings.add(new Reading(nanoClock.getAsLong(), 0));
  }

  FlowStatus read(FlowStatus.State state, MetricValues metrics) {
    OptionalLong delay = metrics.gauge("delayMillis");
    return new FlowStatus(
        state,
        rate(metrics.counter("changes")),
        documentsBefore
            + metrics.counter("documentsInserted")
            - metrics.counter("documentsDeleted")
            - metrics.counter("documentsSwept"),
        delay.isPresent() ? Optional.of(Duration.ofMillis(delay.getAsLong())) : Optional.empty(),
        progress(metrics),
        readers.stream()
            .filter(reader -> metrics.gauge("sourceDown." + reader.name()).orElse(0) == 1)
            .map(reader -> reader.source().connection())
            .distinct()
            .toList(),
        OutageLog.current(),
        deadLetters.map(collection -> new DeadLetters(metrics.counter("deadLetters"), collection)));
  }

  boolean isLive(MetricValues metrics) {
    return readers.stream()
        .allMatch(reader -> metrics.gauge("live." + reader.name()).orElse(0) == 1);
  }

  private synchronized double rate(long changes) {
    long now = nanoClock.getAsLong();
    readings.addLast(new Reading(now, changes));
    while (readings.size() > 2 && now - readings.peekFirst().nanos() > WINDOW_NANOS) {
      readings.removeFirst();
    }
    Reading oldest = readings.getFirst();
    long nanos = now - oldest.nanos();
    return nanos <= 0 ? 0 : (changes - oldest.changes()) * 1e9 / nanos;
  }

  private List<TableProgress> progress(MetricValues metrics) {
    List<TableProgress> tables = new ArrayList<>();
    for (PlannedSource source : sources) {
      for (TableDescription table : source.tables()) {
        List<PlannedReader> readersOfTable =
            readers.stream().filter(reader -> reader.source().tables().contains(table)).toList();
        List<PlannedReader> loading =
            readersOfTable.stream()
                .filter(reader -> metrics.gauge("snapshotDone." + reader.name()).orElse(0) == 0)
                .toList();
        long before =
            (loading.isEmpty() ? readersOfTable : loading)
                .stream()
                    .map(reader -> "rowsBefore." + reader.name() + "." + table.id().name())
                    .mapToLong(gauge -> metrics.gauge(gauge).orElse(0))
                    .sum();
        long read = before + metrics.counter("snapshotRows." + table.id().name());
        // What was expected may have been an estimate; what the finished snapshot read is not.
        long expected = loading.isEmpty() ? read : loading.size() * table.rows();
        tables.add(new TableProgress(table.id(), read, before, expected));
      }
    }
    return tables;
  }
}
