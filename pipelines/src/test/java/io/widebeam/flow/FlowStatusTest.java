package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

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
            List.of());

    assertThat(status)
        .hasToString(
            "job current status is: running, qps is: 3521.2, total rows: 99441, delay is: 332ms");
  }

  @Test
  void saysSoWhenNoDelayIsKnownYet() {
    FlowStatus status =
        new FlowStatus(FlowStatus.State.STARTING, 0, 0, Optional.empty(), List.of());

    assertThat(status)
        .hasToString(
            "job current status is: starting, qps is: 0.0, total rows: 0, delay is: unknown");
  }
}
