package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.notify.Channel;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import io.widebeam.sql.SqlType;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Test;

/** What models become, and what is said of those that are not supported. */
class ModelsTest {
  static final Path SEED =
      Path.of("../runners/src/main/resources/io/widebeam/runner/warehouse/models");

  private static final Map<String, TableDescription> TABLES = new TreeMap<>();

  static {
    table(
        "orders",
        "order_id bigint, user_id varchar(50), shop_id bigint, product_id bigint,"
            + " buy_fee numeric(20,2), create_time timestamp, update_time timestamp, state int");
    table(
        "orders_pay",
        "pay_id bigint, order_id bigint, pay_platform varchar(64), create_time timestamp");
    table("product_catalog", "product_id bigint, catalog_name varchar(50)");
    table("refunds", "refund_id bigint, order_id bigint, amount numeric(20,2)");
  }

  static void table(String name, String columns) {
    List<ColumnDefinition> definitions =
        Stream.of(columns.split(", ?(?![^(]*\\))"))
            .map(column -> column.split(" ", 2))
            .map(
                column ->
                    new ColumnDefinition(
                        column[0], SourceTypes.mysql(column[1], length(column[1]))))
            .toList();
    Map<String, SqlType> types = new HashMap<>();
    definitions.forEach(column -> types.put(column.name(), sqlType(column.type())));
    List<String> names = definitions.stream().map(ColumnDefinition::name).toList();
    TABLES.put(
        name,
        new TableDescription(
                new TableId("tp", "tptest", name),
                names,
                List.of(names.get(0)),
                1,
                true,
                types,
                List.of())
            .withDefinitions(definitions));
  }

  private static long length(String type) {
    return type.startsWith("varchar") ? Long.parseLong(type.replaceAll("\\D", "")) : 0;
  }

  private static SqlType sqlType(ColumnType type) {
    return switch (type.kind()) {
      case DECIMAL -> SqlType.decimal(type.length(), type.scale());
      case TEXT -> SqlType.TEXT;
      case INSTANT, TIMESTAMP -> SqlType.DATETIME;
      default -> SqlType.INTEGER;
    };
  }

  static SourceDescription describe(Connection.Source source, Set<String> names) {
    Map<String, TableDescription> asked = new TreeMap<>(TABLES);
    asked.keySet().retainAll(names);
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, asked, Map.of(), List.copyOf(TABLES.keySet()), List.of());
  }

  static final Flow CONNECTIONS =
      Flow.named("warehouse")
          .connection(Connection.mysql("tp", "h", 3306, "tptest", "cdc", ""))
          .connection(Connection.jdbc("ap", "jdbc:postgresql://h/aptest", "u", "p"));

  static PlannedFlow plan(Flow flow) {
    return new FlowPlanner(ModelsTest::describe, (target, names) -> List.of()).plan(flow);
  }

  private static FlatTable table(PlannedTarget target) {
    return ((PlannedTarget.Jdbc) target).table();
  }

  private static final ColumnType ID = ColumnType.of(Kind.INT64);
  private static final ColumnType TEXT = ColumnType.text(0);

  static Flow seed() {
    return CONNECTIONS.models(
        SEED.resolve("dwd_orders.sql"),
        SEED.resolve("dwd_shops.sql"),
        SEED.resolve("dwd_shops_all.sql"),
        SEED.resolve("dwd_users.sql"));
  }

  @Test
  void theWarehousesModelsAreOneJoinAndThreeRollupsOverIt() {
    PlannedFlow planned = plan(seed());

    assertThat(planned.views()).hasSize(1);
    PlannedView orders = planned.views().get(0);
    assertThat(orders.root().lookups())
        .extracting(ViewNode::embedding)
        .containsExactly(Embedding.OBJECT, Embedding.ARRAY);
    FlatTable table = table(orders.target().orElseThrow());
    assertThat(table.name()).isEqualTo("dwd_orders");
    assertThat(table.columns())
        .startsWith(
            new Column("order_id", ID, 0, List.of("order_id")),
            new Column("order_user_id", ColumnType.text(50), 1, List.of("order_user_id")))
        .endsWith(
            new Column("pay_platform", ColumnType.text(64), 1, List.of("pay_platform")),
            new Column(
                "pay_create_time", ColumnType.of(Kind.INSTANT), 1, List.of("pay_create_time")));
    assertThat(table.documentKey()).containsExactly("order_id");
    assertThat(table.arrays())
        .containsExactly(new UnwoundArray(List.of("rows"), List.of("\u0001p.pay_id")));

    assertThat(planned.rollups())
        .extracting(rollup -> rollup.target().name(), PlannedRollup::view)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("dwd_shops", "ap.dwd_orders"),
            org.assertj.core.groups.Tuple.tuple("dwd_shops_all", "ap.dwd_orders"),
            org.assertj.core.groups.Tuple.tuple("dwd_users", "ap.dwd_orders"));
    assertThat(table(planned.rollups().get(0).target()))
        .isEqualTo(
            FlatTable.ofGroups(
                "dwd_shops",
                List.of(
                    Column.of("order_shop_id", ID),
                    Column.of("ds", ColumnType.of(Kind.DATE)),
                    Column.of("sum_fee", ColumnType.decimal(42, 2)),
                    Column.of("_group1", TEXT)),
                List.of("order_shop_id", "_group1")));
  }

  @Test
  void aRuleIsOverTheRowsOfAGroupingModel() {
    PlannedFlow planned =
        plan(
            seed()
                .notify(Channel.webhook("https://h/hook"))
                .rule("big_day", "dwd_shops", "sum_fee > 10000"));

    PlannedRule rule = planned.rules().get(0);
    assertThat(rule.rollup()).isEqualTo("ap.dwd_shops");
    assertThat(
            rule.matching().apply(RawBsonDocument.parse("{sum_fee: {$numberDecimal: '10000.01'}}")))
        .isNotNull();
    assertThat(
            rule.matching().apply(RawBsonDocument.parse("{sum_fee: {$numberDecimal: '10000.00'}}")))
        .isNull();
  }

  @Test
  void anInnerJoinBelowALeftJoinWithoutAMatchLeavesTheRowOut() {
    PlannedFlow planned =
        plan(
            CONNECTIONS.model(
                Model.of(
                    "paid",
                    "select o.order_id from orders o"
                        + " left join product_catalog c on o.product_id = c.product_id"
                        + " join orders_pay p on c.product_id = p.pay_id")));

    RowFunction row = planned.views().get(0).row().orElseThrow();
    assertThat(row.apply(RawBsonDocument.parse("{order_id: 1}"))).isNull();
    assertThat(row.apply(RawBsonDocument.parse("{order_id: 1, c: {product_id: 5}}"))).isNull();
    assertThat(
            row.apply(RawBsonDocument.parse("{order_id: 1, c: {product_id: 5, p: {pay_id: 5}}}")))
        .isNotNull();
  }

  @Test
  void aColumnThatIsCalledLikeTheKeyAndIsNotItKeepsItsOwnValue() {
    PlannedFlow planned =
        plan(
            CONNECTIONS.model(
                Model.of(
                    "others",
                    "select o.order_id, r.state from orders r"
                        + " left join orders o on r.product_id = o.order_id")));

    FlatTable table = table(planned.views().get(0).target().orElseThrow());
    assertThat(table.documentKeyColumns()).extracting(Column::name).containsExactly("_order_id");
    RawBsonDocument made =
        planned
            .views()
            .get(0)
            .row()
            .orElseThrow()
            .apply(RawBsonDocument.parse("{state: 1, o: {order_id: 7}}"));
    Column shown = table.columns().get(0);
    assertThat(shown.path()).isNotEqualTo(table.documentKey());
    assertThat(made.get(shown.path().get(0)).asNumber().intValue()).isEqualTo(7);
  }

  @Test
  void whatIsGroupedByTwiceIsOneColumnOfTheKey() {
    PlannedFlow planned =
        plan(
            CONNECTIONS.model(
                Model.of("states", "select distinct state as a, state as b from orders")));

    assertThat(table(planned.rollups().get(0).target()).documentKey()).containsExactly("a");
  }

  @Test
  void wordsThatOnlyCalciteReservesAreNames() {
    table("words", "no bigint, language varchar(10), user varchar(10)");
    PlannedFlow planned =
        plan(
            CONNECTIONS.model(
                Model.of(
                    "by_words",
                    "select no, language, count(*) as n from words group by no, language")));

    assertThat(table(planned.rollups().get(0).target()).documentKey())
        .containsExactly("no", "language");
  }
}
