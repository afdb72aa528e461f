package io.widebeam.runner.history;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link CollationIT} of MySQL. */
@Tag("slow")
class CollationSlowIT {

  @ParameterizedTest(name = "{0} and {1}")
  @CsvSource({
    "utf8mb4_0900_ai_ci, utf8mb4_0900_ai_ci",
    "utf8mb4_general_ci, utf8mb4_general_ci",
    "utf8mb4_0900_bin, utf8mb4_0900_ai_ci",
    "utf8mb3_unicode_ci, latin1_swedish_ci"
  })
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void textsAreEqualThatMySqlTakesForEqual(String collation, String childCollation)
      throws Exception {
    CollationRun.play("MySQL", collation, childCollation, HistoryIT.seed());
  }
}
