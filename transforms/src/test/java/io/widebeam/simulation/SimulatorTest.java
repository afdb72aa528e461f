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
      var e = Simulation.run(scenario, seed, Interference.NONE);
      if (e.isPresent()) {
        failed++;
        if (failed < 10) {
          System.out.println(
              "==== seed "
                  + seed
                  + "\n"
                  + CaseText.of(
                      Shrinker.shrink(
                          new Shrinker.Failing(scenario, seed, e.get()), Interference.NONE)));
        }
      }
    }
    System.out.println(
        failed + " of " + SEEDS + " failed, " + (System.nanoTime() - started) / 1000000 + " ms");
    org.assertj.core.api.Assertions.assertThat(failed).isZero();
  }
}
