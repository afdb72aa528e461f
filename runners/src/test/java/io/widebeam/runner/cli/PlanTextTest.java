package io.widebeam.runner.cli;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.columns;
import static io.widebeam.flow.Lookup.filter;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.SourceDescription;
import io.widebeam.flow.TableDescription;
import io.widebeam.sql.SqlType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlanTextTest {
  private static final SourceDescription SHOP =
      new SourceDescription(
          "io.debezium.connector.mariadb.MariaDbConnector",
          true,
          Map.of(
              "orders",
              new TableDescription(
                  new TableId("shop", "db", "orders"),
                  List.of("id", "total", "note"),
                  List.of("id"),
                  3,
                  true,
                  Map.of("total", SqlType.decimal(10, 2)),
                  List.of()),
              "items",
              new TableDescription(
                  new TableId("shop", "db", "items"),
                  List.of("order_id", "line", "price"),
                  List.of("order_id", "line"),
                  9,
                  true,
                  Map.of("price", SqlType.decimal(10, 2)),
                  List.of())),
          Map.of(),
          List.of(),
          List.of());

  @Test
  void theOptionsOfEveryNodeAreShown() {
    Flow flow =
        Flow.named("Orders")
            .connection(Connection.mysql("shop", "localhost", 3306, "db", "cdc", ""))
            .connection(Connection.mongodb("docs", "mongodb://localhost", "db"))
            .readFrom("shop.orders")
            .exclude("id", "note")
            .rename("total", "sum")
            .filter("total > 0")
            .computed("gross", "total * 1.19")
            .lookup(
                "shop.items",
                path("items"),
                array(),
                on("id", "order_id"),
                columns("price"),
                filter(row -> row.containsKey("price")))
            .writeTo("docs.orders");
    FlowPlanner planner = new FlowPlanner((source, names) -> SHOP, (target, names) -> List.of());

    assertThat(PlanText.of(planner.plan(flow)))
        .contains(
            """
            shop.orders  by id  (id not shown; note left out; total as sum; filter total > 0; gross = total * 1.19)
            └─ items []  shop.items  on id = order_id  (columns price; line not shown; order_id not shown; filter a Java function)
            """);
  }
}
