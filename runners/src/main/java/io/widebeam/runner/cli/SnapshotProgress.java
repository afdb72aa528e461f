package io.widebeam.runner.cli;

import io.widebeam.flow.FlowStatus.TableProgress;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;

/** Shows how far a snapshot has come: a bar for each table, or now and then a line. */
sealed interface SnapshotProgress extends AutoCloseable {
  void show(List<TableProgress> tables);

  @Override
  void close();

  static SnapshotProgress on(PrintWriter err) {
    return Terminal.onStandardError() ? new Bars() : new Lines(err, System.nanoTime());
  }

  /** For people at a terminal. */
  final class Bars implements SnapshotProgress {
    private static final int REFRESH_MILLIS = 200;

    private final Map<String, ProgressBar> bars = new LinkedHashMap<>();

    @Override
    public void show(List<TableProgress> tables) {
      for (TableProgress table : tables) {
        bars.computeIfAbsent(table.table().name(), name -> bar(name, table.rowsExpected()))
            .maxHint(Math.max(table.rowsExpected(), table.rowsRead()))
            .stepTo(table.rowsRead());
      }
    }

    private static ProgressBar bar(String name, long rows) {
      return new ProgressBarBuilder()
          .setTaskName(name)
          .setInitialMax(rows)
          .setUpdateIntervalMillis(REFRESH_MILLIS)
          .setUnit(" rows", 1)
          .showSpeed()
          .build();
    }

    @Override
    public void close() {
      bars.values().forEach(ProgressBar::close);
    }
  }

  /** For logs and pipes. */
  final class Lines implements SnapshotProgress {
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintWriter err;
    private long lastNanos;
    private String last = "";

    Lines(PrintWriter err, long nowNanos) {
      this.err = err;
      this.lastNanos = nowNanos;
    }

    @Override
    public void show(List<TableProgress> tables) {
      last =
          tables.stream()
              .map(
                  table ->
                      String.format(
                          Locale.ROOT,
                          "%s %,d of %,d",
                          table.table().name(),
                          table.rowsRead(),
                          table.rowsExpected()))
              .collect(Collectors.joining(", ", "snapshot: ", ""));
      if (System.nanoTime() - lastNanos >= INTERVAL_NANOS) {
        print();
      }
    }

    private void print() {
      lastNanos = System.nanoTime();
      err.println(last);
      err.flush();
    }

    @Override
    public void close() {
      if (!last.isEmpty()) {
        print();
      }
    }
  }
}
