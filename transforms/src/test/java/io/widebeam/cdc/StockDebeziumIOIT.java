package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.debezium.relational.history.AbstractSchemaHistory;
import io.debezium.relational.history.HistoryRecord;
import io.widebeam.testing.TestMariaDb;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.beam.io.debezium.DebeziumIO;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.io.debezium.SourceRecordJson;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.jupiter.api.Test;

/** Why {@link CdcIO} exists: what Beam's own source does with a live database. */
class StockDebeziumIOIT {

  /**
   * A poll that finds nothing ends the source's loop, and the connector with it. A second later the
   * next one starts, connects, polls once, and ends. What changes between two of them comes late
   * or, when a connector needs longer to start than one poll waits, never; a snapshot that takes
   * longer than a poll to begin starts over for ever. Connectors whose poll answers null instead of
   * an empty list stop the source for good, without an error.
   */
  @Test
  void startsItsConnectorAgainAndAgainWhenThereIsNothingToRead() throws Exception {
    TestMariaDb server = TestMariaDb.shared();
    String database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(12,2))",
        "INSERT INTO orders VALUES (1, 1)");
    PipelineResult result =
        run(
            server
                .connector(database)
                // What lets it run on Debezium 3 at all.
                .withConnectionProperty("database.history", "unused")
                .withConnectionProperty("database.server.id", "4711")
                .withConnectionProperty(
                    "schema.history.internal", CountingHistory.class.getName()));
    try {
      long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
      while (CountingHistory.STARTS.get() < 3) {
        assertThat(System.nanoTime()).as("deadline").isLessThan(deadline);
        Thread.sleep(50);
      }
    } finally {
      result.cancel();
    }
  }

  private static PipelineResult run(ConnectorConfiguration configuration) {
    DirectOptions options = PipelineOptionsFactory.as(DirectOptions.class);
    options.setBlockOnRun(false);
    Pipeline pipeline = Pipeline.create(options);
    pipeline.apply(
        DebeziumIO.<String>read()
            .withConnectorConfiguration(configuration)
            .withFormatFunction(new SourceRecordJson.SourceRecordJsonMapper())
            .withCoder(StringUtf8Coder.of()));
    return pipeline.run();
  }

  /** Counts the connectors; keeps its records, as a topic would, from one to the next. */
  public static final class CountingHistory extends AbstractSchemaHistory {
    static final AtomicInteger STARTS = new AtomicInteger();
    private static final List<HistoryRecord> RECORDS = new CopyOnWriteArrayList<>();

    @Override
    public void start() {
      super.start();
      STARTS.incrementAndGet();
    }

    @Override
    protected void storeRecord(HistoryRecord record) {
      RECORDS.add(record);
    }

    @Override
    protected void recoverRecords(Consumer<HistoryRecord> records) {
      RECORDS.forEach(records);
    }

    @Override
    public boolean exists() {
      return !RECORDS.isEmpty();
    }

    @Override
    public boolean storageExists() {
      return true;
    }
  }
}
