package io.widebeam.runner.bench;

import static io.widebeam.runner.shop.ShopSource.Kind.MARIADB;
import static io.widebeam.runner.shop.ShopSource.Kind.POSTGRESQL;
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
    survives(new CrashTrial.Settings(MARIADB, 2, 1, 500, 50, false, List.of()));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void aFlowKilledTwentyTimesEndsEqualToSqlAndNoDocumentGoesBack()
      throws SQLException, InterruptedException {
    survives(new CrashTrial.Settings(MARIADB, 20, 20, 1_000, 100, false, List.of()));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void soDoesOneWithItsStateInRocksDb() throws SQLException, InterruptedException {
    survives(
        new CrashTrial.Settings(
            MARIADB, 8, 8, 2_000, 100, false, List.of("--state-backend=rocksdb")));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void soDoesOneThatReadsPostgres() throws SQLException, InterruptedException {
    // The last kill is of the source.
    survives(new CrashTrial.Settings(POSTGRESQL, 7, 7, 1_000, 100, false, List.of()));
  }

  @Test
  @Tag("slow")
  @Timeout(value = 60, unit = TimeUnit.MINUTES)
  void aLoadThatIsKilledFiveTimesReadsAtMostOneChunkPerReaderAgainEachTime()
      throws SQLException, InterruptedException {
    CrashTrial.Report report =
        survives(new CrashTrial.Settings(MARIADB, 5, 5, 20_000, 100, true, List.of()));

    assertThat(report.readAgain().orElseThrow().atResumes()).hasSize(5);
  }

  private CrashTrial.Report survives(CrashTrial.Settings settings)
      throws SQLException, InterruptedException {
    CrashTrial.Report report = CrashTrial.run(settings, directory, line -> {});

    assertThat(report.faults()).as("seed %d: %s", settings.seed(), report).isEmpty();
    assertThat(report.kills()).isEqualTo(settings.kills());
    assertThat(report.documents()).isPositive();
    assertThat(report.versions()).isGreaterThanOrEqualTo(report.documents());
    return report;
  }
}
