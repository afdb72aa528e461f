package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.arrayKeys;
import static io.widebeam.flow.Lookup.columns;
import static io.widebeam.flow.Lookup.computed;
import static io.widebeam.flow.Lookup.exclude;
import static io.widebeam.flow.Lookup.filter;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static io.widebeam.flow.Lookup.rename;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.TableId;
import io.widebeam.sql.SqlType;
import io.widebeam.view.RowException;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.beam.sdk.util.SerializableUtils;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.Test;

/** From the options of a view's nodes to what its rows become. */
class NodeOptionsTest {
  private static final TableDescription ORDERS =
      new TableDescription(
          new TableId("shop", "db", "orders"),
          List.of("id", "buyer", "state", "total", "Code", "tenant"),
          List.of("id"),
          1,
          true,
          Map.of(
              "id", SqlType.INTEGER,
              "buyer", SqlType.INTEGER,
              "state", SqlType.TEXT,
              "total", SqlType.decimal(10, 2),
              "Code", SqlType.TEXT,
              "tenant", SqlType.INTEGER),
          List.of(List.of("tenant", "Code")));

  private static final TableDescription ITEMS =
      new TableDescription(
          new TableId("shop", "db", "items"),
          List.of("order_id", "line", "price", "note"),
          List.of("order_id", "line"),
          1,
          true,
          Map.of(
              "order_id", SqlType.INTEGER,
              "line", SqlType.INTEGER,
              "price", SqlType.decimal(10, 2),
              "note", SqlType.TEXT),
          List.of());

  private static final String ORDER =
      "{id: 7, buyer: 3, state: 'paid', total: {'$numberDecimal': '12.50'}, Code: 'x', tenant: 1}";

  private static final String CONNECTIONS =
      """
      name: Orders
      connections:
        shop: {type: mysql, host: localhost, database: shop, user: cdc, password: ""}
        docs: {type: mongodb, uri: "mongodb://localhost", database: shop}
      views:
      """;

  private static ViewBuilder orders() {
    return Flow.named("Orders")
        .connection(Connection.mysql("shop", "localhost", 3306, "shop", "cdc", ""))
        .connection(Connection.mongodb("docs", "mongodb://localhost", "shop"))
        .readFrom("shop.orders");
  }

  private static ViewNode plan(Flow flow) {
    return new FlowPlanner((source, names) -> described(names), (target, names) -> List.of())
        .plan(flow)
        .views()
        .get(0)
        .root();
  }

  private static ViewNode plan(ViewBuilder view) {
    return plan(view.writeTo("docs.orders"));
  }

  private static SourceDescription described(Set<String> names) {
    Map<String, TableDescription> tables = new TreeMap<>(Map.of("orders", ORDERS, "items", ITEMS));
    tables.keySet().retainAll(names);
    return new SourceDescription(
        ConnectorSettings.MARIADB, true, tables, Map.of(), List.of("orders", "items"), List.of());
  }

  private static String message(String views) {
    Flow flow = FlowYaml.parse(CONNECTIONS + views, "flow.yaml", name -> null);
    return catchThrowableOfType(FlowException.class, () -> plan(flow)).getMessage();
  }

  /** What a node makes of a row, where the node has been sent to. */
  @Nullable
  private static String row(ViewNode node, String json) {
    ViewNode sent = SerializableUtils.ensureSerializable(node);
    RawBsonDocument row =
        sent.rows().apply(new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec()));
    return row == null ? null : row.toJson().replace('"', '\'').replace("\\u0001", "hidden ");
  }

  @Test
  void onlyTheColumnsNamedAreThereInTheirOrder() {
    ViewNode root = plan(orders().columns("total", "id"));
    assertThat(row(root, ORDER)).isEqualTo("{'total': {'$numberDecimal': '12.50'}, 'id': 7}");
    assertThat(root.primaryKey()).containsExactly("id");
  }

  @Test
  void excludedColumnsAreNotThereAndThoseToComeAre() {
    ViewNode root = plan(orders().exclude("total", "state", "tenant"));
    assertThat(row(root, ORDER.replace("}}", "}").replace("tenant: 1", "tenant: 1, added: 5")))
        .isEqualTo("{'id': 7, 'buyer': 3, 'Code': 'x', 'added': 5}");
  }

  @Test
  void aRenamedColumnIsJoinedByItsNewName() {
    ViewNode root =
        plan(
            orders()
                .columns("id", "buyer")
                .rename("id", "order")
                .lookup(
                    "shop.items",
                    path("items"),
                    array(),
                    on("id", "order_id"),
                    rename("line", "number")));
    assertThat(row(root, ORDER)).isEqualTo("{'order': 7, 'buyer': 3}");
    assertThat(root.primaryKey()).containsExactly("order");
    ViewNode items = root.lookups().get(0);
    assertThat(items.primaryKey()).containsExactly("order_id", "number");
    assertThat(items.relation()).containsExactly(new JoinColumn("order", "order_id"));
  }

  @Test
  void columnsThatTheJoinsNeedStayUnderHiddenNames() {
    ViewNode root =
        plan(
            orders()
                .exclude("id", "buyer", "tenant", "Code")
                .lookup(
                    "shop.items",
                    path("items"),
                    array(),
                    on("id", "order_id"),
                    columns("note"),
                    arrayKeys("price")));
    assertThat(row(root, ORDER))
        .isEqualTo("{'hidden id': 7, 'state': 'paid', 'total': {'$numberDecimal': '12.50'}}");
    ViewNode items = root.lookups().get(0);
    assertThat(row(items, "{order_id: 7, line: 1, price: 3, note: 'n'}"))
        .isEqualTo("{'note': 'n', 'hidden line': 1, 'hidden order_id': 7, 'hidden price': 3}");
    assertThat(items.arrayKeys()).containsExactly(ViewNode.hidden("price"));
    assertThat(items.relation())
        .containsExactly(new JoinColumn(ViewNode.hidden("id"), ViewNode.hidden("order_id")));
  }

  @Test
  void aRowIsThereIfItsFilterIsTrue() {
    ViewNode root = plan(orders().columns("id").filter("state = 'paid'").filter("TOTAL > 12"));
    assertThat(row(root, ORDER)).isEqualTo("{'id': 7}");
    assertThat(row(root, ORDER.replace("paid", "open"))).isNull();
    assertThat(row(root, ORDER.replace("'paid'", "null"))).isNull();
    assertThat(row(root, ORDER.replace("12.50", "11.50"))).isNull();
  }

  @Test
  void aFieldIsComputedFromColumnsThatNeedNotBeShown() {
    ViewNode root =
        plan(
            orders()
                .columns("id")
                .computed("gross", "total * 1.19")
                .computed("label", "CONCAT(code, '-', id)"));
    assertThat(row(root, ORDER))
        .isEqualTo("{'id': 7, 'gross': {'$numberDecimal': '14.8750'}, 'label': 'x-7'}");
  }

  @Test
  void aComputedFieldMayReplaceAColumnThatIsLeftOut() {
    ViewNode root = plan(orders().exclude("total", "state", "Code").computed("total", "total * 2"));
    assertThat(row(root, ORDER))
        .isEqualTo("{'id': 7, 'buyer': 3, 'tenant': 1, 'total': {'$numberDecimal': '25.00'}}");
  }

  @Test
  void javaFunctionsFilterAndComputeAsWell() {
    ViewNode root =
        plan(
            orders()
                .columns("id")
                .filter(row -> row.getInt32("buyer").getValue() == 3)
                .computed("double", row -> new BsonInt32(row.getInt32("id").getValue() * 2))
                .computed("kind", row -> new BsonString("order")));
    assertThat(row(root, ORDER)).isEqualTo("{'id': 7, 'double': 14, 'kind': 'order'}");
    assertThat(row(root, ORDER.replace("buyer: 3", "buyer: 4"))).isNull();
    assertThatThrownBy(() -> row(root, "{id: 7}"))
        .isInstanceOf(RowException.class)
        .hasMessageStartingWith("the filter's Java function fails: ");
  }

  @Test
  void whatFailsOnARowSaysWhichExpressionAndWhy() {
    ViewNode root = plan(orders().computed("number", "CAST(state AS SIGNED)"));
    assertThatThrownBy(() -> row(root, ORDER))
        .isInstanceOf(RowException.class)
        .hasMessage("`CAST(state AS SIGNED)` fails: For input string: \"paid\"");
  }

  @Test
  void documentsMayBeToldApartByAnotherUniqueKey() {
    ViewNode root = plan(orders().exclude("Code").key("Code", "tenant"));
    assertThat(root.primaryKey()).containsExactly(ViewNode.hidden("Code"), "tenant");
  }

  @Test
  void aFileAndJavaSayTheSame() {
    Flow file =
        FlowYaml.parse(
            CONNECTIONS
                + """
                  - from: shop.orders
                    columns: [id, total]
                    rename: {total: sum}
                    filter: total > 0
                    computed: {gross: total * 1.19}
                    key: [id]
                    lookups:
                      - from: shop.items
                        path: items
                        type: array
                        relation: [[id, order_id]]
                        exclude: [note]
                        filter: "price > 1"
                        computed: {cents: price * 100}
                    to: docs.orders
                """,
            "flow.yaml",
            name -> null);
    assertThat(file)
        .isEqualTo(
            orders()
                .columns("id", "total")
                .rename("total", "sum")
                .filter("total > 0")
                .computed("gross", "total * 1.19")
                .key("id")
                .lookup(
                    "shop.items",
                    path("items"),
                    array(),
                    on("id", "order_id"),
                    exclude("note"),
                    filter("price > 1"),
                    computed("cents", "price * 100"))
                .writeTo("docs.orders"));
    assertThat(plan(file).rows())
        .hasToString("columns id, total; total as sum; filter total > 0; gross = total * 1.19");
  }

  @Test
  void everyMistakeInAnExpressionHasItsLineAndColumn() {
    assertThat(
            message(
                """
                  - from: shop.orders
                    filter: totl > 0 AND nope = 1
                    computed:
                      gross: "total * 1.19 +"
                      label: |
                        CONCAT(
                          state,
                          kode)
                      folded: >
                        total
                        + stat
                    lookups:
                      - {from: shop.items, path: items, type: array, relation: [[id, order_id]], filter: "SUM(price) > 3", columns: [prize]}
                    to: docs.orders
                """))
        .isEqualTo(
            """
            flow.yaml:7:13: table `orders` has no column `totl`
                did you mean `total`?
            flow.yaml:7:26: table `orders` has no column `nope`
                did you mean `Code`?
            flow.yaml:9:28: not an SQL expression: Encountered "+ <EOF>"
                texts stand in 'single quotes', and names that are SQL's own words in `backticks`
            flow.yaml:13:11: table `orders` has no column `kode`
                did you mean `Code`?
            flow.yaml:14:15: table `orders` has no column `stat` (line 1, column 9 of it)
                did you mean `state`?
            flow.yaml:18:118: table `items` has no column `prize`
                did you mean `price`?
            flow.yaml:18:91: `SUM` is an aggregate, which is not supported here
                an expression has the columns of one row and no others""");
  }

  @Test
  void columnsAndKeysThatAreNotThereAreReportedWhereTheyAreNamed() {
    assertThat(
            message(
                """
                  - from: shop.orders
                    exclude: [stat]
                    rename: {totl: sum}
                    key: [tenant, Kode]
                    to: docs.orders
                  - from: shop.orders
                    key: [Code]
                    filter: total
                    to: docs.others
                """))
        .isEqualTo(
            """
            flow.yaml:7:15: table `orders` has no column `stat`
                did you mean `state`?
            flow.yaml:8:20: table `orders` has no column `totl`
                did you mean `total`?
            flow.yaml:9:19: table `orders` has no column `Kode`
                did you mean `Code`?
            flow.yaml:13:13: `total` is not a condition: it is true or false of no row
                compare it with something, as in: total = 1
            flow.yaml:12:10: no unique index of table `orders` is over exactly the columns Code, none of them NULL: two rows could have one document
                there are: [tenant, Code]""");
  }

  @Test
  void aFieldThatWouldBeThereTwiceIsReported() {
    assertThat(
            message(
                """
                  - from: shop.orders
                    rename: {total: state}
                    computed: {Code: id + 1, items: "1", _id: "2"}
                    lookups:
                      - {from: shop.items, path: items, type: array, relation: [[id, order_id]]}
                    to: docs.orders
                """))
        .isEqualTo(
            """
            flow.yaml:7:21: the field `state` is there twice: it is also a column of `orders`
                choose another name, or leave the column out: exclude: [state]
            flow.yaml:8:22: the field `Code` is there twice: it is also a column of `orders`
                choose another name, or leave the column out: exclude: [Code]
            flow.yaml:10:34: `items` is a column of `orders` already
                choose another path, or rename the column
            flow.yaml:8:47: the field `_id` of a document is taken by Widebeam
                choose another name""");
  }

  @Test
  void aColumnCalledLikeTheDocumentsKeyMayBeRenamed() {
    TableDescription table =
        new TableDescription(ORDERS.id(), List.of("id", "_id", "_version"), List.of("id"), 1, true);
    Flow flow = orders().rename("_id", "old_id").exclude("_version").writeTo("docs.orders");
    ViewNode root =
        new FlowPlanner(
                (source, names) ->
                    new SourceDescription(
                        ConnectorSettings.MARIADB,
                        true,
                        Map.of("orders", table),
                        Map.of(),
                        List.of(),
                        List.of()),
                (target, names) -> List.of())
            .plan(flow)
            .views()
            .get(0)
            .root();
    assertThat(row(root, "{id: 1, _id: 2, _version: 3}")).isEqualTo("{'id': 1, 'old_id': 2}");
  }
}
