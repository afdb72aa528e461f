package io.widebeam.runner.history;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Documents join the texts that the database takes for equal, and no others. */
class CollationIT {

  @ParameterizedTest(name = "{1} and {2} of {0}")
  @CsvSource({
    "MariaDB, utf8mb4_general_ci, utf8mb4_general_ci",
    "MariaDB, utf8mb4_uca1400_ai_ci, utf8mb4_uca1400_ai_ci",
    "MariaDB, utf8mb4_bin, utf8mb4_bin",
    "MariaDB, latin1_swedish_ci, utf8mb4_general_ci",
    "MariaDB, utf8mb4_general_ci, utf8mb4_bin",
    "Postgres, char, char"
  })
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void textsAreEqualThatTheDatabaseTakesForEqual(
      String kind, String collation, String childCollation) throws Exception {
    CollationRun.play(kind, collation, childCollation, HistoryIT.seed());
  }
}
