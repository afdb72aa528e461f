package io.widebeam.simulation;

import org.junit.jupiter.api.Test;

class SimulatorTest {
  private static final int SEEDS = Integer.getInteger("widebeam.seeds", 200);
  private static final long FIRST = Long.getLong("widebeam.seed", 1);

  @Test
  void anyHistoryOfAnyViewEndsEqualToTheJoin() {
    long started = System.nanoTime();
    int failed = 0;
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Scenario scenario = RandomScenarios.of(seed);
      try {
        new Simulation(scenario, seed, Interference.NONE).run();
      } catch (RuntimeException e) {
        if (e.getMessage().contains("keys that have state")) {
          continue;
        }
        failed++;
        if (failed < 10) {
          System.out.println(
              "seed "
                  + seed
                  + " crashes "
                  + scenario.crashes()
                  + " dup "
                  + scenario.duplicates()
                  + ": "
                  + e.getMessage());
          if (!(e instanceof SimulationFailure)) e.printStackTrace(System.out);
        }
      }
    }
    System.out.println(
        failed + " of " + SEEDS + " failed, " + (System.nanoTime() - started) / 1000000 + " ms");
    org.assertj.core.api.Assertions.assertThat(failed).isZero();
  }
}
