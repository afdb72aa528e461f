package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.notify.Channel;
import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.rollup.Aggregation;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sql.SqlType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.beam.sdk.util.SerializableUtils;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Test;

class RollupsTest {
  private static final Flow SHOP =
      Flow.named("flow")
          .connection(Connection.mariadb("shop", "h", 3306, "db", "cdc", ""))
          .connection(Connection.mongodb("docs", "mongodb://h", "db"))
          .connection(Connection.jdbc("dwh", "jdbc:postgresql://h/db", "u", "p"))
          .readFrom("shop.orders")
          .lookup("shop.customers", path("customer"), object(), on("customer_id", "id"))
          .lookup("shop.items", path("items"), array(), on("id", "order_id"))
          .lookup("shop.parts", path("items.parts"), array(), on("items.id", "item_id"))
          .writeTo("docs.orders");

  private static final Map<String, Map<String, SqlType>> TABLES =
      Map.of(
          "orders",
          columns("id", SqlType.INTEGER, "customer_id", SqlType.INTEGER, "day", SqlType.DATETIME),
          "customers",
          columns("id", SqlType.INTEGER, "city", SqlType.TEXT, "about", SqlType.OTHER),
          "items",
          columns(
              "id", SqlType.INTEGER, "order_id", SqlType.INTEGER, "price", SqlType.decimal(12, 2)),
          "parts",
          columns("id", SqlType.INTEGER, "item_id", SqlType.INTEGER, "weight", SqlType.DOUBLE));

  private static Map<String, SqlType> columns(Object... namesAndTypes) {
    Map<String, SqlType> columns = new LinkedHashMap<>();
    for (int i = 0; i < namesAndTypes.length; i += 2) {
      columns.put((String) namesAndTypes[i], (SqlType) namesAndTypes[i + 1]);
    }
    return columns;
  }

  private static SourceDescription describe(Connection.Source source, Set<String> names) {
    Map<String, TableDescription> tables = new TreeMap<>();
    for (String name : names) {
      Map<String, SqlType> columns = TABLES.get(name);
      if (columns != null) {
        tables.put(
            name,
            new TableDescription(
                    new TableId(source.name(), "db", name),
                    List.copyOf(columns.keySet()),
                    List.of("id"),
                    1,
                    true,
                    columns,
                    List.of())
                .withDefinitions(
                    columns.entrySet().stream()
                        .map(
                            column ->
                                new ColumnDefinition(
                                    column.getKey(),
                                    column.getValue().kind() == SqlType.Kind.DECIMAL
                                        ? ColumnType.decimal(12, 2)
                                        : FlatTables.columnType(column.getValue().kind())))
                        .toList()));
      }
    }
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, tables, Map.of(), List.copyOf(TABLES.keySet()), List.of());
  }

  private static PlannedFlow plan(Flow flow) {
    return new FlowPlanner(RollupsTest::describe, (target, names) -> List.of()).plan(flow);
  }

  private static List<String> problems(Flow flow) {
    return catchThrowableOfType(FlowException.class, () -> plan(flow)).problems().stream()
        .map(problem -> problem.place() + ": " + problem.what() + " | " + problem.remedy())
        .toList();
  }

  /** The rows that a document gives the only rollup, as group and values. */
  private static List<String> rows(Flow flow, String document) {
    Aggregation aggregation = SerializableUtils.clone(plan(flow).rollups().get(0).aggregation());
    List<String> rows = new ArrayList<>();
    aggregation
        .rows()
        .forEach(
            RawBsonDocument.parse(document),
            (group, values) -> rows.add(json(group) + " " + json(values)));
    return rows;
  }

  private static String json(BsonDocument document) {
    return BsonDocument.parse(document.toJson()).toJson();
  }

  private static final Flow SALES =
      SHOP.rollup("docs.orders")
          .unwind("items")
          .groupBy("city", "customer.city")
          .aggregate("fee", "SUM(items.price)")
          .aggregate("orders", "COUNT(DISTINCT id)")
          .writeTo("docs.sales")
          .notify(Channel.webhook("https://h/hook"));

  @Test
  void aRuleMatchesTheRowsOfItsRollupForWhichItIsTrue() {
    PlannedFlow planned =
        plan(SALES.rule("big", "sales", "fee > 10000 AND Sales.City <> 'x' OR orders = 7"));
    PlannedRule rule = planned.rules().get(0);

    assertThat(planned.rulesOf(planned.rollups().get(0))).containsExactly(rule);
    assertThat(matches(rule, "{city: 'a', fee: {$numberDecimal: '10000.01'}, orders: 1}")).isTrue();
    assertThat(matches(rule, "{city: 'a', fee: {$numberDecimal: '10000.00'}, orders: 1}"))
        .isFalse();
    assertThat(matches(rule, "{city: null, fee: {$numberDecimal: '20000'}, orders: 1}")).isFalse();
    assertThat(matches(rule, "{city: null, fee: null, orders: {$numberLong: '7'}}")).isTrue();
  }

  private static boolean matches(PlannedRule rule, String row) {
    RawBsonDocument document = RawBsonDocument.parse(row);
    RawBsonDocument matching = SerializableUtils.clone(rule.matching()).apply(document);
    assertThat(matching == null || matching.equals(document)).isTrue();
    return matching != null;
  }

  @Test
  void aRuleThatIsNoConditionOverTheRowIsAMistake() {
    assertThat(
            problems(
                SALES
                    .rule("typo", "docs.sales", "fees > 10000")
                    .rule("number", "sales", "fee + 1")
                    .rule("hidden", "sales", "price > 1")))
        .containsExactly(
            "rules[0].when: table `sales` has no column `fees` | did you mean `fee`?",
            "rules[1].when: `fee + 1` is not a condition: it is true or false of no row | compare it"
                + " with something, as in: fee + 1 = 1",
            "rules[2].when: table `sales` has no column `price` | columns there: city, fee, orders");
  }

  @Test
  void aViewIsJoinedOnceForItsTargetAndItsRollups() {
    PlannedFlow planned =
        plan(
            SHOP.rollup("docs.orders")
                .groupBy("customer.city")
                .aggregate("orders", "COUNT(*)")
                .writeTo("docs.cities")
                .rollup("docs.orders")
                .aggregate("orders", "count( * )")
                .every(Duration.ZERO)
                .writeTo("dwh.total"));

    assertThat(planned.views()).hasSize(1);
    assertThat(planned.rollupsOf(planned.views().get(0)))
        .extracting(PlannedRollup::name)
        .containsExactly("docs.cities", "dwh.total");
    assertThat(planned.rollups().get(0).aggregation().groupFields())
        .containsExactly("customer_city");
    assertThat(planned.rollups().get(0).period()).isEqualTo(Duration.ofSeconds(1));
    assertThat(planned.rollups().get(0).target())
        .isEqualTo(
            new PlannedTarget.Mongo("docs", Secret.of("mongodb://h"), "db", "cities", "_version"));
    assertThat(planned.rollups().get(1).aggregation().groupFields()).isEmpty();
  }

  @Test
  void rollupsOfATableShareOneViewThatIsNotWritten() {
    PlannedFlow planned =
        plan(
            SHOP.rollup("shop.items")
                .groupBy("order_id")
                .aggregate("sum", "SUM(price)")
                .writeTo("docs.a")
                .rollup("shop.items")
                .aggregate("sum", "SUM(items.price)")
                .writeTo("docs.b"));

    assertThat(planned.views()).hasSize(2);
    PlannedView items = planned.views().get(1);
    assertThat(items.name()).isEqualTo("shop.items");
    assertThat(items.target()).isEmpty();
    assertThat(planned.rollupsOf(items)).hasSize(2);
  }

  @Test
  void aTableHasAColumnForEachGroupAndEachAggregateAsWideAsMySqlsOwn() {
    PlannedFlow planned =
        plan(
            SHOP.rollup("docs.orders")
                .unwind("items.parts")
                .groupBy("city", "customer.city")
                .groupBy("day", "DATE(day)")
                .groupBy("many", "items.price > 100")
                .aggregate("rows", "COUNT(*)")
                .aggregate("items", "COUNT(DISTINCT items.id)")
                .aggregate("sum", "SUM(items.price)")
                .aggregate("avg", "AVG(items.price)")
                .aggregate("mean_id", "AVG(items.parts.id)")
                .aggregate("weight", "MAX(items.parts.weight)")
                .aggregate("ids", "SUM(id)")
                .aggregate("most", "MAX(CAST(items.price AS DECIMAL(40, 2)))")
                .writeTo("dwh.parts_per_day"));

    assertThat(((PlannedTarget.Jdbc) planned.rollups().get(0).target()).table())
        .isEqualTo(
            FlatTable.ofGroups(
                "parts_per_day",
                List.of(
                    Column.of("city", ColumnType.text(0)),
                    Column.of("day", ColumnType.of(Kind.DATE)),
                    Column.of("many", ColumnType.of(Kind.BOOLEAN)),
                    Column.of("rows", ColumnType.of(Kind.INT64)),
                    Column.of("items", ColumnType.of(Kind.INT64)),
                    Column.of("sum", ColumnType.decimal(34, 2)),
                    Column.of("avg", ColumnType.decimal(16, 6)),
                    Column.of("mean_id", ColumnType.decimal(38, 4)),
                    Column.of("weight", ColumnType.of(Kind.FLOAT64)),
                    Column.of("ids", ColumnType.decimal(38, 0)),
                    Column.of("most", ColumnType.decimal(40, 2))),
                List.of("city", "day", "many")));
    assertThat(planned.rollups().get(0).aggregation().aggregates())
        .contains(
            new Aggregate("items", Function.COUNT_DISTINCT),
            new Aggregate("avg", Function.AVG, 6),
            new Aggregate("weight", Function.MAX),
            new Aggregate("most", Function.MAX, -1, true));
  }

  @Test
  void aRowIsGivenForEachElementOfTheInnermostArrayThatMeetsTheFilter() {
    Flow flow =
        SHOP.rollup("docs.orders")
            .unwind("items.parts")
            .filter("items.parts.weight > 1")
            .groupBy("city", "UPPER(customer.city)")
            .groupBy("orders.id")
            .aggregate("rows", "COUNT(*)")
            .aggregate("weight", "SUM(items.parts.weight)")
            .aggregate("cheap", "SUM(items.price < 10)")
            .writeTo("docs.parts");

    assertThat(
            rows(
                flow,
                """
                {"id": 7, "customer": {"city": "Rome"}, "items": [
                  {"id": 1, "price": 5, "parts": [{"weight": 1.5}, {"weight": 0.5}, {"weight": 2.5}]},
                  {"id": 2, "parts": [{"weight": 3.5}]},
                  {"id": 3, "price": 1, "parts": []},
                  {"id": 4}]}\
                """))
        .containsExactly(
            "{\"city\": \"ROME\", \"orders_id\": 7} {\"weight\": 1.5, \"cheap\": 1}",
            "{\"city\": \"ROME\", \"orders_id\": 7} {\"weight\": 2.5, \"cheap\": 1}",
            "{\"city\": \"ROME\", \"orders_id\": 7} {\"weight\": 3.5, \"cheap\": null}");
    assertThat(rows(flow, "{\"id\": 7}")).isEmpty();
  }

  @Test
  void aDocumentWithoutAnObjectHasNullsThere() {
    Flow flow =
        SHOP.rollup("docs.orders")
            .groupBy("customer.city")
            .aggregate("first", "MIN(CONCAT('at ', day))")
            .writeTo("docs.cities");

    assertThat(rows(flow, "{\"id\": 7}"))
        .containsExactly("{\"customer_city\": null} {\"first\": null}");
  }

  @Test
  void everyMistakeIsNamedWhereItStands() {
    String text =
        """
        name: Orders
        connections:
          shop: {type: mysql, host: h, database: db, user: cdc, password: ""}
          docs: {type: mongodb, uri: "mongodb://h", database: db}
        views:
          - from: shop.orders
            lookups:
              - {from: shop.items, path: items, type: array, relation: [[id, order_id]]}
              - {from: shop.customers, path: customer, relation: [[customer_id, id]]}
            to: docs.orders
        rollups:
          - from: docs.orders
            filter: dya > 1
            groupBy: {about: customer.about, city: customer.citty}
            aggregates:
              sum: SUM(items.price)
              more: SUM(id) + SUM(id)
              text: sum(customer.city)
              most: MAX(customer.about)
              all: AVG(*)
              off: >-
                COUNT(DISTINCT idd)
            to: docs.a
          - {from: docs.orders, unwind: item, aggregates: {n: COUNT(*)}, to: docs.b}
          - {from: docs.oders, aggregates: {n: COUNT(*)}, to: docs.c}
          - {from: shop.item, aggregates: {n: COUNT(*)}, to: docs.d}
        """;
    assertThat(problems(FlowYaml.parse(text, "f.yaml", name -> null)))
        .containsExactly(
            "f.yaml:13:13: table `orders` has no column `dya` | did you mean `day`?",
            "f.yaml:14:22: `customer.about` cannot tell groups apart: it is no plain value"
                + " | group by numbers, texts, dates or conditions",
            "f.yaml:14:44: table `orders` has no column `customer.citty`"
                + " | did you mean `customer.city`?",
            "f.yaml:16:16: table `orders` has no column `items.price`"
                + " | `items` is an array, unwind it: unwind: items",
            "f.yaml:17:13: `SUM(id) + SUM(id)` is not an aggregate that is supported | write"
                + " COUNT(*), or COUNT, COUNT(DISTINCT ...), SUM, AVG, MIN or MAX of an expression,"
                + " as in: SUM(price * quantity)",
            "f.yaml:18:13: `customer.city` is no number, which SUM needs | make it one, as in:"
                + " SUM(CAST(customer.city AS DECIMAL(20, 2)))",
            "f.yaml:19:13: `customer.about` has no order, which MAX needs | choose a number, a text"
                + " or a date",
            "f.yaml:20:12: `AVG(*)` has no value to compute with | write COUNT(*), or COUNT,"
                + " COUNT(DISTINCT ...), SUM, AVG, MIN or MAX of an expression, as in: SUM(price *"
                + " quantity)",
            "f.yaml:21:12: table `orders` has no column `idd` (line 1, column 16 of it)"
                + " | did you mean `id`?",
            "f.yaml:24:33: the documents have no array `item` | did you mean `items`?",
            "f.yaml:25:12: no view of this flow writes to `docs.oders`"
                + " | did you mean `docs.orders`?",
            "f.yaml:26:12: there is no table `item` that shop can read | did you mean `items`?");
  }
}
