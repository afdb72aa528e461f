package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.Change;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import javax.annotation.Nullable;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.util.CoderUtils;

/** A source's reader, and everything that it has handed out. */
final class ReaderProbe implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  final List<Change> changes = new ArrayList<>();
  private final CdcReader<Change> reader;
  private boolean started;

  ReaderProbe(ConnectorConfiguration configuration) throws IOException {
    this(configuration, null);
  }

  ReaderProbe(ConnectorConfiguration configuration, @Nullable CdcCheckpoint checkpoint)
      throws IOException {
    reader =
        CdcIO.readChanges()
            .withConnectorConfiguration(configuration)
            .source()
            .createReader(null, checkpoint);
  }

  void await(BooleanSupplier condition) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime())
          .as("deadline, after %d changes", changes.size())
          .isLessThan(deadline);
      boolean available = started ? reader.advance() : reader.start();
      started = true;
      if (available) {
        CdcBatch<Change> batch = reader.getCurrent();
        for (int i = 0; i < batch.size(); i++) {
          changes.add(batch.value(i));
        }
      } else {
        Thread.sleep(1);
      }
    }
  }

  boolean isLoaded() {
    return started && !reader.getCheckpointMark().position().clock().held();
  }

  boolean isSourceDown() {
    return reader.isSourceDown();
  }

  /** The reader's checkpoint, as a runner would restore it. */
  CdcCheckpoint checkpoint() throws Exception {
    return CoderUtils.clone(CdcCheckpoint.coder(), reader.getCheckpointMark());
  }

  /** As a runner does once a checkpoint is safe. */
  void finalizeCheckpoint() {
    reader.getCheckpointMark().finalizeCheckpoint();
  }

  @Override
  public void close() {
    reader.close();
  }
}
