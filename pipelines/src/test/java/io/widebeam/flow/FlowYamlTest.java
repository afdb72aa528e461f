package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.notify.Channel;
import io.widebeam.notify.Event;
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
  void theExampleOfNotificationsIsAFlow() throws IOException {
    Matcher matcher =
        YAML_BLOCK.matcher(Files.readString(REFERENCE.resolveSibling("notifications.md")));
    assertThat(matcher.find()).isTrue();

    Flow flow = FlowYaml.parse(matcher.group(1), "example", name -> "https://h/" + name);

    assertThat(flow.channels()).hasSize(2);
    assertThat(flow.rules()).containsExactly(new Rule("big_day", "shops", "sum_fee > 10000"));
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
  void notificationsAndRulesAreThoseOfTheJavaApi() {
    Flow flow =
        parse(
            """
            name: Orders
            connections:
              shop: {type: mysql, host: db, database: shop, user: cdc, password: ""}
              docs: {type: mongodb, uri: "mongodb://db", database: shop}
            rollups:
              - {from: shop.orders, groupBy: [day], aggregates: {fee: SUM(fee)}, to: docs.sales}
            notifications:
              - webhook: "https://hooks.example.com/x"
              - webhook: "https://hooks.example.com/${MYSQL_PASSWORD}"
                headers: {Authorization: "Bearer ${MYSQL_PASSWORD}"}
                on: [failure, rules]
              - mail: {host: smtp, from: me@example.com, to: ops@example.com}
                on: loaded
              - mail:
                  host: smtp
                  port: "${PORT}"
                  user: me
                  password: "${MYSQL_PASSWORD}"
                  from: Widebeam <me@example.com>
                  to: [ops@example.com, dev@example.com]
                  tls: none
            rules:
              - {name: big_day, rollup: sales, when: fee > 10000}
            """);

    assertThat(flow.channels())
        .containsExactly(
            Channel.webhook("https://hooks.example.com/x"),
            Channel.webhook("https://hooks.example.com/hunter2")
                .header("Authorization", "Bearer hunter2")
                .on(Event.FAILURE, Event.RULES),
            Channel.mail("smtp", "me@example.com", "ops@example.com").on(Event.LOADED),
            Channel.mail("smtp", "Widebeam <me@example.com>", "ops@example.com", "dev@example.com")
                .login("me", "hunter2")
                .tls(Channel.Tls.NONE)
                .port(3307));
    assertThat(flow.channels().get(2)).extracting("port").isEqualTo(587);
    assertThat(flow.rules()).containsExactly(new Rule("big_day", "sales", "fee > 10000"));
    assertThat(flow.channels().toString()).doesNotContain("hunter2");
  }

  @Test
  void aDriversMessageIsShownWithoutTheFlowsSecrets() {
    Redaction redaction =
        Redaction.of(
            Flow.named("flow")
                .connection(Connection.mysql("a", "h", 1, "d", "u", "first-4711"))
                .connection(Connection.mongodb("b", "mongodb://u:second%404712@h", "d"))
                .connection(
                    Connection.jdbc("c", "jdbc:mariadb://h/d?password=third-4713", "u", "4714"))
                .connection(
                    Connection.mysql("d", "h", 1, "d", "u", "")
                        .withProperty("database.ssl.truststore.password", "fifth-4715"))
                .notify(
                    Channel.webhook("https://h/sixth-4716?k=7")
                        .header("Authorization", "Bearer seventh-4717"))
                .notify(Channel.mail("h", "a@b", "c@d").login("u", "eighth-4718")));

    assertThat(
            redaction.apply(
                "first-4711 second%404712 second@4712 third-4713 4714 fifth-4715"
                    + " POST https://h/sixth-4716?k=7 to /sixth-4716 with seventh-4717, eighth-4718"
                    + " of user u at h/d"))
        .isEqualTo("*** *** *** *** *** *** POST *** to *** with ***, *** of user u at h/d");
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
                    Map.of("p", "hunter2")))
            .notify(Channel.webhook("https://hunter2@h/hunter2?hunter2").header("h", "hunter2"))
            .notify(Channel.mail("h", "a@b", "c@d").login("u", "hunter2"));

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
