package io.widebeam.runner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.FlowPlanner;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Several subtasks of every stage, between which the changes of one row may overtake each other.
 */
class ParallelIT {
  private static final int ORDERS = 1_000;

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void rowsChangedManyTimesByManySubtasksEndAsInSql() throws Exception {
    try (ShopServers servers = ShopServers.start(ORDERS);
        RunningBeamFlow flow =
            new BeamLauncher()
                .launch(
                    FlowPlanner.connected()
                        .plan(ShopFlow.between(servers.source(), servers.target())),
                    "--parallelism=4")) {
      while (servers.documents().estimatedDocumentCount() < ORDERS) {
        assertThat(flow.failure()).isEmpty();
        TimeUnit.MILLISECONDS.sleep(50);
      }
      try (Connection source = servers.connect();
          Statement statement = source.createStatement()) {
        for (int round = 0; round < 60; round++) {
          // The same twenty rows of each table, in transactions of their own.
          statement.execute(
              "UPDATE ecom_order_payments SET payment_value = payment_value + 1"
                  + " ORDER BY order_id, payment_sequential LIMIT 20");
          statement.execute(
              "UPDATE ecom_order_items SET product_id = (SELECT MIN(product_id) FROM ecom_products"
                  + " WHERE product_id > ecom_order_items.product_id), price = price + 1"
                  + " ORDER BY order_id, order_item_id LIMIT 20");
          statement.execute(
              "UPDATE ecom_customers SET customer_city = CONCAT('city ', "
                  + round
                  + ") ORDER BY customer_id LIMIT 20");
        }
        statement.execute("DELETE FROM ecom_orders ORDER BY order_id LIMIT 10");
        statement.execute("DELETE FROM ecom_order_payments ORDER BY order_id DESC LIMIT 10");
      }
      awaitAgreement(servers, ORDERS - 10);
      flow.stop();
    }
  }

  private static void awaitAgreement(ShopServers servers, int orders) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (!report(servers).agrees() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(200);
    }
    assertThat(report(servers)).isEqualTo(new ShopVerifier.Report(orders, 0, 0, 0, List.of()));
  }

  private static ShopVerifier.Report report(ShopServers servers) throws SQLException {
    try (Connection source = servers.connect()) {
      return ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
    }
  }
}
