package io.widebeam.runner.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopServers;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RawDrainIT {
  @TempDir private Path directory;

  @Test
  void theRawDrainEndsWithTheLastRow() throws SQLException {
    try (ShopServers servers = ShopServers.start(Integer.getInteger("widebeam.test.orders", 200));
        ChildProcess process = MeasuredProcess.rawDrain(servers, directory)) {
      String done =
          process.awaitLine(line -> line.startsWith(RawDrain.DONE), Duration.ofMinutes(1));
      long millis =
          Long.parseLong(done.substring(RawDrain.DONE.length()))
              - process.startTime().toEpochMilli();
      System.err.printf("%d rows in %d ms%n", servers.totalRows(), millis);
      assertThat(millis).isBetween(1L, 60_000L);
    }
  }
}
