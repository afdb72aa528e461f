package io.widebeam.runner.bench;

import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Projections.include;

import com.mongodb.client.MongoCollection;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopServers;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.bson.Document;
import org.bson.types.Decimal128;

/**
 * Changes one payment after another in the source, at the times of a fixed schedule, and watches at
 * the target for each to arrive. Every update writes a value that no other does, so an arrival
 * cannot be taken for another; an order is not changed again before its last change has arrived.
 */
final class PaymentProbe {
  /** Reads are few and narrow, so that measuring does not slow what is measured. */
  private static final long BETWEEN_READS_NANOS = 1_500_000;

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long NOT_YET = Long.MAX_VALUE;

  private final ShopServers servers;
  private final ChildProcess process;
  private final int rate;
  private final List<String> orders = new ArrayList<>();

  /** The updates on their way, by order; the writer adds, the reader removes. */
  private final Map<String, Update> outstanding = new ConcurrentHashMap<>();

  private int nextOrder;
  private long nextCents = 1_000_000;
  private double achievedRate;

  private static final class Update {
    final Decimal128 value;
    volatile long committed = NOT_YET;

    Update(Decimal128 value) {
      this.value = value;
    }
  }

  PaymentProbe(ShopServers servers, ChildProcess process, int rate) throws SQLException {
    this.servers = servers;
    this.process = process;
    this.rate = rate;
    try (Connection source = servers.connect();
        Statement statement = source.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT order_id FROM ecom_order_payments JOIN ecom_orders USING (order_id)"
                    + " WHERE payment_sequential = 1 ORDER BY MD5(order_id)")) {
      while (rows.next()) {
        orders.add(rows.getString(1));
      }
    }
  }

  /** Updates per second that the last measurement reached. */
  double achievedRate() {
    return achievedRate;
  }

  /**
   * Measures for some time.
   *
   * @return the delays from the commit's return to the read that saw it, in microseconds
   */
  Histogram measure(Duration duration) throws SQLException, InterruptedException {
    int updates = Math.toIntExact(Math.max(1, duration.toMillis() * rate / 1_000));
    Histogram micros = new Histogram(3);
    Reader reader = new Reader(updates, micros);
    Thread thread = new Thread(reader, "latency-reader");
    thread.start();
    try (Connection source = servers.connect()) {
      write(source, updates, reader);
    } finally {
      reader.writerDone = true;
    }
    thread.join();
    if (reader.failure != null) {
      throw reader.failure;
    }
    return micros;
  }

  private void write(Connection source, int updates, Reader reader) throws SQLException {
    try (PreparedStatement statement =
        source.prepareStatement(
            "UPDATE ecom_order_payments SET payment_value = ?"
                + " WHERE order_id = ? AND payment_sequential = 1")) {
      long start = System.nanoTime();
      for (int number = 0; number < updates && reader.failure == null; number++) {
        long due = start + number * 1_000_000_000L / rate;
        for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
          LockSupport.parkNanos(due - now);
        }
        String order = nextFreeOrder(reader);
        BigDecimal value = BigDecimal.valueOf(nextCents++, 2);
        Update update = new Update(new Decimal128(value));
        outstanding.put(order, update);
        statement.setBigDecimal(1, value);
        statement.setString(2, order);
        statement.executeUpdate();
        update.committed = System.nanoTime();
      }
      achievedRate = updates * 1e9 / (System.nanoTime() - start);
    }
  }

  private String nextFreeOrder(Reader reader) {
    for (int tried = 1; ; tried++) {
      String order = orders.get(nextOrder);
      nextOrder = (nextOrder + 1) % orders.size();
      if (!outstanding.containsKey(order) || reader.failure != null) {
        return order;
      }
      if (tried % orders.size() == 0) {
        LockSupport.parkNanos(BETWEEN_READS_NANOS); // All are on their way.
      }
    }
  }

  /** The client at the target. */
  private final class Reader implements Runnable {
    private final int updates;
    private final Histogram micros;
    private volatile boolean writerDone;
    private volatile IllegalStateException failure;

    Reader(int updates, Histogram micros) {
      this.updates = updates;
      this.micros = micros;
    }

    @Override
    public void run() {
      try {
        watch();
      } catch (RuntimeException e) {
        failure = new IllegalStateException("the target could not be read: " + e.getMessage(), e);
      }
    }

    private void watch() {
      MongoCollection<Document> target = servers.documents();
      long lastArrival = System.nanoTime();
      while (micros.getTotalCount() < updates && !(writerDone && outstanding.isEmpty())) {
        for (Document order :
            target
                .find(in("_id", List.copyOf(outstanding.keySet())))
                .projection(include("order_payments.payment_value"))) {
          String key = order.getString("_id");
          Update update = outstanding.get(key);
          Object value =
              order.getList("order_payments", Document.class).get(0).get("payment_value");
          if (update.value.equals(value)) {
            long seen = System.nanoTime();
            outstanding.remove(key);
            lastArrival = seen;
            // What is read before the writer hears of its commit has taken no time at all.
            micros.recordValue(Math.max(0, seen - update.committed) / 1_000);
          }
        }
        if (!process.isAlive()) {
          failure = new IllegalStateException(process.failure("ended early"));
          return;
        }
        if (System.nanoTime() - lastArrival > PATIENCE.toNanos()) {
          failure =
              new IllegalStateException(
                  process.failure(
                      "has delivered nothing for " + PATIENCE.toSeconds() + " s of updates"));
          return;
        }
        LockSupport.parkNanos(BETWEEN_READS_NANOS);
      }
    }
  }
}
