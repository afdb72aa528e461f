package io.widebeam.runner.cli;

import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.State;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine;

/**
 * Shows how a running flow is doing, until it ends or is told to stop: the snapshot's progress on
 * standard error, then once a second a line on standard output.
 */
public final class FlowWatch {
  private static final long POLL_MILLIS = 200;
  private static final long STATUS_MILLIS = 1_000;

  private final PrintWriter out;
  private final PrintWriter err;
  private final StopSignal stop;
  private final Consumer<FlowStatus> listener;

  private FlowWatch(
      PrintWriter out, PrintWriter err, StopSignal stop, Consumer<FlowStatus> listener) {
    this.out = out;
    this.err = err;
    this.stop = stop;
    this.listener = listener;
  }

  /** A watch that writes where the command does. */
  public static FlowWatch of(CommandLine command, StopSignal stop) {
    return new FlowWatch(command.getOut(), command.getErr(), stop, status -> {});
  }

  /** The same watch, which also tells every status that it reads. */
  FlowWatch telling(Consumer<FlowStatus> listener) {
    return new FlowWatch(out, err, stop, this.listener.andThen(listener));
  }

  /**
   * Watches until the end, and stops the flow when the signal says so.
   *
   * @return the exit status of a flow that was stopped or finished
   * @throws FlowFailedException if the flow failed
   */
  public int watch(RunningBeamFlow flow) {
    try {
      watchSnapshot(flow);
      watchChanges(flow);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      flow.stop();
    }
    flow.awaitEnd();
    Optional<FlowFailedException> failure = flow.failure();
    if (failure.isPresent()) {
      throw failure.get();
    }
    print(read(flow));
    return CommandLine.ExitCode.OK;
  }

  private void watchSnapshot(RunningBeamFlow flow) throws InterruptedException {
    try (SnapshotProgress progress = SnapshotProgress.on(err)) {
      FlowStatus status = read(flow);
      while (isRunning(status) && inSnapshot(status)) {
        progress.show(status.tables());
        if (stop.await(POLL_MILLIS)) {
          return;
        }
        status = read(flow);
      }
      progress.show(status.tables());
    }
  }

  private void watchChanges(RunningBeamFlow flow) throws InterruptedException {
    FlowStatus status = read(flow);
    while (isRunning(status)) {
      print(status);
      if (stop.await(STATUS_MILLIS)) {
        return;
      }
      status = read(flow);
    }
  }

  private FlowStatus read(RunningBeamFlow flow) {
    FlowStatus status = flow.status();
    listener.accept(status);
    return status;
  }

  private void print(FlowStatus status) {
    out.println(status);
    out.flush();
  }

  private static boolean isRunning(FlowStatus status) {
    return switch (status.state()) {
      case STARTING, RUNNING -> true;
      case STOPPED, ERROR -> false;
    };
  }

  private static boolean inSnapshot(FlowStatus status) {
    return status.state() == State.STARTING
        || status.tables().stream().anyMatch(table -> table.rowsRead() < table.rowsExpected());
  }
}
