package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.FlowStatus.DeadLetters;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FlowStatusTest {
  @Test
  void readsAsOneLine() {
    FlowStatus status =
        new FlowStatus(
            FlowStatus.State.RUNNING,
            3521.2,
            99_441,
            Optional.of(Duration.ofMillis(332)),
            List.of(),
            List.of(),
            List.of(),
            Optional.of(new DeadLetters(0, "ecommerce.letters")));

    assertThat(status)
        .hasToString(
            "job current status is: running, qps is: 3521.2, total rows: 99441, delay is: 332ms");
  }

  @Test
  void saysHowManyDeadLettersThereAreAndWhere() {
    FlowStatus status =
        new FlowStatus(
            FlowStatus.State.RUNNING,
            0,
            1,
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(),
            Optional.of(new DeadLetters(3, "ecommerce.letters")));

    assertThat(status.toString()).endsWith("unknown, dead letters: 3 -> ecommerce.letters");
  }

  @Test
  void saysWhichSourcesCannotBeReachedAndWhichTargetsTakeNoWrites() {
    FlowStatus status =
        new FlowStatus(
            FlowStatus.State.RUNNING,
            0,
            1,
            Optional.empty(),
            List.of(),
            List.of("Shop", "Depot"),
            List.of("sales at Warehouse"),
            Optional.empty());

    assertThat(status.toString())
        .endsWith("unknown, cannot reach: Shop, Depot, waiting for: sales at Warehouse");
  }

  @Test
  void saysSoWhenNoDelayIsKnownYet() {
    FlowStatus status =
        new FlowStatus(
            FlowStatus.State.STARTING,
            0,
            0,
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(),
            Optional.empty());

    assertThat(status)
        .hasToString(
            "job current status is: starting, qps is: 0.0, total rows: 0, delay is: unknown");
  }
}
