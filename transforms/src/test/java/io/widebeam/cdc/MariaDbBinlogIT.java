package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.widebeam.testing.TestDatabase;
import io.widebeam.testing.TestMariaDb;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MariaDbBinlogIT extends BinlogContract {
  private static TestMariaDb server;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @Override
  TestDatabase server() {
    return server;
  }

  @Override
  String lastTransaction() throws SQLException {
    return query("SELECT @@gtid_binlog_pos");
  }

  @Test
  void rowsThatTheServerCompressesAreAClearFailure() throws Exception {
    try (ReaderProbe probe = new ReaderProbe(connector())) {
      probe.await(probe::isLoaded);
      server.execute(database, "SET GLOBAL log_bin_compress = 1");
      try {
        server.execute(
            database,
            "INSERT INTO goods VALUES (3, REPEAT('long ', 200))",
            "INSERT INTO goods VALUES (4, 'd')");
      } finally {
        server.execute(database, "SET GLOBAL log_bin_compress = 0");
      }
      assertThat(catchThrowable(() -> probe.await(() -> probe.changes.size() > 2)))
          .hasMessageContaining("log_bin_compress=OFF")
          .hasMessageContaining("load everything anew");
      assertThat(probe.changes).hasSize(2);
    }
  }
}
