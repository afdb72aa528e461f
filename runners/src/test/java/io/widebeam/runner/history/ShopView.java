package io.widebeam.runner.history;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.Document;
import org.bson.types.Decimal128;

/** A view of {@link History}'s tables, and the same documents by the database's own joins. */
final class ShopView {
  private static final String VERSION_FIELD = "_version";

  private ShopView() {}

  /** All in one source, or the orders' side apart from the customers'. */
  static Flow flow(String name, Connection orders, Connection customers, String targetUri) {
    Flow flow = Flow.named(name).connection(orders);
    if (!customers.name().equals(orders.name())) {
      flow = flow.connection(customers);
    }
    String o = orders.name() + ".";
    String c = customers.name() + ".";
    return flow.connection(Connection.mongodb("Target", targetUri, name))
        .readFrom(o + "orders")
        .lookup(c + "customers", path("customer"), object(), on("customer_id", "id"))
        .lookup(
            c + "countries",
            path("customer.country"),
            object(),
            on("customer.country_code", "code"))
        .lookup(c + "visits", path("visits"), array(), on("customer_id", "customer_id"))
        .lookup(o + "coupons", path(""), object(), on("coupon", "code"))
        .lookup(o + "items", path("items"), array(), on("id", "order_id"))
        .lookup(o + "products", path("items.product"), object(), on("items.product_id", "id"))
        .lookup(o + "parts", path("items.parts"), array(), on("items.id", "item_id"))
        .writeTo("Target.orders");
  }

  /** The documents as SQL joins them, by key: the test only nests what it reads. */
  static Map<Long, Map<String, Object>> expected(
      java.sql.Connection orders, java.sql.Connection customers) throws SQLException {
    Map<Long, Map<String, Object>> documents = new TreeMap<>();
    boolean apart = orders != customers;
    String customerJoin =
        " LEFT JOIN customers c ON c.id = o.customer_id LEFT JOIN countries k ON k.code ="
            + " c.country_code";
    for (Joined row :
        query(
            orders,
            "FROM orders o LEFT JOIN coupons p ON p.code = o.coupon" + (apart ? "" : customerJoin),
            apart
                ? List.of("orders o", "coupons p")
                : List.of("orders o", "coupons p", "customers c", "countries k"))) {
      Map<String, Object> order = row.part("o");
      documents.put((Long) order.get("id"), order);
      order.put("items", new ArrayList<>());
      order.put("visits", new ArrayList<>());
      if (row.has("p", "code")) {
        // A null of the order's own wins too.
        row.part("p").keySet().removeAll(order.keySet());
        order.putAll(row.part("p"));
      }
      if (!apart) {
        putCustomer(order, row);
      }
    }
    Map<Long, Map<String, Object>> items = new HashMap<>();
    for (Joined row :
        query(
            orders,
            "FROM orders o JOIN items i ON i.order_id = o.id LEFT JOIN products r ON r.id ="
                + " i.product_id ORDER BY i.id",
            List.of("items i", "products r"))) {
      Map<String, Object> item = row.part("i");
      items.put((Long) item.get("id"), item);
      item.put("parts", new ArrayList<>());
      if (row.has("r", "id")) {
        item.put("product", row.part("r"));
      }
      list(documents.get((Long) item.get("order_id")), "items").add(item);
    }
    for (Joined row :
        query(
            orders,
            "FROM items i JOIN parts a ON a.item_id = i.id ORDER BY a.id",
            List.of("parts a"))) {
      Map<String, Object> part = row.part("a");
      Map<String, Object> item = items.get((Long) part.get("item_id"));
      if (item != null) {
        list(item, "parts").add(part);
      }
    }
    if (apart) {
      joinAcross(documents, customers);
    } else {
      for (Joined row :
          query(
              orders,
              "FROM orders o JOIN visits v ON v.customer_id = o.customer_id ORDER BY v.id",
              List.of("orders o", "visits v"))) {
        list(documents.get((Long) row.part("o").get("id")), "visits").add(row.part("v"));
      }
    }
    return documents;
  }

  /** No database can join these: what each of them has is brought together here. */
  private static void joinAcross(
      Map<Long, Map<String, Object>> documents, java.sql.Connection customers) throws SQLException {
    Map<Object, Joined> byId = new HashMap<>();
    for (Joined row :
        query(
            customers,
            "FROM customers c LEFT JOIN countries k ON k.code = c.country_code",
            List.of("customers c", "countries k"))) {
      byId.put(row.part("c").get("id"), row);
    }
    Map<Object, List<Map<String, Object>>> visits = new HashMap<>();
    for (Joined row : query(customers, "FROM visits v ORDER BY v.id", List.of("visits v"))) {
      visits
          .computeIfAbsent(row.part("v").get("customer_id"), id -> new ArrayList<>())
          .add(row.part("v"));
    }
    for (Map<String, Object> order : documents.values()) {
      Object customer = order.get("customer_id");
      if (customer != null) {
        if (byId.containsKey(customer)) {
          putCustomer(order, byId.get(customer));
        }
        list(order, "visits").addAll(visits.getOrDefault(customer, List.of()));
      }
    }
  }

  private static void putCustomer(Map<String, Object> order, Joined row) {
    if (row.has("c", "id")) {
      Map<String, Object> customer = new LinkedHashMap<>(row.part("c"));
      if (row.has("k", "code")) {
        customer.put("country", row.part("k"));
      }
      order.put("customer", customer);
    }
  }

  @SuppressWarnings("unchecked")
  private static List<Map<String, Object>> list(Map<String, Object> row, String field) {
    return (List<Map<String, Object>>) row.get(field);
  }

  /** One row of a join, by the aliases of its tables. */
  private record Joined(Map<String, Map<String, Object>> parts) {
    Map<String, Object> part(String alias) {
      return parts.get(alias);
    }

    boolean has(String alias, String key) {
      return parts.get(alias).get(key) != null;
    }
  }

  private static List<Joined> query(
      java.sql.Connection connection, String from, List<String> tables) throws SQLException {
    List<String> selected = new ArrayList<>();
    for (String table : tables) {
      int space = table.indexOf(' ');
      String alias = table.substring(space + 1) + ".";
      History.columns(table.substring(0, space)).forEach(column -> selected.add(alias + column));
    }
    List<Joined> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT " + String.join(", ", selected) + " " + from)) {
      while (result.next()) {
        Map<String, Map<String, Object>> parts = new HashMap<>();
        for (int i = 0; i < selected.size(); i++) {
          int dot = selected.get(i).indexOf('.');
          parts
              .computeIfAbsent(selected.get(i).substring(0, dot), alias -> new LinkedHashMap<>())
              .put(selected.get(i).substring(dot + 1), comparable(result.getObject(i + 1)));
        }
        rows.add(new Joined(parts));
      }
    }
    return rows;
  }

  /** The target's documents by key, in the same types. */
  static Map<Long, Map<String, Object>> actual(Iterable<Document> found) {
    Map<Long, Map<String, Object>> documents = new TreeMap<>();
    for (Document document : found) {
      Map<String, Object> row = row(document);
      row.remove(VERSION_FIELD);
      documents.put((Long) row.remove("_id"), row);
    }
    return documents;
  }

  private static Map<String, Object> row(Document document) {
    Map<String, Object> row = new LinkedHashMap<>();
    document.forEach((name, value) -> row.put(name, comparable(value)));
    return row;
  }

  private static Object comparable(Object value) {
    if (value instanceof Document document) {
      return row(document);
    } else if (value instanceof List<?> list) {
      return new ArrayList<>(list.stream().map(ShopView::comparable).toList());
    } else if (value instanceof Decimal128 decimal) {
      return decimal.bigDecimalValue().toPlainString();
    } else if (value instanceof BigDecimal decimal) {
      return decimal.toPlainString();
    }
    return value instanceof Integer number ? (Object) number.longValue() : value;
  }
}
