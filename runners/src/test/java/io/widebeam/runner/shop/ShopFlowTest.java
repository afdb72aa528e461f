package io.widebeam.runner.shop;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowYaml;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ShopFlowTest {
  @Test
  void theFlowFileSaysTheSameAsJava() {
    Map<String, String> environment =
        Map.of(
            "SHOP_PORT", "3307", "SHOP_PASSWORD", "x", "TARGET_URI", "mongodb://127.0.0.1:27017");
    assertThat(FlowYaml.parse(ShopFlow.yaml(), "order-single-view.yaml", environment::get))
        .isEqualTo(
            Flow.named("Order_SingleView_Sync")
                .connection(
                    Connection.mariadb(
                        "MySQL_ECommerce", "127.0.0.1", 3307, Shop.DATABASE, "cdc", "x"))
                .connection(
                    Connection.mongodb(
                        "MongoDB_ECommerce", "mongodb://127.0.0.1:27017", "ecommerce"))
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
                .writeTo("MongoDB_ECommerce.orderSingleView"));
  }

  @Test
  void theShopMayBeInPostgres() {
    Map<String, String> environment =
        Map.of(
            "SHOP_PORT", "5433", "SHOP_PASSWORD", "x", "TARGET_URI", "mongodb://127.0.0.1:27017");
    assertThat(
            FlowYaml.parse(ShopFlow.yaml(ShopSource.Kind.POSTGRESQL), "flow.yaml", environment::get)
                .connections())
        .contains(
            Connection.postgresql("MySQL_ECommerce", "127.0.0.1", 5433, Shop.DATABASE, "cdc", "x"));
  }
}
