package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.TableId;
import io.widebeam.flow.Connection.Engine;
import io.widebeam.sql.SqlType;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of each thing that can be wrong with a source, by real servers. */
class SourceCatalogIT {
  private static MariaDbServer server;
  private static MariaDbServer withoutLog;

  @BeforeAll
  static void start() throws Exception {
    server =
        MariaDbServer.start(List.of("--log-bin=binlog", "--binlog-format=ROW", "--server-id=1"));
    withoutLog = MariaDbServer.start(List.of());
    for (MariaDbServer each : List.of(server, withoutLog)) {
      each.run(
          "CREATE DATABASE shop",
          "CREATE TABLE shop.orders (shop_id INT, order_id VARCHAR(32), customer_id INT, total"
              + " DECIMAL(10, 2), PRIMARY KEY (order_id, shop_id))",
          "INSERT INTO shop.orders VALUES (1, 'a', 7, 1.50), (1, 'b', 7, 2.50)",
          "CREATE TABLE shop.customers (customer_id INT PRIMARY KEY, name VARCHAR(32))",
          "CREATE TABLE shop.keyless (customer_id INT)",
          "CREATE VIEW shop.seen AS SELECT * FROM shop.orders",
          "CREATE USER cdc@'%' IDENTIFIED BY 'hunter2'",
          "GRANT SELECT, RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO cdc@'%'");
    }
    server.run(
        "CREATE USER reader@'%' IDENTIFIED BY 'hunter2'",
        "GRANT SELECT ON shop.* TO reader@'%'",
        "CREATE USER replicator@'%' IDENTIFIED BY 'hunter2'",
        "GRANT RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO replicator@'%'",
        "GRANT INSERT ON shop.orders TO replicator@'%'",
        "CREATE USER powerful@'%' IDENTIFIED BY 'hunter2'",
        "GRANT ALL PRIVILEGES ON *.* TO powerful@'%'",
        "CREATE ROLE capture",
        "GRANT SELECT, RELOAD, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO capture",
        "CREATE USER member@'%' IDENTIFIED BY 'hunter2'",
        "GRANT capture TO member@'%'",
        "SET DEFAULT ROLE capture FOR member@'%'");
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    withoutLog.close();
  }

  private static final Map<String, SqlType> ORDER_TYPES =
      Map.of(
          "shop_id", SqlType.INTEGER,
          "order_id", SqlType.TEXT,
          "customer_id", SqlType.INTEGER,
          "total", SqlType.decimal(10, 2));

  private static Connection.Database as(String user) {
    return Connection.mysql("shop", "127.0.0.1", server.port(), "shop", user, "hunter2");
  }

  /** The message for a flow that reads a table and, where it is asked for, joins another. */
  private static String message(Connection.Source source, String table, Lookup... lookups) {
    Flow flow =
        Flow.named("flow")
            .connection(source)
            .connection(Connection.mongodb("docs", "mongodb://127.0.0.1", "docs"))
            .view(
                new View(
                    new TableRef("shop", table),
                    List.of(lookups),
                    java.util.Optional.of(new TableRef("docs", "orders")),
                    "_version"));
    FlowPlanner planner = new FlowPlanner(SourceCatalog.jdbc(), (target, names) -> List.of());
    return catchThrowableOfType(FlowException.class, () -> planner.plan(flow)).getMessage();
  }

  @ParameterizedTest
  @EnumSource(
      value = Engine.class,
      names = {"MYSQL", "MARIADB"})
  void aMariaDbServerIsDescribedWhicheverTypeItWasDeclaredAs(Engine engine) {
    Connection.Database source =
        new Connection.Database(
            "shop",
            engine,
            "127.0.0.1",
            server.port(),
            "shop",
            "cdc",
            Secret.of("hunter2"),
            Map.of());

    SourceDescription description = SourceCatalog.jdbc().describe(source, Set.of("orders"));

    assertThat(description)
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*definitions", "otherNames")
        .isEqualTo(
            new SourceDescription(
                ConnectorSettings.MARIADB,
                true,
                Map.of(
                    "orders",
                    new TableDescription(
                        new TableId("shop", "shop", "orders"),
                        List.of("shop_id", "order_id", "customer_id", "total"),
                        List.of("order_id", "shop_id"),
                        2,
                        true,
                        ORDER_TYPES,
                        List.of())),
                Map.of(
                    "seen",
                    new Finding(
                        "",
                        "`seen` is a view of the database, and the log has no changes of views",
                        "read the tables behind it, and join them with lookups")),
                List.of(),
                List.of()));
    assertThat(description.otherNames()).contains("customers", "keyless", "orders", "seen");
  }

  @Test
  void typesAndUniqueKeysAreWhatExpressionsAndKeysNeed() throws Exception {
    server.run(
        "CREATE TABLE shop.kinds (id BIGINT UNSIGNED PRIMARY KEY, tiny TINYINT(1), big BIGINT,"
            + " exact DECIMAL(38, 10) UNSIGNED, approximate FLOAT, flag BIT(1), bits BIT(9),"
            + " born DATE NOT NULL, seen DATETIME(6), stamped TIMESTAMP NULL, at TIME, made YEAR,"
            + " code CHAR(3) NOT NULL, note LONGTEXT, color ENUM('r', 'g'), raw VARBINARY(8),"
            + " place POINT, maybe INT, UNIQUE both_ways (code, born), UNIQUE nullable (maybe))");
    try {
      TableDescription kinds =
          SourceCatalog.jdbc().describe(as("cdc"), Set.of("kinds")).tables().get("kinds");
      assertThat(kinds.types())
          .containsExactlyInAnyOrderEntriesOf(
              Map.ofEntries(
                  Map.entry("id", SqlType.decimal(20, 0)),
                  Map.entry("tiny", SqlType.INTEGER),
                  Map.entry("big", SqlType.INTEGER),
                  Map.entry("exact", SqlType.decimal(38, 10)),
                  Map.entry("approximate", SqlType.DOUBLE),
                  Map.entry("flag", SqlType.BOOLEAN),
                  Map.entry("bits", SqlType.BYTES),
                  Map.entry("born", SqlType.DATE),
                  Map.entry("seen", SqlType.DATETIME),
                  Map.entry("stamped", SqlType.DATETIME),
                  Map.entry("at", SqlType.TEXT),
                  Map.entry("made", SqlType.INTEGER),
                  Map.entry("code", SqlType.TEXT),
                  Map.entry("note", SqlType.TEXT),
                  Map.entry("color", SqlType.TEXT),
                  Map.entry("raw", SqlType.BYTES),
                  Map.entry("place", SqlType.OTHER),
                  Map.entry("maybe", SqlType.INTEGER)));
      assertThat(kinds.uniqueKeys()).containsExactly(List.of("code", "born"));
    } finally {
      server.run("DROP TABLE shop.kinds");
    }
  }

  @Test
  void anUnknownHost() {
    assertThat(
            message(
                Connection.mysql("shop", "no-such-host.invalid", 3306, "shop", "cdc", "hunter2"),
                "orders"))
        .isEqualTo(
            """
            connections.shop.host: connection shop: no host is known as `no-such-host.invalid`
                check the spelling, and that this machine can resolve the name""");
  }

  @Test
  void aPortThatNothingListensOn() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    for (Connection.Database source :
        List.of(
            Connection.mysql("shop", "127.0.0.1", port, "shop", "cdc", "hunter2"),
            Connection.mariadb("shop", "127.0.0.1", port, "shop", "cdc", "hunter2"),
            Connection.postgresql("shop", "127.0.0.1", port, "shop", "cdc", "hunter2"))) {
      assertThat(message(source, "orders"))
          .isEqualTo(
              """
              connections.shop.port: connection shop: nothing answers at 127.0.0.1:%d
                  check host and port, and that the server is running"""
                  .formatted(port));
    }
  }

  @Test
  void aServerThatNeverAnswers() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(
              message(
                  Connection.mariadb(
                      "shop", "127.0.0.1", silent.getLocalPort(), "shop", "cdc", "hunter2"),
                  "orders"))
          .isEqualTo(
              """
              connections.shop.host: connection shop: 127.0.0.1:%d cannot be reached
                  check host and port, and the firewalls on the way"""
                  .formatted(silent.getLocalPort()));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Engine.class,
      names = {"MYSQL", "MARIADB"})
  void aWrongPassword(Engine engine) {
    assertThat(
            message(
                new Connection.Database(
                    "shop",
                    engine,
                    "127.0.0.1",
                    server.port(),
                    "shop",
                    "cdc",
                    Secret.of("hunter3"),
                    Map.of()),
                "orders"))
        .isEqualTo(
            """
            connections.shop.user: connection shop: 127.0.0.1:%d refuses user `cdc` with this password
                check user and password, and from which hosts the server lets the user in"""
                .formatted(server.port()));
  }

  @Test
  void anUnknownDatabase() {
    assertThat(
            message(
                Connection.mysql("shop", "127.0.0.1", server.port(), "shops", "cdc", "hunter2"),
                "orders"))
        .isEqualTo(
            """
            connections.shop.database: connection shop: there is no database `shops` that user `cdc` may see
                did you mean `shop`?""");
  }

  @Test
  void anUnknownTable() {
    assertThat(message(as("cdc"), "order"))
        .isEqualTo(
            """
            views[0].from: there is no table `order` that shop can read
                did you mean `orders`?""");
  }

  @Test
  void aView() {
    assertThat(message(as("cdc"), "seen"))
        .isEqualTo(
            """
            views[0].from: `seen` is a view of the database, and the log has no changes of views
                read the tables behind it, and join them with lookups""");
  }

  @Test
  void anUnknownColumn() {
    assertThat(
            message(
                as("cdc"),
                "orders",
                Lookup.of(
                    "shop.customers", Lookup.path("buyer"), Lookup.on("buyer_id", "customer_id"))))
        .isEqualTo(
            """
            views[0].lookups[0].relation[0]: table `orders` has no column `buyer_id`
                columns there: shop_id, order_id, customer_id, total""");
  }

  @Test
  void aTableWithoutPrimaryKey() {
    assertThat(message(as("cdc"), "keyless"))
        .isEqualTo(
            """
            views[0].from: table `keyless` has no primary key, so its rows cannot be told apart
                ALTER TABLE keyless ADD PRIMARY KEY (...)""");
  }

  @Test
  void aServerWithoutBinaryLog() {
    assertThat(
            message(
                Connection.mariadb(
                    "shop", "127.0.0.1", withoutLog.port(), "shop", "cdc", "hunter2"),
                "orders"))
        .isEqualTo(
            """
            connections.shop: connection shop: the server keeps no binary log (log_bin is OFF)
                restart it with log_bin, binlog_format=ROW and a server_id in its configuration""");
  }

  @Test
  void aBinaryLogWithoutWholeRows() throws Exception {
    server.run("SET GLOBAL binlog_format = 'MIXED'", "SET GLOBAL binlog_row_image = 'MINIMAL'");
    try {
      assertThat(message(as("cdc"), "orders"))
          .isEqualTo(
              """
              connections.shop: connection shop: the server's binlog_format is MIXED, so its log does not hold whole rows
                  SET GLOBAL binlog_format = 'ROW', and the same in its configuration; writers must connect anew
              connections.shop: connection shop: the server's binlog_row_image is MINIMAL, so its log does not hold whole rows
                  SET GLOBAL binlog_row_image = 'FULL', and the same in its configuration; writers must connect anew""");
    } finally {
      server.run("SET GLOBAL binlog_format = 'ROW'", "SET GLOBAL binlog_row_image = 'FULL'");
    }
  }

  @Test
  void aBinaryLogThatIsCompressed() throws Exception {
    server.run("SET GLOBAL log_bin_compress = ON");
    try {
      assertThat(message(as("cdc"), "orders"))
          .isEqualTo(
              """
              connections.shop: connection shop: the server compresses its log (log_bin_compress is ON), so its rows cannot be read
                  SET GLOBAL log_bin_compress = OFF, and the same in its configuration""");
    } finally {
      server.run("SET GLOBAL log_bin_compress = OFF");
    }
  }

  @Test
  void aUserWhoMayNotReadTheLog() {
    assertThat(message(as("reader"), "orders"))
        .isEqualTo(
            """
            connections.shop.user: connection shop: user `reader` lacks the privileges to read the binary log: REPLICATION SLAVE, BINLOG MONITOR, RELOAD
                GRANT REPLICATION SLAVE, BINLOG MONITOR, RELOAD ON *.* TO 'reader'@'%'""");
  }

  @Test
  void aUserWhoMayNotReadTheTable() {
    assertThat(message(as("replicator"), "orders"))
        .isEqualTo(
            """
            views[0].from: user `replicator` may not read table `orders`
                GRANT SELECT ON `shop`.* TO 'replicator'@'%'""");
  }

  @Test
  void privilegesMayComeFromARoleOrBeAllOfThem() {
    for (String user : List.of("member", "powerful")) {
      assertThat(SourceCatalog.jdbc().describe(as(user), Set.of("orders")).findings()).isEmpty();
    }
  }

  @Test
  void foreignKeysThatChangeRowsUnseenAreToldOf() throws Exception {
    server.run(
        "CREATE TABLE shop.depots (id INT PRIMARY KEY, city INT, UNIQUE (city))",
        "CREATE TABLE shop.stock (id INT PRIMARY KEY, depot INT, city INT, other INT,"
            + " CONSTRAINT moved FOREIGN KEY (depot) REFERENCES shop.depots (id)"
            + " ON DELETE CASCADE ON UPDATE CASCADE,"
            + " CONSTRAINT `gone` FOREIGN KEY (city) REFERENCES shop.depots (city)"
            + " ON DELETE SET NULL,"
            + " FOREIGN KEY (other) REFERENCES shop.depots (id))");

    SourceDescription description = SourceCatalog.jdbc().describe(as("cdc"), Set.of("stock"));

    assertThat(description.findings()).isEmpty();
    assertThat(description.cautions())
        .containsExactlyInAnyOrder(
            new Finding(
                "",
                "connection shop: rows of table `stock` that its foreign key `moved` changes (ON"
                    + " DELETE CASCADE ON UPDATE CASCADE) do not come into the server's log; so"
                    + " what is written of them stays as it was",
                "change them first, in the application or in a trigger BEFORE DELETE or UPDATE of"
                    + " `depots`"),
            new Finding(
                "",
                "connection shop: rows of table `stock` that its foreign key `gone` changes (ON"
                    + " DELETE SET NULL) do not come into the server's log; so what is written of"
                    + " them stays as it was",
                "change them first, in the application or in a trigger BEFORE DELETE or UPDATE of"
                    + " `depots`"));
    assertThat(SourceCatalog.jdbc().describe(as("cdc"), Set.of("depots")).cautions()).isEmpty();
  }

  @Test
  void anotherConnectorsTablesAreLookedUpByItsUrl() {
    Connection.Connector source =
        Connection.connector(
            "shop",
            ConnectorSettings.MARIADB,
            "jdbc:mariadb://127.0.0.1:" + server.port() + "/shop",
            "cdc",
            "hunter2",
            Map.of());

    SourceDescription description = SourceCatalog.jdbc().describe(source, Set.of("orders"));

    assertThat(description.tables())
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*definitions")
        .isEqualTo(
            Map.of(
                "orders",
                new TableDescription(
                    new TableId("shop", "shop", "orders"),
                    List.of("shop_id", "order_id", "customer_id", "total"),
                    List.of("order_id", "shop_id"),
                    2,
                    true,
                    ORDER_TYPES,
                    List.of())));
    assertThat(description.otherNames()).contains("customers", "shop.customers");
  }

  @Test
  void anotherConnectorThatIsNotThere() {
    assertThat(
            message(
                Connection.connector("shop", "com.example.No", "jdbc:x", "u", "", Map.of()), "t"))
        .isEqualTo(
            """
            connections.shop.connector.class: connection shop: there is no class com.example.No
                check the name, and put the connector's jars on the class path""");
    assertThat(
            message(
                Connection.connector(
                    "shop", ConnectorSettings.MARIADB, "jdbc:none:x", "u", "", Map.of()),
                "t"))
        .isEqualTo(
            """
            connections.shop.url: connection shop: no JDBC driver here understands the URL
                check how it starts, and put the database's JDBC driver on the class path""");
  }

  @Test
  void columnsWhoseTextsCannotBeComparedAsTheServerDoesAreRefused() throws Exception {
    server.run(
        "CREATE TABLE shop.codes (id INT PRIMARY KEY,"
            + " general VARCHAR(9) COLLATE utf8mb4_general_ci,"
            + " bytes VARCHAR(9) COLLATE utf8mb4_nopad_bin,"
            + " czech VARCHAR(9) COLLATE utf8mb4_czech_ci,"
            + " number INT, day DATE) CHARACTER SET utf8mb4");

    String message =
        message(
            as("cdc"),
            "codes",
            Lookup.of("shop.codes", Lookup.path("a"), Lookup.on("czech", "czech")),
            Lookup.of("shop.codes", Lookup.path("b"), Lookup.on("general", "czech")),
            Lookup.of("shop.codes", Lookup.path("c"), Lookup.on("general", "number")),
            Lookup.of("shop.codes", Lookup.path("d"), Lookup.on("general", "day")),
            Lookup.of("shop.codes", Lookup.path("e"), Lookup.on("general", "bytes")));

    assertThat(message)
        .contains(
            "joins outside of the database cannot follow how utf8mb4_czech_ci compares texts",
            "`general` compares texts by utf8mb4_general_ci and `czech` by utf8mb4_czech_ci",
            "one of `general` and `number` holds texts, the other one numbers",
            "`general` holds texts and `day` does not",
            "ALTER TABLE ... MODIFY ... COLLATE")
        .doesNotContain("bytes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"INET4", "INET6"})
  void aTableWithAColumnOfATypeThatTheLogCannotBeReadOfIsRefused(String type) throws Exception {
    server.run("CREATE TABLE shop.hosts_" + type + " (id INT PRIMARY KEY, ip " + type + ")");

    assertThat(message(as("cdc"), "hosts_" + type))
        .contains("column `ip` of table `hosts_" + type + "` has the type " + type)
        .contains("ALTER TABLE `hosts_" + type + "` MODIFY `ip` VARCHAR(45)");
  }
}
