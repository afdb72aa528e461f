package io.widebeam.runner.history;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Longer histories than {@link HistoryIT}'s, and those of a server of hundreds of megabytes. */
@Tag("slow")
class HistorySlowIT {

  @ParameterizedTest(name = "{0} on {1}")
  @CsvSource({
    "MySQL, FlinkRunner, 20, 200",
    "MySQL, DirectRunner, 4, 40",
    "MariaDB, FlinkRunner, 20, 200",
    "Postgres, FlinkRunner, 20, 200"
  })
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void theDocumentsEndAsTheDatabaseJoins(String kind, String runner, int rounds, int transactions)
      throws Exception {
    HistoryRun.play(kind, runner, rounds, transactions, HistoryIT.seed());
  }

  @Test
  @Timeout(value = 20, unit = TimeUnit.MINUTES)
  void aViewOfTwoDatabasesOfDifferentKindsEndsAsBothOfThemTogether() throws Exception {
    HistoryRun.playAcross("Postgres", "MySQL", "FlinkRunner", HistoryIT.seed());
  }
}
