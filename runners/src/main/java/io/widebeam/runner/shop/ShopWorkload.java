package io.widebeam.runner.shop;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import javax.annotation.Nullable;

/**
 * Everything that can happen to the shop's rows, at random: values and foreign keys change, rows
 * come, go and come back, children move between parents, and keys change. Some orders are left in
 * place throughout, so that a document of theirs must never be gone. The number of rows stays about
 * as it is, however long it goes on.
 */
public final class ShopWorkload {
  private static final int MOST_STEPS = 4;

  /** So many orders may have left rows behind: with more, no new keys come into use. */
  private static final int MOST_GONE = 100;

  private Connection source;
  private final ShopDialect dialect;
  private final Random random;
  private final List<String> lasting = new ArrayList<>();
  private final List<String> passing = new ArrayList<>();
  private final List<String> gone = new ArrayList<>();
  private final List<String> customers;
  private final List<String> products;
  private final List<String> sellers;
  private final Set<String> untouched;
  private int created;
  private long changes;

  /**
   * @param source a connection to the shop's database, used by nobody else
   * @param untouched orders that are left alone, with their payments and items
   */
  public ShopWorkload(Connection source, long seed, Set<String> untouched) throws SQLException {
    this.source = source;
    this.dialect = ShopDialect.of(source);
    this.random = new Random(seed);
    this.untouched = Set.copyOf(untouched);
    List<String> orders = keys("order_id", "ecom_orders");
    orders.removeAll(untouched);
    for (String order : orders) {
      (random.nextBoolean() ? lasting : passing).add(order);
    }
    customers = keys("customer_id", "ecom_customers");
    products = keys("product_id", "ecom_products");
    sellers = keys("seller_id", "ecom_sellers");
  }

  private List<String> keys(String column, String table) throws SQLException {
    List<String> keys = new ArrayList<>();
    try (Statement statement = source.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT " + column + " FROM " + table + " ORDER BY " + column)) {
      while (rows.next()) {
        keys.add(rows.getString(1));
      }
    }
    return keys;
  }

  /** Goes on with another connection, the first one being lost. */
  public void continueOn(Connection connection) {
    source = connection;
  }

  /** The orders whose rows are there from the beginning to the end. */
  public Set<String> lastingOrders() {
    Set<String> all = new HashSet<>(lasting);
    all.addAll(untouched);
    return all;
  }

  /** How many rows the shop has now. */
  public long rows() throws SQLException {
    long rows = 0;
    try (Statement statement = source.createStatement()) {
      for (String table : Shop.TABLES) {
        try (ResultSet count = statement.executeQuery("SELECT COUNT(*) FROM " + table)) {
          count.next();
          rows += count.getLong(1);
        }
      }
    }
    return rows;
  }

  /** How many statements have been executed. */
  public long changes() {
    return changes;
  }

  /** Makes one transaction of one to a few statements. */
  public void transaction() throws SQLException {
    source.setAutoCommit(false);
    int steps = random.nextInt(3) == 0 ? 1 + random.nextInt(MOST_STEPS) : 1;
    for (int i = 0; i < steps; i++) {
      step();
    }
    source.commit();
  }

  private void step() throws SQLException {
    switch (random.nextInt(20)) {
      case 0, 1, 2 ->
          update(
              "UPDATE ecom_order_payments SET payment_value = ? WHERE order_id = ?",
              price(),
              order());
      case 3 ->
          update(
              "UPDATE ecom_customers SET customer_city = ? WHERE customer_id = ?",
              "city " + random.nextInt(1000),
              one(customers));
      case 4 ->
          update(
              "UPDATE ecom_products SET product_weight_g = ? WHERE product_id = ?",
              random.nextInt(10_000),
              one(products));
      case 5 ->
          update(
              "UPDATE ecom_sellers SET seller_city = ? WHERE seller_id = ?",
              "city " + random.nextInt(1000),
              one(sellers));
      case 6, 7 ->
          update(
              "UPDATE ecom_orders SET order_status = ? WHERE order_id = ?",
              "status " + random.nextInt(1000),
              order());
      case 8, 9 ->
          update(
              "UPDATE ecom_orders SET customer_id = ? WHERE order_id = ?",
              reference(customers),
              order());
      case 10 ->
          update(
              "UPDATE ecom_order_items SET product_id = ?, price = ? WHERE order_id = ?",
              reference(products),
              price(),
              order());
      case 11 ->
          update(
              "UPDATE ecom_order_items SET seller_id = ? WHERE order_id = ?",
              reference(sellers),
              order());
      case 12 -> insertOrder();
      case 13 -> deleteOrder();
      case 14 -> renameOrder();
      case 15 -> movePayments();
      case 16 ->
          update(
              "DELETE FROM ecom_order_items WHERE order_id = ? AND order_item_id = ?",
              order(),
              item());
      case 17 -> insertItem();
      case 18 -> comeOrGo("ecom_customers", "customer_id", "customer_city", customers);
      default -> comeOrGo("ecom_products", "product_id", "product_category_name", products);
    }
  }

  private void insertOrder() throws SQLException {
    String order = freeKey("new order ");
    update(
        dialect.insertOr(
            "ecom_orders",
            List.of("order_id"),
            List.of("order_id", "customer_id", "order_status"),
            "order_status = 'again'"),
        order,
        reference(customers),
        "new");
    update(
        dialect.replace(
            "ecom_order_payments",
            List.of("order_id", "payment_sequential"),
            List.of("order_id", "payment_sequential", "payment_value")),
        order,
        1 + random.nextInt(2),
        price());
    passing.add(order);
  }

  private void deleteOrder() throws SQLException {
    if (passing.isEmpty()) {
      return;
    }
    String order = passing.remove(random.nextInt(passing.size()));
    update("DELETE FROM ecom_orders WHERE order_id = ?", order);
    if (random.nextBoolean()) {
      update("DELETE FROM ecom_order_items WHERE order_id = ?", order);
      update("DELETE FROM ecom_order_payments WHERE order_id = ?", order);
    }
    gone.add(order);
  }

  private void renameOrder() throws SQLException {
    if (passing.isEmpty()) {
      return;
    }
    String order = passing.remove(random.nextInt(passing.size()));
    String name = freeKey("renamed order ");
    update("UPDATE ecom_orders SET order_id = ? WHERE order_id = ?", name, order);
    if (random.nextBoolean()) {
      update(dialect.moveToOrder("ecom_order_items", "order_item_id"), name, order);
    }
    passing.add(name);
    gone.add(order);
  }

  /** Some orders come back under a key that there was, where its children may still be. */
  private String freeKey(String prefix) {
    return gone.size() >= MOST_GONE || (!gone.isEmpty() && random.nextBoolean())
        ? gone.remove(random.nextInt(gone.size()))
        : prefix + created++;
  }

  private void movePayments() throws SQLException {
    update(dialect.moveToOrder("ecom_order_payments", "payment_sequential"), order(), order());
  }

  private void insertItem() throws SQLException {
    update(
        dialect.replace(
            "ecom_order_items",
            List.of("order_id", "order_item_id"),
            List.of("order_id", "order_item_id", "product_id", "seller_id", "price")),
        order(),
        item(),
        reference(products),
        reference(sellers),
        price());
  }

  private void comeOrGo(String table, String key, String column, List<String> known)
      throws SQLException {
    String row = one(known);
    if (random.nextBoolean()) {
      update("DELETE FROM " + table + " WHERE " + key + " = ?", row);
    } else {
      update(
          dialect.replace(table, List.of(key), List.of(key, column)),
          row,
          "back " + random.nextInt(1000));
    }
  }

  private String order() {
    List<String> orders = passing.isEmpty() || random.nextBoolean() ? lasting : passing;
    return one(orders);
  }

  /** An item's number: as many come as go when half of them are there, one for each order. */
  private int item() {
    return 1 + random.nextInt(2);
  }

  private String one(List<String> keys) {
    return keys.get(random.nextInt(keys.size()));
  }

  /** Mostly a row that was there at the beginning, sometimes none or nothing at all. */
  @Nullable
  private String reference(List<String> keys) {
    return switch (random.nextInt(8)) {
      case 0 -> null;
      case 1 -> "nobody " + random.nextInt(10);
      default -> one(keys);
    };
  }

  private BigDecimal price() {
    return BigDecimal.valueOf(random.nextInt(1_000_000), 2);
  }

  private void update(String sql, Object... values) throws SQLException {
    try (PreparedStatement statement = source.prepareStatement(sql)) {
      for (int i = 0; i < values.length; i++) {
        statement.setObject(i + 1, values[i]);
      }
      statement.executeUpdate();
    }
    changes++;
  }
}
