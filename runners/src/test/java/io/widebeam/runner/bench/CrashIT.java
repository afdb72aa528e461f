package io.widebeam.runner.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class CrashIT {
  @TempDir private Path directory;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void aFlowKilledTwiceEndsEqualToSqlAndNoDocumentGoesBack()
      throws SQLException, InterruptedException {
    // The first kill is in the load, the second under load.
    survives(new CrashTrial.Settings(2, 1, 500, 50, false, List.of()));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void aFlowKilledTwentyTimesEndsEqualToSqlAndNoDocumentGoesBack()
      throws SQLException, InterruptedException {
    survives(new CrashTrial.Settings(20, 20, 1_000, 100, false, List.of()));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void soDoesOneWithItsStateInRocksDb() throws SQLException, InterruptedException {
    survives(new CrashTrial.Settings(8, 8, 2_000, 100, false, List.of("--state-backend=rocksdb")));
  }

  private void survives(CrashTrial.Settings settings) throws SQLException, InterruptedException {
    CrashTrial.Report report = CrashTrial.run(settings, directory, line -> {});

    assertThat(report.faults()).as("seed %d: %s", settings.seed(), report).isEmpty();
    assertThat(report.kills()).isEqualTo(settings.kills());
    assertThat(report.documents()).isPositive();
    assertThat(report.versions()).isGreaterThanOrEqualTo(report.documents());
  }
}
