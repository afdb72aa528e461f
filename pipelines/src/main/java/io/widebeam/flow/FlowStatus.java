package io.widebeam.flow;

import io.widebeam.change.TableId;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * How a flow is doing.
 *
 * @param rowsPerSecond changes read per second, of late
 * @param totalRows documents and rows in the targets that the flow has written and not deleted
 *     since
 * @param delay from the commit of a change to its write into the target, for the newest change
 *     written; empty until one was
 * @param tables how far the snapshot has come, per table
 * @param sourcesDown the connections that cannot be reached at the moment, and are tried again
 * @param targetsDown the targets that do not take writes at the moment, and are tried again; of a
 *     flow that runs in this process
 * @param deadLetters what could not be processed; empty if that would have ended the flow
 */
public record FlowStatus(
    State state,
    double rowsPerSecond,
    long totalRows,
    Optional<Duration> delay,
    List<TableProgress> tables,
    List<String> sourcesDown,
    List<String> targetsDown,
    Optional<DeadLetters> deadLetters) {

  public FlowStatus {
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(delay, "delay");
    tables = List.copyOf(tables);
    sourcesDown = List.copyOf(sourcesDown);
    targetsDown = List.copyOf(targetsDown);
    Objects.requireNonNull(deadLetters, "deadLetters");
  }

  /** The life of a flow. */
  public enum State {
    STARTING,
    RUNNING,
    STOPPED,
    ERROR;

    /** As people read it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One table's share of the snapshot.
   *
   * @param rowsRead rows that the snapshot has read so far
   * @param rowsBefore those of them that earlier runs have read, if the flow went on from there
   * @param rowsExpected rows that the table had when the flow was planned, which may be an
   *     estimate; exactly {@code rowsRead} once the snapshot is done
   */
  public record TableProgress(TableId table, long rowsRead, long rowsBefore, long rowsExpected) {}

  /**
   * Changes that could not be processed.
   *
   * @param count how many there were since the flow was started; a change that was read twice
   *     counts twice
   * @param collection where they are, with its database
   */
  public record DeadLetters(long count, String collection) {}

  /** One line for people. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "job current status is: %s, qps is: %.1f, total rows: %d, delay is: %s%s%s%s",
        state.label(),
        rowsPerSecond,
        totalRows,
        delay.map(known -> known.toMillis() + "ms").orElse("unknown"),
        sourcesDown.isEmpty() ? "" : ", cannot reach: " + String.join(", ", sourcesDown),
        targetsDown.isEmpty() ? "" : ", waiting for: " + String.join(", ", targetsDown),
        deadLetters
            .filter(letters -> letters.count() > 0)
            .map(
                letters ->
                    String.format(
                        Locale.ROOT,
                        ", dead letters: %d -> %s",
                        letters.count(),
                        letters.collection()))
            .orElse(""));
  }
}
