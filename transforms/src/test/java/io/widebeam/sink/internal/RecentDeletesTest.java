package io.widebeam.sink.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.bson.BsonInt32;
import org.bson.BsonValue;
import org.junit.jupiter.api.Test;

class RecentDeletesTest {

  private static final BsonValue A = new BsonInt32(1);
  private static final BsonValue B = new BsonInt32(2);
  private static final BsonValue C = new BsonInt32(3);

  private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
  private final RecentDeletes<BsonValue> deletes =
      new RecentDeletes<>(2, Duration.ofMinutes(10), now::get);

  @Test
  void aDeleteOutranksEarlierVersionsOnly() {
    deletes.add(A, 5);
    assertThat(deletes.outranks(A, 4)).isTrue();
    assertThat(deletes.outranks(A, 6)).isFalse();
    assertThat(deletes.outranks(B, 4)).isFalse();
  }

  @Test
  void theHighestDeleteCounts() {
    deletes.add(A, 5);
    deletes.add(A, 3);
    assertThat(deletes.outranks(A, 4)).isTrue();
  }

  @Test
  void aDeleteIsForgottenAfterItsLifetime() {
    deletes.add(A, 5);
    now.addAndGet(Duration.ofMinutes(9).toNanos());
    deletes.add(B, 5);
    now.addAndGet(Duration.ofMinutes(2).toNanos());
    assertThat(deletes.outranks(A, 4)).isFalse();
    assertThat(deletes.outranks(B, 4)).isTrue();
    assertThat(deletes.isEmpty()).isFalse();
    now.addAndGet(Duration.ofMinutes(9).toNanos());
    assertThat(deletes.isEmpty()).isTrue();
  }

  @Test
  void theOldestDeleteMakesRoom() {
    deletes.add(A, 5);
    deletes.add(B, 5);
    deletes.add(A, 6);
    deletes.add(C, 5);
    assertThat(deletes.outranks(B, 4)).isFalse();
    assertThat(deletes.outranks(A, 4)).isTrue();
    assertThat(deletes.outranks(C, 4)).isTrue();
  }
}
