package io.widebeam.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.widebeam.simulation.Simulator.Outcome;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** 200 seeds, or as many as {@code -Dwidebeam.seeds} says; 1,000 in the profile {@code slow}. */
class RollupSimulatorTest {
  private static final int SEEDS = Integer.getInteger("widebeam.seeds", 200);
  private static final long FIRST = Long.getLong("widebeam.seed", 1);

  @Test
  void anyHistoryOfAnyRollupEndsEqualToTheGrouping() {
    assertAllEqual(Simulator.ofRandomRollups(), SEEDS);
  }

  @Test
  @Tag("slow")
  void aThousandHistoriesEndEqualToTheGrouping() {
    assertAllEqual(Simulator.ofRandomRollups(), 1000);
  }

  private static void assertAllEqual(Simulator simulator, int seeds) {
    long crashes = 0;
    for (long seed = FIRST; seed < FIRST + seeds; seed++) {
      Outcome outcome = simulator.run(seed);
      crashes += outcome.crashes();
      if (outcome.failure().isPresent()) {
        fail(
            ("seed %d; again with ./mvnw test -pl transforms -Dtest=RollupSimulatorTest#anyHistory*"
                    + " -Dwidebeam.seed=%d -Dwidebeam.seeds=1%n%s")
                .formatted(seed, seed, simulator.smallestCase(outcome)));
      }
    }
    assertThat(crashes).as("crashes").isGreaterThanOrEqualTo(seeds / 4);
  }
}
