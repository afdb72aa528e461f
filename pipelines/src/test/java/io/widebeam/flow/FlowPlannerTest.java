package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.arrayKeys;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.TableId;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FlowPlannerTest {
  private final Map<String, TableDescription> tables = new TreeMap<>(Orders.described().tables());

  private PlannedFlow plan(Flow flow) {
    return new FlowPlanner((source, names) -> described(names), (target, names) -> List.of())
        .plan(flow);
  }

  private PlannedFlow planOnPostgres(Flow flow) {
    return new FlowPlanner(
            (source, names) ->
                new SourceDescription(
                    ConnectorSettings.POSTGRESQL,
                    true,
                    described(names).tables(),
                    Map.of(),
                    List.of(),
                    List.of()),
            (target, names) -> List.of())
        .plan(flow);
  }

  private List<String> problems(Flow flow) {
    return catchThrowableOfType(FlowException.class, () -> plan(flow)).problems().stream()
        .map(problem -> problem.place() + ": " + problem.what() + " | " + problem.remedy())
        .toList();
  }

  private SourceDescription described(Set<String> names) {
    Map<String, TableDescription> asked = new TreeMap<>(tables);
    asked.keySet().retainAll(names);
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, asked, Map.of(), List.copyOf(tables.keySet()), List.of());
  }

  private static Map<String, String> settings(PlannedFlow planned) {
    return planned.sources().get(0).connector().getConfigurationMap();
  }

  private static Flow connections() {
    return Flow.named("flow")
        .connection(Connection.mysql("shop", "h", 3306, "ECommerceData", "cdc", "hunter2"))
        .connection(Connection.mongodb("docs", "mongodb://h", "db"));
  }

  private static ViewBuilder orders() {
    return connections().readFrom("shop.ecom_orders");
  }

  @Test
  void aViewIsItsTreeWithKeysAndItsTarget() {
    PlannedFlow planned = plan(Orders.FLOW);

    assertThat(planned.name()).isEqualTo("Order_SingleView_Sync");
    assertThat(planned.views())
        .containsExactly(
            new PlannedFlow.PlannedView(
                Orders.ROOT,
                new PlannedFlow.PlannedTarget.Mongo(
                    "MongoDB_ECommerce",
                    Secret.of("mongodb://127.0.0.1:27017"),
                    "ecommerce",
                    "orderSingleView",
                    "_version")));
    assertThat(planned.views().get(0).connections()).containsExactly("MySQL_ECommerce");
  }

  @Test
  void deadLettersGoBesideTheFirstViewUnlessTheFlowSaysOtherwise() {
    Flow flow = orders().writeTo("docs.orders");

    assertThat(plan(flow).deadLetters())
        .contains(
            new PlannedFlow.PlannedTarget.Mongo(
                "docs", Secret.of("mongodb://h"), "db", "widebeam_dead_letters", "_version"));
    assertThat(plan(flow.deadLettersTo("docs.letters")).deadLetters().orElseThrow().collection())
        .isEqualTo("letters");
    assertThat(plan(flow.failFast()).deadLetters()).isEmpty();
    assertThat(plan(flow.deadLettersTo("docs.letters").failFast()).deadLetters()).isEmpty();
  }

  @Test
  void aViewWhereDeadLettersGoByDefaultIsReported() {
    Flow flow = orders().writeTo("docs.widebeam_dead_letters");

    assertThat(problems(flow))
        .containsExactly(
            "views: a view writes to `docs.widebeam_dead_letters`, where dead letters go by default"
                + " | name another collection for them, as in: deadLetters: docs.dead_letters");
    assertThat(problems(flow.deadLettersTo("docs.widebeam_dead_letters")))
        .containsExactly(
            "deadLetters: dead letters go to `docs.widebeam_dead_letters`, but so does a view"
                + " | give them a collection of their own");
    assertThat(plan(flow.failFast()).deadLetters()).isEmpty();
  }

  @Test
  void theTargetIsAskedAboutTheDeadLettersCollection() {
    Map<String, Set<String>> asked = new TreeMap<>();
    new FlowPlanner(
            (source, names) -> described(names),
            (target, names) -> {
              asked.put(target.name(), Set.copyOf(names));
              return List.of();
            })
        .plan(orders().writeTo("docs.orders").deadLettersTo("docs.letters"));

    assertThat(asked).isEqualTo(Map.of("docs", Set.of("orders", "letters")));
  }

  @Test
  void theConnectorReadsExactlyTheTablesOfTheFlow() {
    PlannedFlow planned = plan(orders().writeTo("docs.orders"));

    assertThat(planned.sources()).hasSize(1);
    PlannedFlow.PlannedSource source = planned.sources().get(0);
    assertThat(source.connection()).isEqualTo("shop");
    assertThat(source.tables())
        .extracting(table -> table.id().name())
        .containsExactly("ecom_orders");
    assertThat(settings(planned))
        .containsEntry("connector.class", ConnectorSettings.MARIADB)
        .containsEntry("database.hostname", "h")
        .containsEntry("database.port", "3306")
        .containsEntry("database.user", "cdc")
        .containsEntry("database.password", "hunter2")
        .containsEntry("database.include.list", "ECommerceData")
        .containsEntry("table.include.list", "ECommerceData\\.ecom_orders")
        .containsEntry("topic.prefix", "shop");
  }

  @Test
  void theServerIdIsTheSameAtEveryStartAndAnothersInAnotherFlow() {
    assertThat(ConnectorSettings.serverId("flow", "shop"))
        .isEqualTo(ConnectorSettings.serverId("flow", "shop"))
        .isNotEqualTo(ConnectorSettings.serverId("other", "shop"))
        .isBetween(100_000L, 4_294_967_295L);
  }

  @Test
  void postgresNamesAreShortAndPlain() {
    assertThat(ConnectorSettings.postgresName("订单-" + "x".repeat(100), "shop"))
        .matches("widebeam_[a-z0-9_]+")
        .hasSize(63);
  }

  @Test
  void theReaderOfALaterGenerationIsNoOtherToTheServer() {
    String first = ConnectorSettings.postgresName("x".repeat(100), "shop");
    Flow flow =
        Flow.named("x".repeat(100))
            .connection(Connection.postgresql("shop", "h", 5432, "db", "cdc", "hunter2"))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.ecom_orders")
            .writeTo("docs.orders")
            .readFrom("shop.ecom_products")
            .writeTo("docs.products");
    PlannedFlow planned =
        planOnPostgres(flow)
            .withGenerations(
                7_000_000_000_000_000L, Map.of("docs.products", 7_000_000_000_000_001L));

    List<Map<String, String>> readers =
        planned.readers().stream()
            .map(reader -> reader.source().connector().getConfigurationMap())
            .toList();
    assertThat(readers.get(0))
        .containsEntry("table.include.list", "ECommerceData\\.ecom_orders")
        .containsEntry("slot.name", first)
        .containsEntry("publication.name", first)
        .containsEntry("database.password", "hunter2");
    assertThat(readers.get(1))
        .containsEntry("table.include.list", "ECommerceData\\.ecom_products")
        .containsEntry("topic.prefix", "shop")
        .containsEntry("database.hostname", "h")
        .containsEntry("database.password", "hunter2")
        .hasEntrySatisfying("name", name -> assertThat(name).endsWith(".shop@7000000000000001"));
    for (String property : List.of("slot.name", "publication.name")) {
      assertThat(readers.get(1).get(property))
          .matches(ConnectorSettings.postgresNamesAfter(first))
          .hasSize(63);
      assertThat(first).doesNotMatch(ConnectorSettings.postgresNamesAfter(first));
    }
  }

  @Test
  void propertiesPassThroughToTheConnector() {
    Flow flow =
        Flow.named("flow")
            .connection(
                Connection.mysql("shop", "h", 3306, "ECommerceData", "cdc", "")
                    .withProperty("database.server.id", "7"))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.ecom_orders")
            .writeTo("docs.orders");

    assertThat(settings(plan(flow))).containsEntry("database.server.id", "7");
  }

  @Test
  void anotherConnectorTakesItsOwnSettings() {
    Flow flow =
        Flow.named("flow")
            .connection(
                Connection.connector(
                    "shop",
                    ConnectorSettings.MARIADB,
                    "jdbc:x",
                    "cdc",
                    "hunter2",
                    Map.of("database.hostname", "h")))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.ecom_orders")
            .writeTo("docs.orders");

    assertThat(settings(plan(flow)))
        .containsEntry("connector.class", ConnectorSettings.MARIADB)
        .containsEntry("database.hostname", "h")
        .containsEntry("database.user", "cdc")
        .containsEntry("database.password", "hunter2")
        .containsEntry("topic.prefix", "shop")
        .doesNotContainKeys("database.port", "database.server.id");
  }

  @Test
  void soDoesItsReaderOfALaterGenerationWithNamesMadeOfTheConnectorsOwn() {
    Flow flow =
        Flow.named("flow")
            .connection(
                Connection.connector(
                    "shop",
                    ConnectorSettings.POSTGRESQL,
                    "jdbc:x",
                    "cdc",
                    "hunter2",
                    Map.of("publication.autocreate.mode", "filtered")))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.ecom_orders")
            .writeTo("docs.orders");

    PlannedFlow later = planOnPostgres(flow).withGenerations(7L, Map.of("docs.orders", 8L));

    assertThat(later.readers()).hasSize(1);
    assertThat(later.readers().get(0).source().connector().getConfigurationMap())
        .containsEntry("slot.name", "debezium_00000000008")
        .containsEntry("publication.name", "dbz_publication_00000000008")
        .containsEntry("database.password", "hunter2")
        .doesNotContainKeys("database.hostname", "database.port");
  }

  @Test
  void aMissingTableIsReportedWithTheNameThatIsClose() {
    assertThat(problems(connections().readFrom("shop.ecom_order").writeTo("docs.orders")))
        .containsExactly(
            "views[0].from: there is no table `ecom_order` that shop can read | did you mean"
                + " `ecom_orders`?");
  }

  @Test
  void missingColumnsAreReportedWhereTheyAreNamed() {
    assertThat(
            problems(
                orders()
                    .lookup("shop.ecom_customers", path("c"), object(), on("customer_id", "id"))
                    .lookup(
                        "shop.ecom_order_items",
                        path("items"),
                        array(),
                        on("order_id", "order_id"),
                        arrayKeys("order_item"))
                    .lookup(
                        "shop.ecom_products", path("items.p"), on("items.product", "product_id"))
                    .writeTo("docs.orders")))
        .containsExactly(
            "views[0].lookups[0].relation[0]: table `ecom_customers` has no column `id` | columns"
                + " there: customer_id, customer_city",
            "views[0].lookups[1].arrayKeys: table `ecom_order_items` has no column `order_item` |"
                + " did you mean `order_item_id`?",
            "views[0].lookups[2].relation[0]: table `ecom_order_items` has no column `product` |"
                + " did you mean `product_id`?");
  }

  @Test
  void aPairTheWrongWayRoundIsReportedAsSuch() {
    tables.put(
        "buyers",
        new TableDescription(
            new TableId("shop", "ECommerceData", "buyers"), List.of("id"), List.of("id"), 1, true));

    assertThat(
            problems(
                orders()
                    .lookup("shop.buyers", path("buyer"), on("id", "customer_id"))
                    .writeTo("docs.orders")))
        .containsExactly(
            "views[0].lookups[0].relation[0]: the pair [id, customer_id] is the wrong way round |"
                + " a pair is [parent column, child column]: write [customer_id, id]");
  }

  @Test
  void aTableWithoutPrimaryKeyIsReported() {
    tables.computeIfPresent(
        "ecom_orders",
        (name, table) ->
            new TableDescription(table.id(), table.columns(), List.of(), table.rows(), true));

    assertThat(problems(orders().writeTo("docs.orders")))
        .containsExactly(
            "views[0].from: table `ecom_orders` has no primary key, so its rows cannot be told"
                + " apart | ALTER TABLE ecom_orders ADD PRIMARY KEY (...)");
  }

  @Test
  void keysAndJoinsOfTimesFinerThanMillisecondsAreReported() {
    defined("visits", List.of("id", "at"), "id int", "at datetime(6)", "seen datetime(6)");
    defined("fine", List.of("at"), "at datetime(3)", "seen datetime(6)", "clock time(6)");
    defined("unique", List.of("at"), List.of(List.of("id")), "id int", "at timestamp(4)");

    assertThat(plan(connections().readFrom("shop.fine").writeTo("docs.fine"))).isNotNull();
    assertThat(plan(connections().readFrom("shop.unique").key("id").writeTo("docs.unique")))
        .isNotNull();
    String digits = " has %s digits behind the seconds' point, of which 3 are kept: ";
    assertThat(problems(connections().readFrom("shop.visits").writeTo("docs.visits")))
        .containsExactly(
            "views[0].from: the key column `at` of table `visits`"
                + digits.formatted(6)
                + "rows that differ in the others alone would be one | give the column 3 digits,"
                + " as in TIMESTAMP(3), or tell the rows apart by others: key: [...]");
    assertThat(problems(connections().replicate("docs", "shop.unique")))
        .singleElement()
        .asString()
        .contains("the key column `at` of table `unique`" + digits.formatted(4));
    assertThat(
            problems(
                connections()
                    .readFrom("shop.fine")
                    .lookup("shop.unique", path("u"), array(), on("at", "id"))
                    .lookup("shop.fine", path("f"), array(), on("seen", "at"))
                    .writeTo("docs.fine")))
        .containsExactly(
            "views[0].lookups[0].from: the key column `at` of table `unique`"
                + digits.formatted(4)
                + "rows that differ in the others alone would be one | give the column 3 digits,"
                + " as in TIMESTAMP(3)",
            "views[0].lookups[1].relation[0]: the column `seen` of table `fine`"
                + digits.formatted(6)
                + "rows would meet that are not equal | give the column 3 digits, as in"
                + " TIMESTAMP(3), or join by another");
  }

  @Test
  void joinsAndOrdersOfDecimalsBeyondThoseOfBsonAreReported() {
    defined("rates", List.of("id"), "id int", "rate decimal(50,30)", "small decimal(34,10)");

    assertThat(
            plan(
                connections()
                    .readFrom("shop.rates")
                    .lookup(
                        "shop.rates", path("r"), array(), on("small", "small"), arrayKeys("small"))
                    .writeTo("docs.rates")))
        .isNotNull();
    assertThat(
            problems(
                connections()
                    .readFrom("shop.rates")
                    .lookup(
                        "shop.rates", path("r"), array(), on("small", "rate"), arrayKeys("rate"))
                    .writeTo("docs.rates")))
        .containsExactly(
            "views[0].lookups[0].relation[0]: the column `rate` of table `rates` can have more than"
                + " 34 digits, and equals no other number then | give it at most 34 digits, or join"
                + " by another column",
            "views[0].lookups[0].arrayKeys: the column `rate` of table `rates` can have more than"
                + " 34 digits, and has no order then | order by another column, or give it at most"
                + " 34 digits");
  }

  private void defined(String name, List<String> key, String... columns) {
    defined(name, key, List.of(), columns);
  }

  private void defined(
      String name, List<String> key, List<List<String>> uniqueKeys, String... columns) {
    List<ColumnDefinition> definitions =
        Arrays.stream(columns)
            .map(column -> column.split(" "))
            .map(column -> new ColumnDefinition(column[0], SourceTypes.mysql(column[1], 0)))
            .toList();
    tables.put(
        name,
        new TableDescription(
            new TableId("shop", "ECommerceData", name),
            definitions.stream().map(ColumnDefinition::name).toList(),
            key,
            1,
            true,
            Map.of(),
            uniqueKeys,
            definitions));
  }

  @Test
  void aPathThatHidesAColumnIsReported() {
    assertThat(
            problems(
                orders()
                    .lookup(
                        "shop.ecom_customers",
                        path("customer_id"),
                        on("customer_id", "customer_id"))
                    .writeTo("docs.orders")))
        .containsExactly(
            "views[0].lookups[0].path: `customer_id` is a column of `ecom_orders` already | choose"
                + " another path, or rename the column");
  }

  @Test
  void columnsWithNamesThatTheDocumentNeedsAreReported() {
    tables.computeIfPresent(
        "ecom_orders",
        (name, table) ->
            new TableDescription(
                table.id(), List.of("order_id", "_id", "rev"), table.primaryKey(), 1, true));

    assertThat(problems(orders().version("rev").writeTo("docs.orders")))
        .containsExactly(
            "views[0].from: table `ecom_orders` has a column `rev`, which is also the document's"
                + " version field | name another field for the view: version: ...",
            "views[0].from: table `ecom_orders` has a column `_id`, which a document keeps for its"
                + " key | call it otherwise: rename: {_id: ...}");
  }

  @Test
  void aLogThatLeavesOutRowsBeforeIsReported() {
    tables.replaceAll(
        (name, table) ->
            new TableDescription(
                table.id(), table.columns(), table.primaryKey(), table.rows(), false));

    assertThat(
            problems(
                orders()
                    .lookup("shop.ecom_customers", path("c"), on("customer_id", "customer_id"))
                    .writeTo("docs.orders")))
        .containsExactly(
            "views[0].from: table `ecom_orders`: its log leaves out what a row was before a change,"
                + " which the join needs | ALTER TABLE ecom_orders REPLICA IDENTITY FULL",
            "views[0].lookups[0].from: table `ecom_customers`: its log leaves out what a row was"
                + " before a change, which the join needs | ALTER TABLE ecom_customers REPLICA"
                + " IDENTITY FULL");
  }

  @Test
  void findingsOfTheDatabasesHaveTheirPlaces() {
    FlowPlanner planner =
        new FlowPlanner(
            (source, names) ->
                SourceDescription.unreached(new Finding("host", "no such host", "check it")),
            (target, names) -> List.of(new Finding("uri", "refused for " + names, "ask")));

    FlowException problems =
        catchThrowableOfType(
            FlowException.class, () -> planner.plan(orders().writeTo("docs.orders")));

    assertThat(problems.problems())
        .containsExactly(
            new Problem("connections.shop.host", "no such host", "check it"),
            new Problem(
                "connections.docs.uri", "refused for [orders, widebeam_dead_letters]", "ask"));
  }

  @Test
  void aViewWithoutTargetTakesTheDefaultOne() {
    Flow flow = orders().writeToDefaultTarget();

    assertThat(problems(flow))
        .containsExactly(
            "views[0]: the view has no target | name one, as in: to:"
                + " MongoDB_ECommerce.orderSingleView");
    Connection.Mongo target = new Connection.Mongo("embedded", Secret.of("mongodb://e"), "wide");
    assertThat(plan(flow.withDefaultTarget(target)).targets().get(0))
        .isEqualTo(
            new PlannedFlow.PlannedTarget.Mongo(
                "embedded", Secret.of("mongodb://e"), "wide", "ecom_orders", "_version"));
  }

  @Test
  void aFlowBuiltInJavaIsCheckedLikeAFile() {
    Flow flow =
        connections()
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shpo.ecom_orders")
            .lookup("shop.ecom_customers", path("c"))
            .writeTo("docs.orders");

    assertThat(problems(flow))
        .containsExactly(
            "connections.docs: there are two connections called docs | rename one of them",
            "views[0].from: there is no connection called `shpo` | did you mean `shop`?",
            "views[0].lookups[0].relation: the relation has no pairs, so nothing joins"
                + " `shop.ecom_customers` | write at least one, as in: relation: [[order_id,"
                + " order_id]]");
  }

  @Test
  void aTableOfTwoViewsIsReadOnce() {
    Map<String, Integer> asked = new HashMap<>();
    FlowPlanner planner =
        new FlowPlanner(
            (source, names) -> {
              asked.merge(source.name() + names, 1, Integer::sum);
              return described(names);
            },
            (target, names) -> List.of());

    PlannedFlow planned =
        planner.plan(orders().writeTo("docs.a").readFrom("shop.ecom_orders").writeTo("docs.b"));

    assertThat(asked).containsExactly(Map.entry("shop[ecom_orders]", 1));
    assertThat(planned.sources()).hasSize(1);
    assertThat(planned.views()).hasSize(2);
  }
}
