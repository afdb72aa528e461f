package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class FlowYamlTest {
  private static final Path REFERENCE = Path.of("../docs/flow-file.md");
  private static final Pattern YAML_BLOCK = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);
  private static final Map<String, String> ENVIRONMENT =
      Map.of("MYSQL_PASSWORD", "hunter2", "PORT", "3307");

  private static Flow parse(String text) {
    return FlowYaml.parse(text, "flow.yaml", ENVIRONMENT::get);
  }

  /** The first example of the reference, which is the order view. */
  private static String orders() throws IOException {
    Matcher matcher = YAML_BLOCK.matcher(Files.readString(REFERENCE));
    assertThat(matcher.find()).isTrue();
    return matcher.group(1);
  }

  @Test
  void theFileAndTheJavaApiGiveTheSameFlow() throws IOException {
    assertThat(parse(orders())).isEqualTo(Orders.FLOW).hasSameHashCodeAs(Orders.FLOW);
  }

  @Test
  void theFileAndTheJavaApiGiveTheSamePlan() throws IOException {
    FlowPlanner planner =
        new FlowPlanner((source, tables) -> Orders.described(), (target, names) -> List.of());

    assertThat(planner.plan(parse(orders())).views().get(0).root()).isEqualTo(Orders.ROOT);
    assertThat(planner.plan(Orders.FLOW).views().get(0).root()).isEqualTo(Orders.ROOT);
  }

  @Test
  void everyExampleOfTheReferenceIsAFlow() throws IOException {
    Matcher matcher = YAML_BLOCK.matcher(Files.readString(REFERENCE));
    Map<String, String> environment =
        Map.of("MYSQL_PASSWORD", "a", "POSTGRES_PASSWORD", "b", "SQLSERVER_PASSWORD", "c");
    int examples = 0;
    while (matcher.find()) {
      FlowYaml.parse(matcher.group(1), "example " + ++examples, environment::get);
    }
    assertThat(examples).isEqualTo(3);
  }

  @Test
  void everyOptionHasADefault() {
    Flow flow =
        parse(
            """
            name: Orders
            connections:
              shop: {type: postgresql, host: db, database: shop, user: cdc, password: ""}
            views:
              - from: shop.orders
                lookups:
                  - {from: shop.customers, path: customer, relation: [[customer_id, id]]}
            """);

    Connection.Database shop = (Connection.Database) flow.connections().get(0);
    assertThat(shop.port()).isEqualTo(5432);
    assertThat(shop.properties()).isEmpty();
    View view = flow.views().get(0);
    assertThat(view.to()).isEmpty();
    assertThat(view.versionField()).isEqualTo("_version");
    Lookup lookup = view.lookups().get(0);
    assertThat(lookup.type()).isEqualTo(Lookup.Type.OBJECT);
    assertThat(lookup.arrayKeys()).isEmpty();
    assertThat(flow.deadLetters()).isEmpty();
    assertThat(flow.failsFast()).isFalse();
  }

  @Test
  void everyOptionCanDifferFromItsDefault() {
    Flow flow =
        parse(
            """
            name: Orders
            connections:
              shop:
                type: mariadb
                host: db
                port: "${PORT}"
                database: shop
                user: cdc
                password: "a${MYSQL_PASSWORD}b"
                properties: {snapshot.fetch.size: 100, escaped: "$${PORT}"}
              docs: {type: mongodb, uri: "mongodb://db", database: shop}
            views:
              - from: shop.orders
                lookups:
                  - from: shop.items
                    path: items
                    type: array
                    relation: [[order_id, id], [shop_id, shop]]
                    arrayKeys: [position, item_id]
                to: docs.orders
                version: revision
            deadLetters: docs.letters
            """);

    assertThat(flow.deadLetters()).contains(new TableRef("docs", "letters"));
    assertThat(flow.connections())
        .containsExactly(
            Connection.mariadb("shop", "db", 3307, "shop", "cdc", "ahunter2b")
                .withProperty("snapshot.fetch.size", "100")
                .withProperty("escaped", "${PORT}"),
            Connection.mongodb("docs", "mongodb://db", "shop"));
    assertThat(flow.views())
        .containsExactly(
            new View(
                new TableRef("shop", "orders"),
                List.of(
                    new Lookup(
                        new TableRef("shop", "items"),
                        "items",
                        Lookup.Type.ARRAY,
                        List.of(
                            new Lookup.Pair("order_id", "id"), new Lookup.Pair("shop_id", "shop")),
                        List.of("position", "item_id"))),
                Optional.of(new TableRef("docs", "orders")),
                "revision"));
  }

  @Test
  void otherConnectorsAreNamedByTheirClass() {
    Flow flow =
        parse(
            """
            name: Orders
            connections:
              shop:
                connector.class: com.example.Connector
                url: jdbc:example
                user: cdc
                password: "${MYSQL_PASSWORD}"
                properties: {database.hostname: db}
              dwh: {type: jdbc, url: "jdbc:mariadb://h/dwh", user: u, password: p, properties: {a: b}}
            views:
              - from: shop.orders
            """);

    assertThat(flow.connections())
        .containsExactly(
            Connection.connector(
                "shop",
                "com.example.Connector",
                "jdbc:example",
                "cdc",
                "hunter2",
                Map.of("database.hostname", "db")),
            new Connection.Jdbc(
                "dwh", Secret.of("jdbc:mariadb://h/dwh"), "u", Secret.of("p"), Map.of("a", "b")));
  }

  @Test
  void noSecretIsEverShown() throws IOException {
    Flow flow =
        parse(orders())
            .connection(
                Connection.mysql("more", "h", 1, "d", "u", "hunter2")
                    .withProperty("database.ssl.truststore.password", "hunter2"))
            .connection(Connection.mongodb("docs", "mongodb://u:hunter2@h", "d"))
            .connection(
                Connection.jdbc("dwh", "jdbc:mariadb://h/dwh?password=hunter2", "u", "hunter2"))
            .connection(
                Connection.connector(
                    "other",
                    "c",
                    "jdbc:x?password=hunter2",
                    "u",
                    "hunter2",
                    Map.of("p", "hunter2")));

    assertThat(flow.toString()).doesNotContain("hunter2");
    assertThat(Secret.of("hunter2")).hasToString("***");
    FlowPlanner planner =
        new FlowPlanner((source, tables) -> Orders.described(), (target, names) -> List.of());
    assertThat(planner.plan(flow).toString()).doesNotContain("hunter2");
  }

  @Test
  void aFileThatIsNotThereIsAProblem() {
    assertThatThrownBy(() -> FlowYaml.parse(Path.of("no-such.yaml")))
        .isInstanceOf(FlowException.class)
        .hasMessage("no-such.yaml: there is no such file\n    give the path of a flow file");
  }
}
