package io.widebeam.runner.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.bson.Document;

/**
 * Plays a random history on real servers while a flow follows it, and compares when it is quiet.
 */
final class HistoryRun {
  private static final Duration PATIENCE =
      Duration.ofSeconds(Integer.getInteger("history.patience", 180));

  private HistoryRun() {}

  /**
   * @param rounds how often to write and compare
   * @param transactions per round
   */
  static void play(String kind, String runner, int rounds, int transactions, long seed)
      throws Exception {
    System.out.printf("History of %s on %s, seed %d%n", kind, runner, seed);
    try (HistorySource source = HistorySource.start(kind);
        EmbeddedMongo target = EmbeddedMongo.start();
        Connection connection = source.connect()) {
      History history = new History(source, seed);
      history.createTables(connection);
      history.run(connection, 3 * transactions);
      RunningBeamFlow flow =
          new BeamLauncher()
              .launch(
                  FlowPlanner.connected()
                      .plan(
                          ShopView.flow(
                              "History_" + kind + "_" + runner,
                              source.connection("Shop"),
                              source.connection("Shop"),
                              target.uri())),
                  "--runner=" + runner);
      try (MongoClient client = MongoClients.create(target.uri())) {
        MongoCollection<Document> documents =
            client.getDatabase("History_" + kind + "_" + runner).getCollection("orders");
        // While the tables are being read.
        history.run(connection, transactions);
        awaitEqual(flow, connection, connection, documents, "after the load");
        for (int round = 1; round <= rounds; round++) {
          history.run(connection, transactions);
          awaitEqual(flow, connection, connection, documents, "round " + round);
        }
      } finally {
        flow.stop();
      }
    }
  }

  /** The same with the orders in one database and the customers in another. */
  static void playAcross(String ordersKind, String customersKind, String runner, long seed)
      throws Exception {
    System.out.printf(
        "History across %s and %s on %s, seed %d%n", ordersKind, customersKind, runner, seed);
    String name = "Across_" + ordersKind + "_" + customersKind;
    try (HistorySource orders = HistorySource.start(ordersKind);
        HistorySource customers = HistorySource.start(customersKind);
        EmbeddedMongo target = EmbeddedMongo.start();
        Connection ordersConnection = orders.connect();
        Connection customersConnection = customers.connect()) {
      History ordersHistory =
          new History(orders, seed, List.of("orders", "coupons", "products", "items", "parts"));
      History customersHistory =
          new History(customers, seed + 1, List.of("customers", "countries", "visits"));
      ordersHistory.createTables(ordersConnection);
      customersHistory.createTables(customersConnection);
      ordersHistory.run(ordersConnection, 100);
      customersHistory.run(customersConnection, 100);
      RunningBeamFlow flow =
          new BeamLauncher()
              .launch(
                  FlowPlanner.connected()
                      .plan(
                          ShopView.flow(
                              name,
                              orders.connection("Orders"),
                              customers.connection("Customers"),
                              target.uri())),
                  "--runner=" + runner);
      try (MongoClient client = MongoClients.create(target.uri())) {
        MongoCollection<Document> documents = client.getDatabase(name).getCollection("orders");
        for (int round = 0; round < 3; round++) {
          for (int i = 0; i < 10; i++) {
            ordersHistory.run(ordersConnection, 5);
            customersHistory.run(customersConnection, 5);
          }
          awaitEqual(flow, ordersConnection, customersConnection, documents, "round " + round);
        }
      } finally {
        flow.stop();
      }
    }
  }

  /** Waits until the documents are what SQL joins; fails with the difference if they never are. */
  static void awaitEqual(
      RunningBeamFlow flow,
      Connection orders,
      Connection customers,
      MongoCollection<Document> documents,
      String when)
      throws Exception {
    Map<Long, Map<String, Object>> expected = ShopView.expected(orders, customers);
    orders.commit();
    customers.commit();
    assertThat(expected).as("a history without orders shows nothing").isNotEmpty();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Map<Long, Map<String, Object>> actual = ShopView.actual(documents.find());
    while (!actual.equals(expected) && System.nanoTime() < deadline) {
      if (flow.status().state() == FlowStatus.State.ERROR) {
        flow.awaitEnd();
        throw new AssertionError("the flow failed " + when, flow.failure().orElse(null));
      }
      TimeUnit.MILLISECONDS.sleep(20);
      actual = ShopView.actual(documents.find());
    }
    assertThat(actual).as(when).isEqualTo(expected);
  }
}
