package io.widebeam.runner;

import static com.mongodb.client.model.Filters.eq;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoCollection;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.TableProgress;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopScenarios;
import io.widebeam.runner.shop.ShopScenarios.Arrival;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The order view, whole: from rows in MariaDB to documents in a server of MongoDB's protocol. */
class OrderWideTableIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  @ParameterizedTest(name = "{0}")
  @CsvSource({"FlinkRunner, 2000", "DirectRunner, 100"})
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void theOrderViewIsWhatSqlJoins(String runner, int orders)
      throws SQLException, InterruptedException {
    try (ShopServers servers = ShopServers.start(orders)) {
      RunningBeamFlow flow =
          new BeamLauncher()
              .launch(
                  FlowPlanner.connected()
                      .plan(
                          ChosenOrders.besides(
                              ShopFlow.between(servers.source(), servers.target()))),
                  "--runner=" + runner);
      try {
        MongoCollection<Document> target = servers.documents();
        int chosen = ChosenOrders.expected(servers).size();
        awaitLoad(servers, flow, orders, chosen);
        assertAgrees(servers, orders);
        assertThat(ChosenOrders.written(servers)).isEqualTo(ChosenOrders.expected(servers));
        assertThat(flow.counter("documentsWritten"))
            .as("writes of %d documents and %d chosen ones", orders, chosen)
            .isEqualTo(orders + chosen);
        assertThat(rowsRead(flow.status())).isEqualTo(servers.rows());

        List<Arrival> arrivals = new ArrayList<>();
        try (Connection source = servers.connect()) {
          ShopScenarios scenarios = new ShopScenarios(source, target, PATIENCE);
          scenarios.playAll(arrivals::add);
          assertThat(scenarios.updatePayments(10).getTotalCount()).isEqualTo(10);
        }

        assertThat(arrivals).hasSize(15);
        ChosenOrders.startAndStopMatching(servers, PATIENCE);
        awaitAgreement(servers, orders + 10);
        assertThat(target.countDocuments()).isEqualTo(orders + 10);
        assertThat(flow.status().state()).isEqualTo(FlowStatus.State.RUNNING);
        assertHasTheShapeOfTheView(target.find(eq("_id", ShopScenarios.ORDER)).first());
      } finally {
        flow.stop();
      }
      assertThat(flow.status().state()).isEqualTo(FlowStatus.State.STOPPED);
    }
  }

  private static void awaitLoad(ShopServers servers, RunningBeamFlow flow, int orders, int chosen)
      throws InterruptedException {
    while (servers.documents().estimatedDocumentCount() < orders
        || flow.counter("documentsWritten") < orders + chosen) {
      if (flow.status().state() == FlowStatus.State.ERROR) {
        flow.awaitEnd();
        throw new AssertionError("the flow failed", flow.failure().orElse(null));
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  private static void assertAgrees(ShopServers servers, int orders) throws SQLException {
    assertThat(verify(servers)).isEqualTo(agreeing(orders));
  }

  private static void awaitAgreement(ShopServers servers, int orders)
      throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!verify(servers).equals(agreeing(orders)) && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    assertAgrees(servers, orders);
  }

  private static ShopVerifier.Report verify(ShopServers servers) throws SQLException {
    try (Connection source = servers.connect()) {
      return ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
    }
  }

  private static ShopVerifier.Report agreeing(int orders) {
    return new ShopVerifier.Report(orders, 0, 0, 0, List.of());
  }

  private static Map<String, Integer> rowsRead(FlowStatus status) {
    Map<String, Integer> rows = new HashMap<>();
    for (TableProgress table : status.tables()) {
      rows.put(table.table().name(), Math.toIntExact(table.rowsRead()));
    }
    return rows;
  }

  private static void assertHasTheShapeOfTheView(Document order) {
    assertThat(order.getString("order_status")).isEqualTo("shipped");
    assertThat(order.get("customer_info", Document.class).getString("customer_city"))
        .isEqualTo("New York");
    assertThat(order.getList("order_payments", Document.class))
        .singleElement()
        .satisfies(
            payment -> {
              assertThat(payment.get("payment_value")).hasToString("220.00");
              assertThat(payment.getInteger("payment_installments")).isEqualTo(2);
            });
    assertThat(order.getList("order_items", Document.class))
        .singleElement()
        .satisfies(
            item -> {
              assertThat(item.get("price")).hasToString("210.00");
              assertThat(item.get("freight_value")).hasToString("18.00");
              assertThat(item.get("product", Document.class).getString("product_category_name"))
                  .isEqualTo("electronics");
              assertThat(item.get("seller", Document.class).getString("seller_city"))
                  .isEqualTo("Los Angeles");
            });
  }
}
