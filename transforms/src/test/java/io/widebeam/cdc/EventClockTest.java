package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventClockTest {
  private static final long NOW = 1_000_000;

  private final EventClock clock = new EventClock(EventClock.State.fresh(NOW));

  @Test
  void theClockIsHeldBeforeTheLoadUntilItIsDone() {
    long snapshot = clock.heldRow();
    clock.idle(NOW + 60_000, 60_000);
    assertThat(clock.heldRow()).isEqualTo(snapshot);
    assertThat(clock.watermark()).isLessThan(snapshot);
    assertThat(clock.state().held()).isTrue();
    clock.catchUpStarted(NOW + 70_000);
    assertThat(clock.heldRow()).as("the log of the load has its time").isEqualTo(snapshot);
    assertThat(clock.state().held()).isTrue();
    clock.caughtUp(NOW);
    assertThat(clock.state().held()).isFalse();
    assertThat(clock.watermark())
        .as("beyond the timers of any number of stages")
        .isGreaterThanOrEqualTo(snapshot + EventClock.RELEASE_MILLIS);
  }

  @Test
  void aClockThatCatchesUpGivesOneTimeThatIsLaterThanAll() {
    clock.caughtUp(NOW);
    long last = clock.logRow("t1", NOW + 100, NOW + 150);
    EventClock resumed = new EventClock(clock.state());
    resumed.catchUpStarted(NOW + 50);
    long held = resumed.heldRow();
    assertThat(held).isGreaterThanOrEqualTo(last);
    EventClock again = new EventClock(resumed.state());
    again.catchUpStarted(NOW + 90_000);
    assertThat(again.heldRow()).as("resumed while it was held").isEqualTo(held);
    again.caughtUp(NOW);
    assertThat(again.logRow("t1", NOW + 100, NOW + 150)).isGreaterThan(held);
  }

  @Test
  void aTransactionHasOneTimeWhichTheWatermarkReachesWhenItIsOut() {
    clock.caughtUp(NOW);
    long first = clock.logRow("t1", NOW + 100, NOW + 150);
    assertThat(first).isEqualTo(NOW + 100);
    clock.idle(NOW + 200, 50);
    assertThat(clock.watermark()).isLessThan(first);
    assertThat(clock.logRow("t1", NOW + 180, NOW + 250)).isEqualTo(first);
    clock.transactionEnded();
    clock.idle(NOW + 300, 0);
    assertThat(clock.watermark()).isEqualTo(NOW + 300);
  }

  @Test
  void aLateTransactionIsStampedAboveTheWatermark() {
    clock.caughtUp(NOW);
    clock.idle(NOW + 5_000, 5_000);
    assertThat(clock.logRow("t1", NOW + 10, NOW + 5_001)).isGreaterThan(NOW + 5_000);
  }

  @Test
  void aCommitTimeInTheFutureDoesNotMoveTheClockThere() {
    clock.caughtUp(NOW);
    assertThat(clock.logRow("t1", Long.MAX_VALUE, NOW + 100)).isEqualTo(NOW + 100);
  }

  @Test
  void aTransactionWhoseEndIsNeverReportedDoesNotHoldTheWatermarkForEver() {
    clock.caughtUp(NOW);
    long stamp = clock.logRow("t1", NOW + 10, NOW + 10);
    clock.idle(NOW + 3_000, EventClock.TRANSACTION_SILENCE_MILLIS - 1);
    assertThat(clock.watermark()).isLessThan(stamp);
    clock.idle(NOW + 3_000, EventClock.TRANSACTION_SILENCE_MILLIS);
    assertThat(clock.watermark()).isEqualTo(NOW + 3_000);
  }

  @Test
  void timeNeverRunsBackEvenIfTheWallClockDoes() {
    clock.caughtUp(NOW);
    clock.idle(NOW + 9_000, 9_000);
    clock.idle(NOW, 10_000);
    assertThat(clock.watermark()).isEqualTo(NOW + 9_000);
    assertThat(clock.logRow("t1", NOW, NOW)).isGreaterThan(NOW + 9_000);
  }

  @Test
  void aRestoredClockGoesOnWithinTheTransaction() {
    clock.caughtUp(NOW);
    long stamp = clock.logRow("t1", NOW + 10, NOW + 10);
    EventClock restored = new EventClock(clock.state());
    assertThat(restored.watermark()).isEqualTo(clock.watermark());
    assertThat(restored.logRow("t1", NOW + 90, NOW + 90)).isEqualTo(stamp);
    assertThat(restored.logRow("t2", NOW + 90, NOW + 90)).isEqualTo(NOW + 90);
  }

  @Test
  void aLaterSnapshotHoldsTheWatermarkAgain() {
    clock.caughtUp(NOW);
    clock.idle(NOW + 1_000, 1_000);
    clock.loadStarted(NOW + 2_000);
    clock.idle(NOW + 3_000, 1_000);
    assertThat(clock.watermark()).isEqualTo(NOW + 1_000);
    assertThat(clock.heldRow()).isGreaterThan(clock.watermark());
  }
}
