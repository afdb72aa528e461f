package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.debezium.relational.history.MemorySchemaHistory;
import io.widebeam.testing.TestMariaDb;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.beam.io.debezium.DebeziumIO;
import org.apache.beam.io.debezium.SourceRecordJson;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Why {@link CdcIO} exists: what Beam's own source does with a live database. */
class StockDebeziumIOIT {
  private static final Queue<String> RECORDS = new ConcurrentLinkedQueue<>();

  private TestMariaDb server;
  private String database;

  @BeforeEach
  void createTable() throws Exception {
    RECORDS.clear();
    server = TestMariaDb.shared();
    database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE orders (id INT PRIMARY KEY, total DECIMAL(12,2))",
        "INSERT INTO orders SELECT seq, seq FROM seq_1_to_3000");
  }

  @Test
  void readsTheSnapshotAndThenNothingEverAgain() throws Exception {
    PipelineResult result = run();
    try {
      await(() -> RECORDS.size() >= 3_000);
      // Idle for a moment, and the source has stopped for good, without an error.
      Thread.sleep(3_000);
      int snapshot = RECORDS.size();
      server.execute(database, "UPDATE orders SET total = 0 WHERE id <= 10");
      Thread.sleep(5_000);
      assertThat(RECORDS).hasSize(snapshot);
    } finally {
      result.cancel();
    }
  }

  private static final class Collect extends DoFn<String, Void> {
    @ProcessElement
    public void process(@Element String record) {
      RECORDS.add(record);
    }
  }

  private PipelineResult run() {
    DirectOptions options = PipelineOptionsFactory.as(DirectOptions.class);
    options.setBlockOnRun(false);
    Pipeline pipeline = Pipeline.create(options.as(PipelineOptions.class));
    pipeline
        .apply(
            DebeziumIO.<String>read()
                .withConnectorConfiguration(
                    server
                        .connector(database)
                        .withConnectionProperty("database.history", "unused")
                        .withConnectionProperty("database.server.id", "4711")
                        .withConnectionProperty(
                            "schema.history.internal", MemorySchemaHistory.class.getName()))
                .withFormatFunction(new SourceRecordJson.SourceRecordJsonMapper())
                .withCoder(StringUtf8Coder.of()))
        .apply(ParDo.of(new Collect()));
    return pipeline.run();
  }

  private static void await(java.util.function.BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("deadline, %d records", RECORDS.size()).isLessThan(deadline);
      Thread.sleep(20);
    }
  }
}
