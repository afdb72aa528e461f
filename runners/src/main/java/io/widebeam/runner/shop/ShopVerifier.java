package io.widebeam.runner.shop;

import static com.mongodb.client.model.Filters.in;
import static com.mongodb.client.model.Projections.include;

import com.mongodb.client.MongoCollection;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.bson.Document;
import org.bson.types.Decimal128;

/**
 * Compares every document of the order view with what SQL joins from the shop's tables now. It is
 * an oracle, so it shares no code with what makes the view: the source's own {@code LEFT JOIN},
 * plain maps, and a field-by-field comparison that also tells types apart.
 *
 * <p>Memory is bounded: a thousand orders at a time, and all keys.
 */
public final class ShopVerifier {
  private static final int ORDERS_AT_A_TIME = 1_000;
  private static final int SHOWN_DIFFERENCES = 10;

  private static final String ORDERS =
      """
      SELECT o.*, c.* FROM ecom_orders o LEFT JOIN ecom_customers c ON c.customer_id = o.customer_id
      WHERE o.order_id > ? ORDER BY o.order_id LIMIT %d
      """
          .formatted(ORDERS_AT_A_TIME);
  private static final String PAYMENTS =
      """
      SELECT p.* FROM ecom_order_payments p WHERE p.order_id > ? AND p.order_id <= ?
      ORDER BY p.order_id, p.payment_sequential
      """;
  private static final String ITEMS =
      """
      SELECT i.*, p.*, s.* FROM ecom_order_items i
      LEFT JOIN ecom_products p ON p.product_id = i.product_id
      LEFT JOIN ecom_sellers s ON s.seller_id = i.seller_id
      WHERE i.order_id > ? AND i.order_id <= ? ORDER BY i.order_id, i.order_item_id
      """;

  /**
   * What a comparison found.
   *
   * @param orders the number of orders in the source
   * @param missing orders without a document
   * @param extra documents without an order
   * @param wrong documents that differ from their order
   * @param differences the first differences, for people
   */
  public record Report(
      long orders, long missing, long extra, long wrong, List<String> differences) {
    public Report {
      differences = List.copyOf(differences);
    }

    /** Whether every document is right, none is missing and there is no other. */
    public boolean agrees() {
      return missing == 0 && extra == 0 && wrong == 0;
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%,d orders compared: %,d missing, %,d extra, %,d wrong",
          orders,
          missing,
          extra,
          wrong);
    }
  }

  private final Connection source;
  private final MongoCollection<Document> target;
  private final Set<String> ignoredFields;
  private final Set<Object> keys = new HashSet<>();
  private final List<String> differences = new ArrayList<>();
  private long missing;
  private long extra;
  private long wrong;

  private ShopVerifier(
      Connection source, MongoCollection<Document> target, Set<String> ignoredFields) {
    this.source = source;
    this.target = target;
    this.ignoredFields = ignoredFields;
  }

  /**
   * Compares the whole collection with the source.
   *
   * @param source a connection to the shop's database, used by nobody else meanwhile
   * @param versionField the documents' field that is not part of the view
   */
  public static Report verify(
      Connection source, MongoCollection<Document> target, String versionField)
      throws SQLException {
    source.setCatalog(Shop.DATABASE);
    // One snapshot for all queries.
    source.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    source.setAutoCommit(false);
    try {
      return new ShopVerifier(source, target, Set.of(versionField)).compare();
    } finally {
      source.rollback();
      source.setAutoCommit(true);
    }
  }

  private Report compare() throws SQLException {
    String after = "";
    for (Map<String, Map<String, Object>> orders = orders(after);
        !orders.isEmpty();
        orders = orders(after)) {
      String last = orders.keySet().stream().reduce((first, second) -> second).orElseThrow();
      addPayments(orders, after, last);
      addItems(orders, after, last);
      compare(orders);
      keys.addAll(orders.keySet());
      after = last;
    }
    findExtra();
    return new Report(keys.size(), missing, extra, wrong, differences);
  }

  private Map<String, Map<String, Object>> orders(String after) throws SQLException {
    Map<String, Map<String, Object>> orders = new LinkedHashMap<>();
    try (PreparedStatement select = source.prepareStatement(ORDERS)) {
      select.setString(1, after);
      try (ResultSet rows = select.executeQuery()) {
        int orderColumns = columns("ecom_orders");
        int customerColumns = columns("ecom_customers");
        while (rows.next()) {
          Map<String, Object> order = new LinkedHashMap<>();
          order.put("_id", rows.getString(1));
          order.putAll(row(rows, 0, orderColumns));
          if (rows.getObject(orderColumns + 1) != null) {
            order.put("customer_info", row(rows, orderColumns, customerColumns));
          }
          order.put("order_payments", new ArrayList<>());
          order.put("order_items", new ArrayList<>());
          orders.put(rows.getString(1), order);
        }
      }
    }
    return orders;
  }

  private void addPayments(Map<String, Map<String, Object>> orders, String after, String last)
      throws SQLException {
    try (PreparedStatement select = source.prepareStatement(PAYMENTS)) {
      select.setString(1, after);
      select.setString(2, last);
      try (ResultSet rows = select.executeQuery()) {
        int paymentColumns = columns("ecom_order_payments");
        while (rows.next()) {
          add(orders, rows.getString(1), "order_payments", row(rows, 0, paymentColumns));
        }
      }
    }
  }

  private void addItems(Map<String, Map<String, Object>> orders, String after, String last)
      throws SQLException {
    try (PreparedStatement select = source.prepareStatement(ITEMS)) {
      select.setString(1, after);
      select.setString(2, last);
      try (ResultSet rows = select.executeQuery()) {
        int itemColumns = columns("ecom_order_items");
        int productColumns = columns("ecom_products");
        int sellerColumns = columns("ecom_sellers");
        while (rows.next()) {
          Map<String, Object> item = row(rows, 0, itemColumns);
          if (rows.getObject(itemColumns + 1) != null) {
            item.put("product", row(rows, itemColumns, productColumns));
          }
          if (rows.getObject(itemColumns + productColumns + 1) != null) {
            item.put("seller", row(rows, itemColumns + productColumns, sellerColumns));
          }
          add(orders, rows.getString(1), "order_items", item);
        }
      }
    }
  }

  /** Children of an order that does not exist are in no document. */
  @SuppressWarnings("unchecked")
  private static void add(
      Map<String, Map<String, Object>> orders,
      String order,
      String path,
      Map<String, Object> child) {
    Map<String, Object> parent = orders.get(order);
    if (parent != null) {
      ((List<Object>) parent.get(path)).add(child);
    }
  }

  private final Map<String, Integer> columnCounts = new HashMap<>();

  private int columns(String table) throws SQLException {
    Integer known = columnCounts.get(table);
    if (known == null) {
      try (Statement statement = source.createStatement();
          ResultSet none = statement.executeQuery("SELECT * FROM " + table + " LIMIT 0")) {
        known = none.getMetaData().getColumnCount();
        columnCounts.put(table, known);
      }
    }
    return known;
  }

  private static Map<String, Object> row(ResultSet rows, int skipped, int columns)
      throws SQLException {
    ResultSetMetaData metaData = rows.getMetaData();
    Map<String, Object> row = new LinkedHashMap<>();
    for (int column = skipped + 1; column <= skipped + columns; column++) {
      row.put(metaData.getColumnLabel(column), value(rows, metaData, column));
    }
    return row;
  }

  private static Object value(ResultSet rows, ResultSetMetaData metaData, int column)
      throws SQLException {
    String type = metaData.getColumnTypeName(column).toUpperCase(Locale.ROOT);
    Object value =
        switch (type) {
          case "INTEGER", "INT", "INT4" -> rows.getInt(column);
          case "DECIMAL", "NUMERIC" -> {
            BigDecimal decimal = rows.getBigDecimal(column);
            yield decimal == null ? null : new Decimal128(decimal);
          }
          case "DATETIME", "TIMESTAMP" -> {
            LocalDateTime time = rows.getObject(column, LocalDateTime.class);
            yield time == null ? null : Date.from(time.toInstant(ZoneOffset.UTC));
          }
          case "VARCHAR", "CHAR", "BPCHAR" -> rows.getString(column);
          default -> throw new IllegalStateException("no comparison for the SQL type " + type);
        };
    return rows.wasNull() ? null : value;
  }

  private void compare(Map<String, Map<String, Object>> orders) {
    Map<Object, Document> documents = new HashMap<>();
    for (Document document : target.find(in("_id", orders.keySet())).batchSize(ORDERS_AT_A_TIME)) {
      ignoredFields.forEach(document::remove);
      if (documents.put(document.get("_id"), document) != null) {
        extra++;
        show("order " + document.get("_id") + ": there are two documents");
      }
    }
    orders.forEach(
        (key, order) -> {
          Document document = documents.get(key);
          if (document == null) {
            missing++;
            show("order " + key + ": there is no document");
          } else if (!equal(order, document, "order " + key + ": ", "")) {
            wrong++;
          }
        });
  }

  private void findExtra() {
    for (Document document : target.find().projection(include("_id")).batchSize(10_000)) {
      if (!keys.contains(document.get("_id"))) {
        extra++;
        show("document " + document.get("_id") + ": there is no such order");
      }
    }
  }

  /** Whether two values are the same, their types included; shows where they are not. */
  private boolean equal(Object expected, Object found, String order, String path) {
    if (expected instanceof Map<?, ?> expectedFields && found instanceof Map<?, ?> foundFields) {
      Set<Object> names = new TreeSet<>(expectedFields.keySet());
      names.addAll(foundFields.keySet());
      boolean same = true;
      for (Object name : names) {
        String field = path.isEmpty() ? name.toString() : path + "." + name;
        if (!foundFields.containsKey(name)) {
          show(order + field + " is absent, not " + described(expectedFields.get(name)));
          same = false;
        } else if (!expectedFields.containsKey(name)) {
          show(order + field + " is " + described(foundFields.get(name)) + ", not absent");
          same = false;
        } else {
          same &= equal(expectedFields.get(name), foundFields.get(name), order, field);
        }
      }
      return same;
    }
    if (expected instanceof List<?> expectedElements && found instanceof List<?> foundElements) {
      if (expectedElements.size() != foundElements.size()) {
        show(
            order
                + path
                + " has "
                + foundElements.size()
                + " elements, not "
                + expectedElements.size());
        return false;
      }
      boolean same = true;
      for (int index = 0; index < expectedElements.size(); index++) {
        same &=
            equal(
                expectedElements.get(index),
                foundElements.get(index),
                order,
                path + "[" + index + "]");
      }
      return same;
    }
    boolean same = Objects.equals(expected, found);
    if (!same) {
      show(order + path + " is " + described(found) + ", not " + described(expected));
    }
    return same;
  }

  private static String described(Object value) {
    return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
  }

  private void show(String difference) {
    if (differences.size() < SHOWN_DIFFERENCES) {
      differences.add(difference);
    }
  }
}
