package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FlatTablesTest {
  private static final ColumnType ID = ColumnType.of(Kind.INT64);
  private static final ColumnType TEXT = ColumnType.text(50);

  private static final Map<String, TableDescription> TABLES = new TreeMap<>();

  static {
    table("orders", "id", "customer_id");
    table("customers", "id", "city");
    table("payments", "id", "order_id");
    table("items", "id", "order_id", "product_id");
    table("parts", "id", "item_id");
    table("order_status", "id", "state");
  }

  private static void table(String name, String... columns) {
    TABLES.put(
        name,
        new TableDescription(
                new TableId("shop", "db", name), List.of(columns), List.of("id"), 1, true)
            .withDefinitions(
                Stream.of(columns)
                    .map(column -> new ColumnDefinition(column, column.endsWith("id") ? ID : TEXT))
                    .toList()));
  }

  private static SourceDescription describe(Connection.Source source, Set<String> names) {
    Map<String, TableDescription> asked = new TreeMap<>(TABLES);
    asked.keySet().retainAll(names);
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, asked, Map.of(), List.copyOf(TABLES.keySet()), List.of());
  }

  private static final Flow CONNECTIONS =
      Flow.named("flow")
          .connection(Connection.mariadb("shop", "h", 3306, "db", "cdc", ""))
          .connection(Connection.mongodb("docs", "mongodb://h", "db"))
          .connection(Connection.jdbc("dwh", "jdbc:postgresql://h/db", "u", "p"));

  private static PlannedFlow plan(Flow flow) {
    return new FlowPlanner(FlatTablesTest::describe, (target, names) -> List.of()).plan(flow);
  }

  private static FlatTable layout(Flow flow) {
    return ((PlannedTarget.Jdbc) plan(flow).targets().get(0)).table();
  }

  private static List<String> problems(Flow flow) {
    return catchThrowableOfType(FlowException.class, () -> plan(flow)).problems().stream()
        .map(problem -> problem.place() + ": " + problem.what() + " | " + problem.remedy())
        .toList();
  }

  @Test
  void lookupsHaveTheirPathBeforeTheirColumnsAndArraysAreUnwound() {
    Flow flow =
        CONNECTIONS
            .readFrom("shop.orders")
            .lookup("shop.customers", path("customer_info"), object(), on("customer_id", "id"))
            .lookup("shop.order_status", on("id", "id"))
            .lookup("shop.items", path("items"), array(), on("id", "order_id"))
            .lookup("shop.parts", path("items.parts"), array(), on("items.id", "item_id"))
            .writeTo("dwh.orders_wide");

    assertThat(layout(flow))
        .isEqualTo(
            new FlatTable(
                "orders_wide",
                List.of(
                    Column.of("id", ID),
                    Column.of("customer_id", ID),
                    Column.of("state", TEXT),
                    new Column("customer_info_id", ID, 0, List.of("customer_info", "id")),
                    new Column("customer_info_city", TEXT, 0, List.of("customer_info", "city")),
                    new Column("items_id", ID, 1, List.of("id")),
                    new Column("items_order_id", ID, 1, List.of("order_id")),
                    new Column("items_product_id", ID, 1, List.of("product_id")),
                    new Column("items_parts_id", ID, 2, List.of("id")),
                    new Column("items_parts_item_id", ID, 2, List.of("item_id"))),
                List.of("id"),
                List.of(
                    new UnwoundArray(List.of("items"), List.of("id")),
                    new UnwoundArray(List.of("parts"), List.of("id"))),
                "_version"));
  }

  @Test
  void twoArraysSideBySideAreRefused() {
    Flow flow =
        CONNECTIONS
            .readFrom("shop.orders")
            .lookup("shop.items", path("items"), array(), on("id", "order_id"))
            .lookup("shop.payments", path("payments"), array(), on("id", "order_id"))
            .writeTo("dwh.orders_wide");

    assertThat(problems(flow))
        .containsExactly(
            "views[0].lookups[1]: a flat table cannot unwind both `shop.items` and"
                + " `shop.payments`: its rows would be every pair of their rows | write them to"
                + " two tables, with a view each");
  }

  @Test
  void columnsOfTheSameNameAreRefused() {
    Flow flow =
        CONNECTIONS
            .readFrom("shop.orders")
            .lookup("shop.customers", path("customer"), object(), on("customer_id", "id"))
            .writeTo("dwh.orders_wide");

    assertThat(problems(flow))
        .containsExactly(
            "views[0].lookups[0]: two columns of the flat table would be called `customer_id`:"
                + " `customer_id` of `shop.orders`, and `id` of `shop.customers` | rename one of"
                + " them, or choose another path");
  }

  @Test
  void replicatedTablesAreTheirRowsUnderTheirNames() {
    PlannedFlow planned =
        plan(
            CONNECTIONS
                .replicate("dwh", "shop.order*", "shop.items")
                .replicate("docs", "shop.parts"));

    assertThat(planned.targets().stream().map(PlannedTarget::name))
        .containsExactly("order_status", "orders", "items", "parts");
    PlannedTarget.Jdbc orders = (PlannedTarget.Jdbc) planned.targets().get(1);
    assertThat(orders.table())
        .isEqualTo(
            FlatTable.of(
                "orders",
                List.of(Column.of("id", ID), Column.of("customer_id", ID)),
                List.of("id")));
    assertThat(orders.source()).isPresent();
    assertThat(planned.sources().get(0).tables())
        .extracting(table -> table.id().name())
        .containsExactly("items", "order_status", "orders", "parts");
  }

  @Test
  void patternsWithoutTablesAndTablesWrittenTwiceAreNamed() {
    assertThat(problems(CONNECTIONS.replicate("dwh", "shop.nothing*", "shop.orders", "shop.ord*s")))
        .containsExactly(
            "replicate[0].from[0]: no table of shop has a name like `nothing*` | * stands for any"
                + " characters but a dot",
            "replicate[0].from[2]: `dwh.orders` is written more than once | name each table once");
  }
}
