package io.widebeam.cdc;

import java.util.Objects;
import javax.annotation.Nullable;

/**
 * Gives changes their event times, and says which times are over. All times are milliseconds since
 * the epoch.
 *
 * <ul>
 *   <li>All rows of the snapshot get one time, and the watermark stays before it until the snapshot
 *       is done.
 *   <li>All rows of a transaction get one time: that of the commit, but never one that the
 *       watermark has reached, nor one in the future. The watermark reaches it only when the whole
 *       transaction is out.
 *   <li>When nothing is left to read, the watermark follows the wall clock.
 * </ul>
 *
 * <p>A later element's time is always greater than the watermark. Not thread-safe.
 */
final class EventClock {

  /**
   * A transaction that is still open after so long without a row is taken to be over: some
   * connectors report a transaction's end only with the next one's beginning.
   */
  static final long TRANSACTION_SILENCE_MILLIS = 2_000;

  /**
   * What a checkpoint keeps of the clock.
   *
   * @param snapshot whether the snapshot is still running
   * @param stamp the last time given to an element
   * @param watermark the watermark
   * @param transaction the open transaction's id, or null if none is open
   */
  record State(boolean snapshot, long stamp, long watermark, @Nullable String transaction) {
    static State fresh(long now) {
      return new State(true, now, now - 1, null);
    }
  }

  private boolean snapshot;
  private long stamp;
  private long watermark;
  private boolean open;
  @Nullable private String transaction;

  EventClock(State state) {
    snapshot = state.snapshot;
    stamp = state.stamp;
    watermark = state.watermark;
    transaction = state.transaction;
    open = transaction != null;
  }

  State state() {
    return new State(snapshot, stamp, watermark, open ? transaction : null);
  }

  boolean inSnapshot() {
    return snapshot;
  }

  long watermark() {
    return watermark;
  }

  /** A snapshot begins, perhaps not the first one. */
  void snapshotStarted(long now) {
    if (!snapshot) {
      snapshot = true;
      open = false;
      stamp = Math.max(Math.max(stamp, watermark + 1), now);
    }
  }

  /** Every row of the snapshot has been given its time. */
  void snapshotDone() {
    if (snapshot) {
      snapshot = false;
      watermark = Math.max(watermark, stamp + 1);
    }
  }

  /** The time of a row of the snapshot. */
  long snapshotRow() {
    return stamp;
  }

  /**
   * The time of a row of the log.
   *
   * @param id the row's transaction, or null if the connector does not say
   */
  long logRow(@Nullable String id, long commitMillis, long now) {
    if (!open || id == null || !Objects.equals(id, transaction)) {
      stamp = Math.max(Math.max(stamp, watermark + 1), Math.min(commitMillis, now));
      watermark = Math.max(watermark, stamp - 1);
      transaction = id;
      open = true;
    }
    return stamp;
  }

  void transactionEnded() {
    open = false;
  }

  /** Nothing is left to read at the moment, and has not been for a while. */
  void idle(long now, long silentMillis) {
    if (snapshot || (open && silentMillis < TRANSACTION_SILENCE_MILLIS)) {
      return;
    }
    open = false;
    watermark = Math.max(watermark, Math.max(stamp, now));
  }
}
