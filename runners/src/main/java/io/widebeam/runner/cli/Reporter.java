package io.widebeam.runner.cli;

import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.state.Checkpoint;
import io.widebeam.runner.state.RunReport;
import io.widebeam.runner.state.RunReport.Load;
import io.widebeam.runner.state.StateDirectory;
import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Leaves a flow's status in its state directory, once a second and every time while it reads its
 * tables, and keeps the directory small.
 */
final class Reporter implements Consumer<FlowStatus> {
  private static final Logger LOG = LoggerFactory.getLogger(Reporter.class);
  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(900);
  private static final int REPORTS_BETWEEN_PRUNING = 10;

  private final String flow;
  private final StateDirectory state;
  private final Instant started = Instant.now();
  private long lastNanos = System.nanoTime() - INTERVAL_NANOS;
  private int reports;

  Reporter(String flow, StateDirectory state) {
    this.flow = flow;
    this.state = state;
  }

  @Override
  public void accept(FlowStatus status) {
    boolean last =
        switch (status.state()) {
          case STARTING, RUNNING -> false;
          case STOPPED, ERROR -> true;
        };
    Load load = Load.of(status.tables());
    long now = System.nanoTime();
    boolean due = now - lastNanos >= INTERVAL_NANOS;
    if (!last && !due && load.done()) {
      return;
    }
    if (due) {
      lastNanos = now;
    }
    try {
      new RunReport(
              flow,
              ProcessHandle.current().pid(),
              started,
              Instant.now(),
              status.state(),
              status.toString(),
              state.checkpoints().stream().findFirst().map(Checkpoint::taken),
              load)
          .write(state.path());
      if ((due && ++reports % REPORTS_BETWEEN_PRUNING == 0) || last) {
        state.prune();
      }
    } catch (IOException | RuntimeException e) {
      // A disk that is full now may not be later, and the flow can run without.
      LOG.warn("cannot report to {}: {}", state.path(), e.toString());
    }
  }
}
