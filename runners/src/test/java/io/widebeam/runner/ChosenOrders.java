package io.widebeam.runner;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.columns;
import static io.widebeam.flow.Lookup.computed;
import static io.widebeam.flow.Lookup.exclude;
import static io.widebeam.flow.Lookup.filter;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static io.widebeam.flow.Lookup.rename;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Flow;
import io.widebeam.runner.shop.ShopServers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.bson.types.Decimal128;

/**
 * A second view of the shop's orders, with filters, chosen, renamed and computed columns; and the
 * same by the database's own SQL.
 */
final class ChosenOrders {
  private static final String COLLECTION = "chosenOrders";

  private static final String ORDERS = "order_status <> 'shipped' AND customer_id IS NOT NULL";
  private static final String MONTH = "DATE_FORMAT(order_purchase_timestamp, '%Y-%m')";
  private static final String DAY =
      "STR_TO_DATE(DATE_FORMAT(order_purchase_timestamp, '%Y%m%d'), '%Y%m%d')";
  private static final String LABEL = "CONCAT(UPPER(order_status), ' ', LEFT(order_id, 6))";
  private static final String ITEMS = "price BETWEEN 20 AND 400 OR freight_value / 2 > 10.5";
  private static final String TOTAL = "price + freight_value";
  private static final String THIRD = "price / 3";
  private static final String SIZE = "CASE WHEN price > 100 THEN 'large' ELSE 'small' END";
  private static final String CUSTOMERS = "customer_state IN ('SP', 'RJ', 'NY')";

  private ChosenOrders() {}

  static Flow besides(Flow flow) {
    return flow.readFrom("MySQL_ECommerce.ecom_orders")
        .columns("order_status", "order_purchase_timestamp")
        .rename("order_status", "status")
        .filter(ORDERS)
        .computed("month", MONTH)
        .computed("day", DAY)
        .computed("label", LABEL)
        .lookup(
            "MySQL_ECommerce.ecom_order_items",
            path("items"),
            array(),
            on("order_id", "order_id"),
            exclude("order_id", "product_id", "seller_id", "shipping_limit_date"),
            rename("order_item_id", "number"),
            filter(ITEMS),
            computed("total", TOTAL),
            computed("third", THIRD),
            computed("size", SIZE))
        .lookup(
            "MySQL_ECommerce.ecom_customers",
            path("customer"),
            on("customer_id", "customer_id"),
            columns("customer_city"),
            rename("customer_city", "city"),
            filter(CUSTOMERS))
        .writeTo("MongoDB_ECommerce." + COLLECTION);
  }

  /** The documents there are, by their keys, without their versions. */
  static Map<String, Document> written(ShopServers servers) {
    Map<String, Document> documents = new TreeMap<>();
    for (Document document :
        servers.client().getDatabase("ecommerce").getCollection(COLLECTION).find()) {
      document.remove("_version");
      documents.put(document.getString("_id"), document);
    }
    return documents;
  }

  /** The documents there should be. */
  static Map<String, Document> expected(ShopServers servers) throws SQLException {
    Map<String, Document> documents = new TreeMap<>();
    try (Connection connection = servers.connect();
        Statement statement = connection.createStatement()) {
      try (ResultSet row =
          statement.executeQuery(
              String.format(
                  "SELECT order_id, order_status, order_purchase_timestamp, %s, %s, %s,"
                      + " (SELECT customer_city FROM ecom_customers c"
                      + "  WHERE c.customer_id = o.customer_id AND %s),"
                      + " (SELECT count(*) FROM ecom_customers c"
                      + "  WHERE c.customer_id = o.customer_id AND %s)"
                      + " FROM ecom_orders o WHERE %s",
                  MONTH, DAY, LABEL, CUSTOMERS, CUSTOMERS, ORDERS))) {
        while (row.next()) {
          Document document =
              new Document("_id", row.getString(1))
                  .append("status", row.getString(2))
                  .append("order_purchase_timestamp", date(row, 3))
                  .append("month", row.getString(4))
                  .append("day", date(row, 5))
                  .append("label", row.getString(6))
                  .append("items", new ArrayList<Document>());
          if (row.getInt(8) > 0) {
            document.append("customer", new Document("city", row.getString(7)));
          }
          documents.put(row.getString(1), document);
        }
      }
      try (ResultSet row =
          statement.executeQuery(
              String.format(
                  "SELECT order_id, order_item_id, price, freight_value, %s, %s, %s"
                      + " FROM ecom_order_items WHERE %s ORDER BY order_id, order_item_id",
                  TOTAL, THIRD, SIZE, ITEMS))) {
        while (row.next()) {
          Document order = documents.get(row.getString(1));
          if (order != null) {
            order
                .get("items", new ArrayList<Document>())
                .add(
                    new Document("number", row.getInt(2))
                        .append("price", decimal(row, 3))
                        .append("freight_value", decimal(row, 4))
                        .append("total", decimal(row, 5))
                        .append("third", decimal(row, 6))
                        .append("size", row.getString(7)));
          }
        }
      }
    }
    return documents;
  }

  /** Lets orders, items and customers start and stop matching, and waits for the documents. */
  static void startAndStopMatching(ShopServers servers, Duration patience)
      throws SQLException, InterruptedException {
    for (String update :
        List.of(
            "UPDATE ecom_orders SET order_status ="
                + " CASE order_status WHEN 'shipped' THEN 'delivered' ELSE 'shipped' END"
                + " ORDER BY order_id LIMIT 20",
            "UPDATE ecom_order_items SET price = 421.00 - price ORDER BY order_id LIMIT 40",
            "UPDATE ecom_customers SET customer_state = 'SP', customer_city = 'Campinas'"
                + " WHERE customer_state <> 'SP' ORDER BY customer_id LIMIT 20",
            "UPDATE ecom_customers SET customer_state = 'MG' WHERE customer_state = 'RJ'",
            "UPDATE ecom_order_items SET shipping_limit_date = '2020-01-01'"
                + " ORDER BY order_id DESC LIMIT 20")) {
      try (Connection connection = servers.connect();
          Statement statement = connection.createStatement()) {
        assertThat(statement.executeUpdate(update)).as(update).isPositive();
      }
      Map<String, Document> expected = expected(servers);
      long deadline = System.nanoTime() + patience.toNanos();
      while (!written(servers).equals(expected) && System.nanoTime() < deadline) {
        TimeUnit.MILLISECONDS.sleep(50);
      }
      assertThat(written(servers)).as(update).isEqualTo(expected);
    }
  }

  private static Decimal128 decimal(ResultSet row, int column) throws SQLException {
    return row.getBigDecimal(column) == null ? null : new Decimal128(row.getBigDecimal(column));
  }

  private static Date date(ResultSet row, int column) throws SQLException {
    LocalDateTime time = row.getObject(column, LocalDateTime.class);
    return time == null ? null : Date.from(time.toInstant(ZoneOffset.UTC));
  }
}
