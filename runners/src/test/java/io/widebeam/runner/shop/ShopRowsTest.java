package io.widebeam.runner.shop;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShopRowsTest {
  @Test
  void theDataSetsOwnSizeHasItsNumbersOfRows() {
    ShopRows.Counts counts = new ShopRows(99_441).counts();
    assertThat(counts)
        .isEqualTo(new ShopRows.Counts(99_441, 99_441, 103_886, 112_650, 32_951, 3_095));
    assertThat(counts.total()).isEqualTo(451_464);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 300, 5_000})
  void everyTableHasAsManyRowsAsCounted(int orders) throws SQLException {
    ShopRows rows = new ShopRows(orders);
    for (Shop.Table table : Shop.Table.values()) {
      assertThat(generate(rows, table)).as(table.name()).hasSize(rows.counts().of(table));
    }
  }

  @Test
  void theSameSizeGivesTheSameRows() throws SQLException {
    for (Shop.Table table : Shop.Table.values()) {
      assertThat(generate(new ShopRows(200), table)).isEqualTo(generate(new ShopRows(200), table));
    }
  }

  @Test
  void keysAreUniqueAndReferencesAreKept() throws SQLException {
    ShopRows rows = new ShopRows(5_000);
    Set<Object> orders = column(rows, Shop.Table.ORDERS, 0);
    Set<Object> customers = column(rows, Shop.Table.CUSTOMERS, 0);
    assertThat(orders).hasSize(5_000);
    assertThat(customers).hasSize(5_000).containsAll(column(rows, Shop.Table.ORDERS, 1));
    assertThat(orders).containsAll(column(rows, Shop.Table.ORDER_ITEMS, 0));
    assertThat(orders).containsAll(column(rows, Shop.Table.ORDER_PAYMENTS, 0));
    assertThat(column(rows, Shop.Table.PRODUCTS, 0))
        .containsAll(column(rows, Shop.Table.ORDER_ITEMS, 2));
    assertThat(column(rows, Shop.Table.SELLERS, 0))
        .containsAll(column(rows, Shop.Table.ORDER_ITEMS, 3));
  }

  @Test
  void ordersHaveFromNoneToManyItemsNumberedFromOne() throws SQLException {
    Map<Object, Integer> itemsOfOrder = new HashMap<>();
    for (List<Object> item : generate(new ShopRows(5_000), Shop.Table.ORDER_ITEMS)) {
      assertThat(item.get(1)).isEqualTo(itemsOfOrder.merge(item.get(0), 1, Integer::sum));
    }
    assertThat(itemsOfOrder).hasSizeLessThan(5_000);
    assertThat(itemsOfOrder.values()).contains(1, 2, 3, 4);
  }

  @Test
  void someDatesAreMissingAndSomeCitiesAreNotAscii() throws SQLException {
    ShopRows rows = new ShopRows(5_000);
    for (int date = 4; date <= 6; date++) {
      assertThat(column(rows, Shop.Table.ORDERS, date))
          .contains((Object) null)
          .hasSizeGreaterThan(2);
    }
    assertThat(column(rows, Shop.Table.CUSTOMERS, 3)).contains("são josé dos campos");
  }

  private static Set<Object> column(ShopRows rows, Shop.Table table, int column)
      throws SQLException {
    Set<Object> values = new HashSet<>();
    rows.forEach(table, row -> values.add(row[column]));
    return values;
  }

  private static List<List<Object>> generate(ShopRows rows, Shop.Table table) throws SQLException {
    List<List<Object>> generated = new ArrayList<>();
    rows.forEach(
        table,
        row -> generated.add(java.util.Collections.unmodifiableList(java.util.Arrays.asList(row))));
    return generated;
  }
}
