package io.widebeam.runner.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.warehouse.WarehouseVerifier.Comparison;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the demo is held against, without a flow: a comparison that could not fail proves nothing.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class WarehouseVerifierIT {
  private static WarehouseServers servers;

  @BeforeAll
  static void start() throws SQLException {
    servers = WarehouseServers.start(Warehouse.Kind.POSTGRES);
  }

  @AfterAll
  static void stop() {
    servers.close();
  }

  @Test
  void fivePurchasesOnOneDayAddUpInTheShopsOwnSql() throws SQLException {
    assertThat(servers.refusedInserts()).isEqualTo(4);
    try (PhoneShop.Customer customer = PhoneShop.Customer.in(servers.shop());
        Connection shop = servers.shop().connect(PhoneShop.DATABASE);
        Statement statement = shop.createStatement()) {
      for (int i = 0; i < 5; i++) {
        customer.buy();
      }
      String sums = WarehouseFlow.queries().get("dwd_shops");
      try (ResultSet result =
          statement.executeQuery(
              "SELECT sum_fee FROM ("
                  + sums
                  + ") s WHERE order_shop_id = 35 AND ds = '"
                  + customer.day()
                  + "'")) {
        assertThat(result.next()).isTrue();
        assertThat(result.getString(1)).isEqualTo("32495.00");
      }
    }
  }

  @Test
  void rowsThatAreMissingAndRowsThatAreTooManyAreTold() throws SQLException {
    Map<String, Comparison> before = byTable();
    assertThat(before.keySet()).containsExactlyElementsOf(WarehouseFlow.queries().keySet());
    assertThat(before.values()).noneMatch(Comparison::isEqual);

    try (Connection warehouse = servers.warehouse().connect();
        Statement statement = warehouse.createStatement()) {
      statement.execute("CREATE TABLE product_catalog (product_id bigint, catalog_name text)");
      statement.execute(
          "INSERT INTO product_catalog VALUES (1, 'iphone 14'), (2, 'iphone 14 pro max'),"
              + " (3, 'iphone 15'), (4, 'huawei mate 60'), (5, 'huawei pura 70')");
      assertThat(byTable().get("product_catalog").isEqual()).isTrue();
      statement.execute("INSERT INTO product_catalog VALUES (5, 'huawei pura 70')");
      statement.execute("UPDATE product_catalog SET catalog_name = 'x' WHERE product_id = 1");
    }
    Comparison after = byTable().get("product_catalog");
    assertThat(after.missing()).containsExactly("product_id=1, catalog_name=iphone 14");
    assertThat(after.surplus())
        .containsExactlyInAnyOrder(
            "product_id=5, catalog_name=huawei pura 70", "product_id=1, catalog_name=x");
  }

  private static Map<String, Comparison> byTable() throws SQLException {
    List<Comparison> comparisons = WarehouseVerifier.compare(servers);
    Map<String, Comparison> byTable = new java.util.LinkedHashMap<>();
    comparisons.forEach(comparison -> byTable.put(comparison.table(), comparison));
    return byTable;
  }
}
