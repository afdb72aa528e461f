package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.widebeam.testing.FlakyNetwork;
import io.widebeam.testing.TestMariaDb;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SourceFaultsIT {
  private static TestMariaDb server;

  private String database;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @BeforeEach
  void createTable() throws Exception {
    database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE goods (id INT PRIMARY KEY)",
        "INSERT INTO goods SELECT seq FROM seq_1_to_1000");
  }

  private ConnectorConfiguration through(FlakyNetwork network) {
    return server.connector(database).withPort(Integer.toString(network.port()));
  }

  @Test
  void aServerThatGoesAwayIsReportedAtOnceAndReadOnWhenItIsBack() throws Exception {
    try (FlakyNetwork network = new FlakyNetwork(server.port());
        ReaderProbe probe = new ReaderProbe(through(network))) {
      probe.await(probe::isLoaded);
      long cut = System.nanoTime();
      network.refuse();
      probe.await(probe::isSourceDown);
      assertThat(Duration.ofNanos(System.nanoTime() - cut)).isLessThan(Duration.ofSeconds(5));
      server.execute(database, "INSERT INTO goods VALUES (2000)");
      network.restore();
      probe.await(() -> probe.changes.size() == 1001);
      assertThat(probe.isSourceDown()).isFalse();
    }
  }

  @Test
  void aServerThatFallsSilentIsReportedInSecondsAndReadOnWhenItIsBack() throws Exception {
    try (FlakyNetwork network = new FlakyNetwork(server.port());
        ReaderProbe probe = new ReaderProbe(through(network))) {
      probe.await(probe::isLoaded);
      long cut = System.nanoTime();
      network.swallow();
      probe.await(probe::isSourceDown);
      assertThat(Duration.ofNanos(System.nanoTime() - cut)).isLessThan(Duration.ofSeconds(25));
      server.execute(database, "INSERT INTO goods VALUES (2000)");
      network.restore();
      probe.await(() -> probe.changes.size() == 1001);
    }
  }

  @Test
  void whoGoesOnFromACheckpointWaitsForAServerThatIsDown() throws Exception {
    try (FlakyNetwork network = new FlakyNetwork(server.port())) {
      CdcCheckpoint checkpoint;
      try (ReaderProbe probe = new ReaderProbe(through(network))) {
        probe.await(probe::isLoaded);
        checkpoint = probe.checkpoint();
      }
      network.refuse();
      server.execute(database, "INSERT INTO goods VALUES (2000)");
      try (ReaderProbe probe = new ReaderProbe(through(network), checkpoint)) {
        probe.await(probe::isSourceDown);
        network.restore();
        probe.await(() -> probe.changes.size() == 1);
      }
    }
  }

  @Test
  void aLogThatWasPurgedIsAClearFailureAndNoHole() throws Exception {
    CdcCheckpoint checkpoint;
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      checkpoint = probe.checkpoint();
    }
    server.execute(
        database,
        "INSERT INTO goods VALUES (2000)",
        "FLUSH BINARY LOGS",
        "INSERT INTO goods VALUES (2001)",
        "FLUSH BINARY LOGS",
        "SET GLOBAL slave_connections_needed_for_purge = 0");
    purge();
    try (ReaderProbe probe = new ReaderProbe(server.connector(database), checkpoint)) {
      Throwable failure = catchThrowable(() -> probe.await(() -> !probe.changes.isEmpty()));
      assertThat(failure)
          .isInstanceOf(LogLostException.class)
          .hasMessageContaining(database)
          .hasMessageContaining("have to be loaded anew");
      assertThat(LogLostException.isIn(new IOException("wrapped", failure))).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "MINIMAL | UPDATE wide SET name = 'y' WHERE id = 1",
        "MINIMAL | UPDATE wide SET id = 7 WHERE id = 1",
        "MINIMAL | DELETE FROM wide WHERE id = 1",
        "MINIMAL | INSERT INTO wide (id) VALUES (7)",
        "NOBLOB | UPDATE wide SET name = 'y' WHERE id = 1",
        "NOBLOB | DELETE FROM wide WHERE id = 1"
      })
  void aSessionThatLeavesColumnsOutOfTheLogIsAClearFailure(String image, String change)
      throws Exception {
    server.execute(
        database,
        "CREATE TABLE wide (id INT PRIMARY KEY, name VARCHAR(9), note TEXT, parent INT)",
        "INSERT INTO wide VALUES (1, 'x', 'n', 5)");
    try (ReaderProbe probe = new ReaderProbe(server.connector(database))) {
      probe.await(probe::isLoaded);
      int loaded = probe.changes.size();
      server.execute(database, "SET SESSION binlog_row_image = " + image, change);
      assertThat(catchThrowable(() -> probe.await(() -> probe.changes.size() > loaded)))
          .hasMessageContaining("without all of its columns")
          .hasMessageContaining("binlog_row_image=FULL")
          .hasMessageContaining("load everything anew");
      assertThat(probe.changes).hasSize(loaded);
    }
  }

  /** Throws all of the log away but the last file; the server does not while somebody reads it. */
  private void purge() throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    int files;
    do {
      assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
      files = 0;
      try (Connection connection = server.connect(database);
          Statement statement = connection.createStatement();
          ResultSet row = statement.executeQuery("SHOW BINARY LOGS")) {
        String last = "";
        while (row.next()) {
          last = row.getString(1);
          files++;
        }
        statement.execute("PURGE BINARY LOGS TO '" + last + "'");
      }
    } while (files > 1);
  }
}
