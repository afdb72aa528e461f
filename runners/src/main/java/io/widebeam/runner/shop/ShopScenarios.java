package io.widebeam.runner.shop;

import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Projections.include;

import com.mongodb.client.MongoCollection;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.bson.types.Decimal128;

/**
 * What happens in the shop, as SQL against the source, each watched by a client at the target until
 * it has arrived whole. A delay is the time from the commit's return to the client until the
 * document was read as it should be; it contains the read itself, less than a millisecond.
 */
public final class ShopScenarios {
  /** The order that the scenarios place and change. */
  public static final String ORDER = "ORD789654";

  private static final int NEW_ORDERS = 10;
  private static final int RENAMED_CITIES = 10;
  private static final int DOCUMENTS_AT_A_TIME = 1_000;
  private static final int DOCUMENTS_IN_SAMPLE = 20;
  private static final Duration BETWEEN_READS = Duration.ofNanos(500_000);
  private static final Duration BETWEEN_SAMPLES = Duration.ofMillis(10);
  private static final Bson WATCHED_FIELDS =
      include(
          "order_status",
          "order_delivered_carrier_date",
          "customer_info",
          "order_items",
          "order_payments");

  /**
   * One thing that happened and was seen at the target.
   *
   * @param what for people
   * @param documents how many documents it changed
   * @param delay from commit to visible: of the last document, if there are several
   */
  public record Arrival(String what, int documents, Duration delay) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-52s %,8d document%s after %,9.1f ms",
          what,
          documents,
          documents == 1 ? " " : "s",
          delay.toNanos() / 1e6);
    }
  }

  private final Connection source;
  private final MongoCollection<Document> target;
  private final Duration patience;

  /**
   * @param source a connection to the shop's database that commits by itself
   * @param patience after how long something that has not arrived is an error
   */
  public ShopScenarios(Connection source, MongoCollection<Document> target, Duration patience) {
    this.source = source;
    this.target = target;
    this.patience = patience;
  }

  /** Plays everything in turn. Afterwards there are ten documents more than before. */
  public void playAll(Consumer<Arrival> listener) throws SQLException {
    placeOrder(listener);
    changeOrder(listener);
    listener.accept(insertRandomOrders());
    listener.accept(renameCities());
    listener.accept(raisePrices());
    listener.accept(deleteItem());
    listener.accept(deleteCustomer());
    listener.accept(deleteOrder());
  }

  /** The order first, then the five rows that complete it, each in a transaction of its own. */
  public void placeOrder(Consumer<Arrival> listener) throws SQLException {
    listener.accept(
        play(
            "order " + ORDER,
            """
            INSERT INTO ecom_orders (order_id, customer_id, order_status, order_purchase_timestamp,
              order_approved_at, order_estimated_delivery_date)
            VALUES ('ORD789654', 'CUST12345', 'pending', NOW(), NOW(), '2024-11-10')
            """,
            order -> "pending".equals(order.get("order_status"))));
    listener.accept(
        play(
            "  its customer",
            """
            INSERT INTO ecom_customers (customer_id, customer_unique_id, customer_zip_code_prefix,
              customer_city, customer_state)
            VALUES ('CUST12345', 'UNIQUE_CUST_00123', '10001', 'New York', 'NY')
            """,
            order -> "New York".equals(at(order, "customer_info", "customer_city"))));
    listener.accept(
        play(
            "  its item",
            """
            INSERT INTO ecom_order_items (order_id, order_item_id, product_id, seller_id,
              shipping_limit_date, price, freight_value)
            VALUES ('ORD789654', 1, 'PROD56789', 'SELL34567', '2024-11-05', 199.99, 15.0)
            """,
            order -> number(at(order, "order_items", 0, "price"), "199.99")));
    listener.accept(
        play(
            "  its item's product",
            """
            INSERT INTO ecom_products (product_id, product_category_name, product_weight_g,
              product_length_cm, product_height_cm, product_width_cm)
            VALUES ('PROD56789', 'electronics', 1200, 20, 10, 8)
            """,
            order ->
                "electronics"
                    .equals(at(order, "order_items", 0, "product", "product_category_name"))));
    listener.accept(
        play(
            "  its item's seller",
            """
            INSERT INTO ecom_sellers (seller_id, seller_zip_code_prefix, seller_city, seller_state)
            VALUES ('SELL34567', '90001', 'Los Angeles', 'CA')
            """,
            order -> "Los Angeles".equals(at(order, "order_items", 0, "seller", "seller_city"))));
    listener.accept(
        play(
            "  its payment",
            """
            INSERT INTO ecom_order_payments (order_id, payment_sequential, payment_type,
              payment_installments, payment_value)
            VALUES ('ORD789654', 1, 'credit_card', 1, 199.99)
            """,
            order -> number(at(order, "order_payments", 0, "payment_value"), "199.99")));
  }

  /** The order is shipped, paid differently and priced differently. */
  public void changeOrder(Consumer<Arrival> listener) throws SQLException {
    listener.accept(
        play(
            "its status becomes shipped",
            """
            UPDATE ecom_orders SET order_status = 'shipped', order_delivered_carrier_date = NOW()
            WHERE order_id = 'ORD789654'
            """,
            order ->
                "shipped".equals(order.get("order_status"))
                    && order.get("order_delivered_carrier_date") != null));
    listener.accept(
        play(
            "its payment becomes 220 in 2 instalments",
            """
            UPDATE ecom_order_payments SET payment_value = 220.0, payment_installments = 2
            WHERE order_id = 'ORD789654' AND payment_sequential = 1
            """,
            order ->
                number(at(order, "order_payments", 0, "payment_value"), "220")
                    && Integer.valueOf(2)
                        .equals(at(order, "order_payments", 0, "payment_installments"))));
    listener.accept(
        play(
            "its item's price becomes 210, its freight 18",
            """
            UPDATE ecom_order_items SET price = 210.0, freight_value = 18.0
            WHERE order_id = 'ORD789654' AND order_item_id = 1
            """,
            order ->
                number(at(order, "order_items", 0, "price"), "210")
                    && number(at(order, "order_items", 0, "freight_value"), "18")));
  }

  /** Orders of customers that do not exist, each in a transaction of its own. */
  public Arrival insertRandomOrders() throws SQLException {
    List<String> orders =
        Stream.generate(() -> "ORD_I_" + UUID.randomUUID()).limit(NEW_ORDERS).toList();
    for (String order : orders) {
      execute(
          """
          INSERT INTO ecom_orders (order_id, customer_id, order_status, order_purchase_timestamp,
            order_approved_at, order_delivered_carrier_date, order_delivered_customer_date,
            order_estimated_delivery_date)
          VALUES (?, UUID(),
            CASE WHEN RAND() < 0.3 THEN 'delivered' WHEN RAND() < 0.6 THEN 'shipped'
              ELSE 'processing' END,
            NOW() - INTERVAL FLOOR(RAND() * 365) DAY, NOW() - INTERVAL FLOOR(RAND() * 300) DAY,
            NOW() - INTERVAL FLOOR(RAND() * 200) DAY, NOW() - INTERVAL FLOOR(RAND() * 100) DAY,
            NOW() + INTERVAL FLOOR(RAND() * 30) DAY)
          """,
          order);
    }
    Map<String, Predicate<Document>> expected = new HashMap<>();
    orders.forEach(order -> expected.put(order, document -> true));
    return await("ten random orders", expected, System.nanoTime());
  }

  /** The cities of the first ten customers get a prefix, in one transaction. */
  public Arrival renameCities() throws SQLException {
    List<String> customers =
        strings(
            "SELECT customer_id FROM ecom_customers ORDER BY customer_id LIMIT " + RENAMED_CITIES);
    String theCustomers =
        "customer_id IN (" + String.join(", ", Collections.nCopies(customers.size(), "?")) + ")";
    Map<String, Predicate<Document>> expected = new HashMap<>();
    try (PreparedStatement select =
        source.prepareStatement(
            "SELECT order_id, CONCAT('CITY_', customer_city) FROM ecom_orders"
                + " JOIN ecom_customers USING (customer_id) WHERE "
                + theCustomers)) {
      setStrings(select, customers);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          String city = rows.getString(2);
          expected.put(
              rows.getString(1), order -> city.equals(at(order, "customer_info", "customer_city")));
        }
      }
    }
    execute(
        "UPDATE ecom_customers SET customer_city = CONCAT('CITY_', customer_city) WHERE "
            + theCustomers,
        customers.toArray(String[]::new));
    return await("cities of ten customers prefixed CITY_", expected, System.nanoTime());
  }

  /** Most items of the shop become dearer in one transaction. */
  public Arrival raisePrices() throws SQLException {
    Map<String, Map<Integer, BigDecimal>> prices = new HashMap<>();
    try (PreparedStatement select =
            source.prepareStatement(
                "SELECT order_id, order_item_id, price + 40 FROM ecom_order_items"
                    + " JOIN ecom_orders USING (order_id) WHERE price < 200");
        ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        prices
            .computeIfAbsent(rows.getString(1), order -> new HashMap<>())
            .put(rows.getInt(2), rows.getBigDecimal(3));
      }
    }
    Map<String, Predicate<Document>> expected = new HashMap<>();
    prices.forEach(
        (order, priceOfItem) -> expected.put(order, document -> hasPrices(document, priceOfItem)));
    execute("UPDATE ecom_order_items SET price = price + 40 WHERE price < 200");
    return await("price + 40 where price < 200", expected, System.nanoTime());
  }

  private static boolean hasPrices(Document order, Map<Integer, BigDecimal> priceOfItem) {
    int right = 0;
    for (Document item : order.getList("order_items", Document.class)) {
      BigDecimal price = priceOfItem.get(item.getInteger("order_item_id"));
      if (price != null) {
        if (!number(item.get("price"), price.toString())) {
          return false;
        }
        right++;
      }
    }
    return right == priceOfItem.size();
  }

  /** An order that has several items loses its first. */
  public Arrival deleteItem() throws SQLException {
    List<String> several =
        strings(
            """
            SELECT order_id FROM ecom_order_items JOIN ecom_orders USING (order_id)
            GROUP BY order_id ORDER BY COUNT(*) > 1 DESC, order_id LIMIT 1
            """);
    String order = several.get(0);
    execute("DELETE FROM ecom_order_items WHERE order_id = ? AND order_item_id = 1", order);
    return await(
        "an item deleted",
        Map.of(
            order,
            document ->
                document.getList("order_items", Document.class).stream()
                    .noneMatch(item -> item.getInteger("order_item_id") == 1)),
        System.nanoTime());
  }

  /** An order loses its customer's details, but keeps the reference. */
  public Arrival deleteCustomer() throws SQLException {
    String customer =
        strings(
                """
                SELECT c.customer_id FROM ecom_customers c JOIN ecom_orders USING (customer_id)
                WHERE c.customer_id <> 'CUST12345' ORDER BY c.customer_id DESC LIMIT 1
                """)
            .get(0);
    List<String> orders =
        strings("SELECT order_id FROM ecom_orders WHERE customer_id = ?", customer);
    execute("DELETE FROM ecom_customers WHERE customer_id = ?", customer);
    Map<String, Predicate<Document>> expected = new HashMap<>();
    orders.forEach(
        order -> expected.put(order, document -> !document.containsKey("customer_info")));
    return await("a customer deleted", expected, System.nanoTime());
  }

  /** An order goes; its items and payments stay behind in the source. */
  public Arrival deleteOrder() throws SQLException {
    String order =
        strings(
                """
                SELECT o.order_id FROM ecom_orders o JOIN ecom_order_items USING (order_id)
                WHERE o.order_id <> 'ORD789654' ORDER BY o.order_id DESC LIMIT 1
                """)
            .get(0);
    execute("DELETE FROM ecom_orders WHERE order_id = ?", order);
    long committed = System.nanoTime();
    awaitUntil("an order deleted", committed, () -> target.find(eq("_id", order)).first() == null);
    return new Arrival("an order deleted", 1, since(committed));
  }

  /**
   * Changes payments one at a time, each when the one before has arrived.
   *
   * @param updates how many
   * @return the delays in microseconds
   */
  public Histogram updatePayments(int updates) throws SQLException {
    List<String> orders =
        strings(
            "SELECT order_id FROM ecom_order_payments JOIN ecom_orders USING (order_id)"
                + " WHERE payment_sequential = 1 AND order_id <> ? LIMIT "
                + updates,
            ORDER);
    Histogram micros = new Histogram(3);
    for (int update = 0; update < updates; update++) {
      String order = orders.get(update % orders.size());
      // Higher than any payment before, and different each time.
      String value = BigDecimal.valueOf(1_000_000L + update, 2).toString();
      execute(
          "UPDATE ecom_order_payments SET payment_value = ?"
              + " WHERE order_id = ? AND payment_sequential = 1",
          value,
          order);
      Arrival arrival =
          await(
              "a payment of order " + order,
              Map.of(
                  order,
                  document -> number(at(document, "order_payments", 0, "payment_value"), value)),
              System.nanoTime());
      micros.recordValue(arrival.delay.toNanos() / 1_000);
    }
    return micros;
  }

  private Arrival play(String what, String sql, Predicate<Document> arrived) throws SQLException {
    execute(sql);
    return await(what, Map.of(ORDER, arrived), System.nanoTime());
  }

  /** Reads the documents that are not yet right again and again until all are. */
  private Arrival await(String what, Map<String, Predicate<Document>> expected, long committed) {
    Outstanding outstanding = new Outstanding(expected);
    awaitUntil(what, committed, outstanding::haveArrived);
    return new Arrival(what, expected.size(), since(committed));
  }

  /**
   * Documents that are not yet seen to be right. If they are many, a few of them tell whether it is
   * worth reading more: the target has better things to do than to answer us.
   */
  private final class Outstanding {
    private final Map<String, Predicate<Document>> expected;
    private final Deque<String> orders;

    Outstanding(Map<String, Predicate<Document>> expected) {
      this.expected = expected;
      this.orders = new ArrayDeque<>(expected.keySet());
    }

    boolean haveArrived() {
      boolean most = true;
      for (int batchSize = DOCUMENTS_IN_SAMPLE;
          most && !orders.isEmpty();
          batchSize = DOCUMENTS_AT_A_TIME) {
        most = read(batchSize);
      }
      if (orders.size() > DOCUMENTS_IN_SAMPLE) {
        LockSupport.parkNanos(BETWEEN_SAMPLES.toNanos());
      }
      return orders.isEmpty();
    }

    /** Whether most of the next documents have arrived; those that have not are put last. */
    private boolean read(int batchSize) {
      Set<String> batch = new HashSet<>();
      while (batch.size() < batchSize && !orders.isEmpty()) {
        batch.add(orders.removeFirst());
      }
      int all = batch.size();
      for (Document document :
          target.find(in("_id", batch)).projection(WATCHED_FIELDS).batchSize(batchSize)) {
        String order = document.getString("_id");
        if (expected.get(order).test(document)) {
          batch.remove(order);
        }
      }
      orders.addAll(batch);
      return batch.size() < all / 2.0;
    }
  }

  private void awaitUntil(String what, long committed, BooleanSupplier arrived) {
    while (!arrived.getAsBoolean()) {
      if (since(committed).compareTo(patience) > 0) {
        throw new IllegalStateException(
            what + ": not at the target " + patience.toSeconds() + " s after its commit");
      }
      LockSupport.parkNanos(BETWEEN_READS.toNanos());
    }
  }

  private static Duration since(long nanoTime) {
    return Duration.ofNanos(System.nanoTime() - nanoTime);
  }

  private void execute(String sql, String... parameters) throws SQLException {
    try (PreparedStatement statement = source.prepareStatement(sql)) {
      setStrings(statement, List.of(parameters));
      statement.executeUpdate();
    }
  }

  private List<String> strings(String sql, String... parameters) throws SQLException {
    List<String> strings = new ArrayList<>();
    try (PreparedStatement statement = source.prepareStatement(sql)) {
      setStrings(statement, List.of(parameters));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          strings.add(rows.getString(1));
        }
      }
    }
    return strings;
  }

  private static void setStrings(PreparedStatement statement, List<String> values)
      throws SQLException {
    for (int index : IntStream.range(0, values.size()).toArray()) {
      statement.setString(index + 1, values.get(index));
    }
  }

  /** The value at a path of field names and array indexes, or null if there is none. */
  private static Object at(Document document, Object... path) {
    Object value = document;
    for (Object step : path) {
      if (value instanceof Document parent && step instanceof String field) {
        value = parent.get(field);
      } else if (value instanceof List<?> elements
          && step instanceof Integer index
          && index < elements.size()) {
        value = elements.get(index);
      } else {
        return null;
      }
    }
    return value;
  }

  private static boolean number(Object value, String expected) {
    return value instanceof Decimal128 decimal
        && decimal.bigDecimalValue().compareTo(new BigDecimal(expected)) == 0;
  }
}
