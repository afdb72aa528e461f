package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;

import io.widebeam.change.TableId;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The shop's order view: as a flow, and as the tree of nodes that it means. */
final class Orders {
  static final Flow FLOW =
      Flow.named("Order_SingleView_Sync")
          .connection(
              Connection.mysql(
                  "MySQL_ECommerce", "127.0.0.1", 3306, "ECommerceData", "cdc", "hunter2"))
          .connection(
              Connection.mongodb("MongoDB_ECommerce", "mongodb://127.0.0.1:27017", "ecommerce"))
          .readFrom("MySQL_ECommerce.ecom_orders")
          .lookup(
              "MySQL_ECommerce.ecom_customers",
              path("customer_info"),
              object(),
              on("customer_id", "customer_id"))
          .lookup(
              "MySQL_ECommerce.ecom_order_payments",
              path("order_payments"),
              array(),
              on("order_id", "order_id"))
          .lookup(
              "MySQL_ECommerce.ecom_order_items",
              path("order_items"),
              array(),
              on("order_id", "order_id"))
          .lookup(
              "MySQL_ECommerce.ecom_products",
              path("order_items.product"),
              object(),
              on("order_items.product_id", "product_id"))
          .lookup(
              "MySQL_ECommerce.ecom_sellers",
              path("order_items.seller"),
              object(),
              on("order_items.seller_id", "seller_id"))
          .writeTo("MongoDB_ECommerce.orderSingleView");

  static final ViewNode ROOT =
      ViewNode.root(
          table("ecom_orders"),
          List.of("order_id"),
          List.of(
              lookup("ecom_customers", "customer_info", Embedding.OBJECT, "customer_id"),
              new ViewNode(
                  table("ecom_order_payments"),
                  List.of("order_id", "payment_sequential"),
                  List.of("order_payments"),
                  Embedding.ARRAY,
                  List.of(new JoinColumn("order_id", "order_id")),
                  List.of(),
                  List.of()),
              new ViewNode(
                  table("ecom_order_items"),
                  List.of("order_id", "order_item_id"),
                  List.of("order_items"),
                  Embedding.ARRAY,
                  List.of(new JoinColumn("order_id", "order_id")),
                  List.of(),
                  List.of(
                      lookup("ecom_products", "product", Embedding.OBJECT, "product_id"),
                      lookup("ecom_sellers", "seller", Embedding.OBJECT, "seller_id")))));

  private Orders() {}

  private static ViewNode lookup(String table, String path, Embedding embedding, String key) {
    return new ViewNode(
        table(table),
        List.of(key),
        List.of(path),
        embedding,
        List.of(new JoinColumn(key, key)),
        List.of(),
        List.of());
  }

  private static TableId table(String name) {
    return new TableId("MySQL_ECommerce", "ECommerceData", name);
  }

  /** The shop's database, with nothing wrong about it. */
  static SourceDescription described() {
    Map<String, TableDescription> tables = new TreeMap<>();
    put(tables, "ecom_orders", List.of("order_id"), "order_id", "customer_id", "order_status");
    put(tables, "ecom_customers", List.of("customer_id"), "customer_id", "customer_city");
    put(
        tables,
        "ecom_order_payments",
        List.of("order_id", "payment_sequential"),
        "order_id",
        "payment_sequential",
        "payment_value");
    put(
        tables,
        "ecom_order_items",
        List.of("order_id", "order_item_id"),
        "order_id",
        "order_item_id",
        "product_id",
        "seller_id",
        "price");
    put(tables, "ecom_products", List.of("product_id"), "product_id", "product_weight_g");
    put(tables, "ecom_sellers", List.of("seller_id"), "seller_id", "seller_city");
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, tables, Map.of(), List.copyOf(tables.keySet()), List.of());
  }

  private static void put(
      Map<String, TableDescription> tables, String name, List<String> key, String... columns) {
    tables.put(name, new TableDescription(table(name), List.of(columns), key, 100, true));
  }
}
