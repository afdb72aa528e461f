package io.widebeam.cdc;

import java.util.Objects;
import javax.annotation.Nullable;

/**
 * Gives changes their event times, and says which times are over. All times are milliseconds since
 * the epoch.
 *
 * <ul>
 *   <li>All rows of the load get one time, and so do the changes that the log has of the time it
 *       took. Until these are read, the source is <em>held</em>: its watermark says nothing at all.
 *   <li>A source that goes on from a checkpoint is held likewise, until the log has been read to
 *       where it ended then: whoever was given changes after the checkpoint and lost what they knew
 *       of them must not act before they know it again.
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
   * How far the watermark goes on beyond what was held, at least: each stage lets go of it a
   * millisecond after the one before.
   */
  static final long RELEASE_MILLIS = 50;

  /**
   * What a checkpoint keeps of the clock.
   *
   * @param phase what is being read
   * @param stamp the last time given to an element
   * @param watermark the watermark
   * @param transaction the open transaction's id, or null if none is open
   */
  record State(Phase phase, long stamp, long watermark, @Nullable String transaction) {
    static State fresh(long now) {
      return new State(Phase.LOAD, now, now - 1, null);
    }

    /** A time for something more, that is not over and does not run back. */
    long nextTime() {
      return Math.max(stamp, watermark + 1);
    }

    /** Whether the watermark must not be told to anybody yet. */
    boolean held() {
      return phase != Phase.LIVE;
    }
  }

  /** What is being read. In checkpoints by its name. */
  enum Phase {
    /** The tables' rows, or their snapshot. */
    LOAD,
    /** What the log has of the time of the load, or of that since the checkpoint. */
    CATCH_UP,
    /** The log as it grows. */
    LIVE
  }

  private Phase phase;
  private long stamp;
  private long watermark;
  private boolean open;
  @Nullable private String transaction;

  EventClock(State state) {
    phase = state.phase;
    stamp = state.stamp;
    watermark = state.watermark;
    transaction = state.transaction;
    open = transaction != null;
  }

  State state() {
    return new State(phase, stamp, watermark, open ? transaction : null);
  }

  Phase phase() {
    return phase;
  }

  /** The watermark as it will be when the source is not held. */
  long watermark() {
    return watermark;
  }

  /** A load begins, perhaps not the first one. */
  void loadStarted(long now) {
    hold(Phase.LOAD, now);
  }

  /** The log has to be read to where it ends now. */
  void catchUpStarted(long now) {
    hold(Phase.CATCH_UP, now);
  }

  private void hold(Phase next, long now) {
    if (phase == Phase.LIVE) {
      open = false;
      stamp = Math.max(Math.max(stamp, watermark + 1), now);
    }
    phase = next;
  }

  /**
   * Everything that the source was held for has been given its time. The watermark goes where other
   * sources' have come, too, so that all stages let go of everything in one wave.
   */
  void caughtUp(long now) {
    if (phase != Phase.LIVE) {
      phase = Phase.LIVE;
      watermark = Math.max(Math.max(watermark, now), stamp + RELEASE_MILLIS);
    }
  }

  /** The time of everything that is read while the source is held. */
  long heldRow() {
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
    if (phase != Phase.LIVE || (open && silentMillis < TRANSACTION_SILENCE_MILLIS)) {
      return;
    }
    open = false;
    watermark = Math.max(watermark, Math.max(stamp, now));
  }
}
