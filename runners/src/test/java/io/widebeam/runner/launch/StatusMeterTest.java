package io.widebeam.runner.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.State;
import io.widebeam.flow.FlowStatus.TableProgress;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.Secret;
import io.widebeam.flow.TableDescription;
import io.widebeam.view.ViewNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.Test;

class StatusMeterTest {
  private static final TableId ORDERS = new TableId("Shop", "shop", "orders");

  private final AtomicLong nanos = new AtomicLong();
  private final StatusMeter meter =
      new StatusMeter(
          new PlannedFlow(
              "orders",
              List.of(
                  new PlannedSource(
                      "Shop",
                      ConnectorConfiguration.create(),
                      List.of(
                          new TableDescription(
                              ORDERS, List.of("order_id"), List.of("order_id"), 100, true)))),
              List.of(
                  new PlannedView(
                      "Docs.orders",
                      ViewNode.root(ORDERS, List.of("order_id"), List.of()),
                      Optional.empty())),
              Optional.of(
                  new PlannedTarget.Mongo(
                      "Docs", Secret.of("mongodb://h"), "ecommerce", "letters", "_version"))),
          0,
          nanos::get);

  @Test
  void theRateIsOverTheLastSeconds() {
    status(Map.of("changes", 1_000L), Map.of());
    seconds(1);
    assertThat(status(Map.of("changes", 3_000L), Map.of()).rowsPerSecond()).isEqualTo(3_000);
    seconds(10);
    status(Map.of("changes", 3_000L), Map.of());
    seconds(2);
    assertThat(status(Map.of("changes", 3_000L), Map.of()).rowsPerSecond()).isZero();
  }

  @Test
  void deletedDocumentsAreNotInTheTotal() {
    FlowStatus status = status(Map.of("documentsInserted", 10L, "documentsDeleted", 3L), Map.of());

    assertThat(status.totalRows()).isEqualTo(7);
  }

  @Test
  void deadLettersAreCounted() {
    assertThat(status(Map.of("deadLetters", 3L), Map.of()).deadLetters())
        .contains(new FlowStatus.DeadLetters(3, "ecommerce.letters"));
  }

  @Test
  void aSourceIsDownUntilItIsBack() {
    assertThat(status(Map.of(), Map.of("sourceDown.orders.Shop", 1L)).sourcesDown())
        .containsExactly("Shop");
    assertThat(status(Map.of(), Map.of("sourceDown.orders.Shop", 0L)).sourcesDown()).isEmpty();
  }

  @Test
  void theDelayIsUnknownUntilAChangeWasWritten() {
    assertThat(status(Map.of(), Map.of()).delay()).isEmpty();
    assertThat(status(Map.of(), Map.of("delayMillis", 332L)).delay())
        .contains(Duration.ofMillis(332));
  }

  @Test
  void progressIsPerTableAndEndsWithTheSnapshotHoweverWrongTheEstimateWas() {
    Map<String, Long> read = Map.of("snapshotRows.orders", 90L);

    assertThat(status(read, Map.of()).tables())
        .containsExactly(new TableProgress(ORDERS, 90, 0, 100));
    assertThat(status(read, Map.of("snapshotDone.orders.Shop", 1L)).tables())
        .containsExactly(new TableProgress(ORDERS, 90, 0, 90));
  }

  @Test
  void whatEarlierRunsHaveReadIsPartOfTheProgress() {
    assertThat(
            status(Map.of("snapshotRows.orders", 20L), Map.of("rowsBefore.orders.Shop.orders", 70L))
                .tables())
        .containsExactly(new TableProgress(ORDERS, 90, 70, 100));
  }

  @Test
  void theStatusReadsAsPeopleExpectIt() {
    seconds(2);
    FlowStatus status =
        status(
            Map.of("changes", 7_000L, "documentsInserted", 99_441L), Map.of("delayMillis", 332L));

    assertThat(status)
        .hasToString(
            "job current status is: running, qps is: 3500.0, total rows: 99441, delay is: 332ms");
  }

  private FlowStatus status(Map<String, Long> counters, Map<String, Long> gauges) {
    return meter.read(State.RUNNING, new MetricValues(counters, gauges));
  }

  private void seconds(long seconds) {
    nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
  }
}
