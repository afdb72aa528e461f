package io.widebeam.runner.history;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same random histories on every kind of source and on both runners. */
class HistoryIT {

  @ParameterizedTest(name = "{0} on {1}")
  @CsvSource({
    "MariaDB, FlinkRunner, 4, 100",
    "MariaDB, DirectRunner, 2, 20",
    "Postgres, FlinkRunner, 4, 100",
    "Postgres, DirectRunner, 2, 20"
  })
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void theDocumentsEndAsTheDatabaseJoins(String kind, String runner, int rounds, int transactions)
      throws Exception {
    HistoryRun.play(kind, runner, rounds, transactions, seed());
  }

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void aViewOfTwoDatabasesOfDifferentKindsEndsAsBothOfThemTogether() throws Exception {
    HistoryRun.playAcross("MariaDB", "Postgres", "FlinkRunner", seed());
  }

  static long seed() {
    return Long.getLong("history.seed", randomSeed());
  }

  private static long randomSeed() {
    return ThreadLocalRandom.current().nextLong(1_000_000_000);
  }
}
