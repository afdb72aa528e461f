package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.sql.SqlType;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresCatalogIT {
  private static EmbeddedPostgres server;

  @BeforeAll
  static void start() throws Exception {
    server = EmbeddedPostgres.builder().setServerConfig("wal_level", "logical").start();
    try (Connection connection = server.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'hunter2'");
      statement.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2'");
      statement.execute("CREATE ROLE nobody LOGIN REPLICATION PASSWORD 'hunter2'");
      statement.execute("CREATE DATABASE shop OWNER cdc");
    }
    try (Connection connection = server.getDatabase("cdc", "shop").getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE orders (shop_id int, order_id text, dropped int, customer_id int,"
              + " PRIMARY KEY (order_id, shop_id))");
      statement.execute("ALTER TABLE orders DROP COLUMN dropped");
      statement.execute("INSERT INTO orders VALUES (1, 'a', 7), (1, 'b', 7)");
      statement.execute("CREATE SCHEMA depot");
      statement.execute("CREATE TABLE depot.\"Stock\" (id int PRIMARY KEY, n int)");
      statement.execute("ALTER TABLE depot.\"Stock\" REPLICA IDENTITY FULL");
      statement.execute("CREATE TABLE silent (id int PRIMARY KEY)");
      statement.execute("ALTER TABLE silent REPLICA IDENTITY NOTHING");
      statement.execute("CREATE TABLE late (id int, n int, PRIMARY KEY (id) DEFERRABLE)");
      statement.execute("CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)");
      statement.execute("CREATE VIEW seen AS SELECT * FROM orders");
      statement.execute("GRANT SELECT ON orders TO reader");
    }
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  private static SourceDescription describe(String user, String database, String... tables) {
    return SourceCatalog.jdbc()
        .describe(
            io.widebeam.flow.Connection.postgresql(
                "shop", "localhost", server.getPort(), database, user, "hunter2"),
            Set.of(tables));
  }

  @Test
  void tablesOfEverySchemaAreDescribed() {
    SourceDescription description = describe("cdc", "shop", "orders", "depot.Stock", "missing");

    assertThat(description)
        .usingRecursiveComparison()
        .ignoringFieldsMatchingRegexes(".*definitions", "otherNames")
        .isEqualTo(
            new SourceDescription(
                ConnectorSettings.POSTGRESQL,
                true,
                Map.of(
                    "orders",
                    new TableDescription(
                        new TableId("shop", "public", "orders"),
                        List.of("shop_id", "order_id", "customer_id"),
                        List.of("order_id", "shop_id"),
                        2,
                        false,
                        Map.of(
                            "shop_id", SqlType.INTEGER,
                            "order_id", SqlType.TEXT,
                            "customer_id", SqlType.INTEGER),
                        List.of()),
                    "depot.Stock",
                    new TableDescription(
                        new TableId("shop", "depot", "Stock"),
                        List.of("id", "n"),
                        List.of("id"),
                        0,
                        true,
                        Map.of("id", SqlType.INTEGER, "n", SqlType.INTEGER),
                        List.of())),
                Map.of(),
                List.of(),
                List.of()));
    assertThat(description.otherNames())
        .contains("depot.Stock", "orders", "parts", "seen", "silent");
  }

  @Test
  void whatTheLogCannotGiveIsRefused() {
    assertThat(describe("cdc", "shop", "silent", "late", "parts", "seen").unreadable())
        .isEqualTo(
            Map.of(
                "silent",
                new Finding(
                    "",
                    "the log of table `silent` does not tell its rows by their primary key",
                    "ALTER TABLE \"public\".\"silent\" REPLICA IDENTITY FULL"),
                "late",
                new Finding(
                    "",
                    "the primary key of table `late` is DEFERRABLE, so rows may pass on their keys"
                        + " in an order that the log does not tell from deletions",
                    "ALTER TABLE \"public\".\"late\" DROP CONSTRAINT \"late_pkey\", ADD CONSTRAINT"
                        + " \"late_pkey\" PRIMARY KEY (id)"),
                "parts",
                new Finding(
                    "",
                    "`parts` is a partitioned table, which is not supported yet",
                    "read a table without partitions"),
                "seen",
                JdbcSession.isView("seen")));
  }

  @Test
  void typesAndUniqueKeysAreWhatExpressionsAndKeysNeed() throws Exception {
    try (Connection connection = server.getDatabase("cdc", "shop").getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DOMAIN amount AS numeric(12, 3)");
      statement.execute("CREATE TYPE color AS ENUM ('r', 'g')");
      statement.execute(
          "CREATE TABLE kinds (id bigint PRIMARY KEY, exact numeric(10, 2), any_exact numeric,"
              + " domain amount, approximate real, flag boolean, born date NOT NULL,"
              + " seen timestamp, stamped timestamptz, at time, code char(3) NOT NULL, hue color,"
              + " name uuid, raw bytea, doc jsonb, list int[], maybe int UNIQUE,"
              + " UNIQUE (code, born), UNIQUE (born) DEFERRABLE)");
      statement.execute("CREATE UNIQUE INDEX ON kinds (code) WHERE flag");
      try {
        TableDescription kinds = describe("cdc", "shop", "kinds").tables().get("kinds");
        assertThat(kinds.types())
            .containsExactlyInAnyOrderEntriesOf(
                Map.ofEntries(
                    Map.entry("id", SqlType.INTEGER),
                    Map.entry("exact", SqlType.decimal(10, 2)),
                    Map.entry("any_exact", SqlType.ANY_DECIMAL),
                    Map.entry("domain", SqlType.decimal(12, 3)),
                    Map.entry("approximate", SqlType.DOUBLE),
                    Map.entry("flag", SqlType.BOOLEAN),
                    Map.entry("born", SqlType.DATE),
                    Map.entry("seen", SqlType.DATETIME),
                    Map.entry("stamped", SqlType.DATETIME),
                    Map.entry("at", SqlType.TEXT),
                    Map.entry("code", SqlType.TEXT),
                    Map.entry("hue", SqlType.TEXT),
                    Map.entry("name", SqlType.TEXT),
                    Map.entry("raw", SqlType.BYTES),
                    Map.entry("doc", SqlType.OTHER),
                    Map.entry("list", SqlType.OTHER),
                    Map.entry("maybe", SqlType.INTEGER)));
        assertThat(kinds.uniqueKeys()).containsExactly(List.of("code", "born"));
      } finally {
        statement.execute("DROP TABLE kinds");
      }
    }
  }

  @Test
  void aUserWhoMayNotReadTheTable() {
    assertThat(describe("nobody", "shop", "orders").unreadable())
        .containsEntry(
            "orders",
            new Finding(
                "",
                "user `nobody` may not read table `orders`",
                "GRANT USAGE ON SCHEMA public TO nobody; GRANT SELECT ON \"public\".\"orders\" TO"
                    + " nobody"));
  }

  @Test
  void aUserWhoMayNotReadTheLog() {
    assertThat(describe("reader", "shop", "orders").findings())
        .containsExactly(
            new Finding(
                "user",
                "connection shop: user `reader` may not read the log",
                "ALTER ROLE reader REPLICATION"),
            new Finding(
                "user",
                "connection shop: user `reader` may not publish orders",
                "grant it CREATE on the database and the role that owns the tables, or create the"
                    + " publication yourself and name it: properties: {publication.name: ...,"
                    + " publication.autocreate.mode: disabled}"));
  }

  @Test
  void anUnknownDatabase() {
    assertThat(describe("cdc", "shops", "orders"))
        .isEqualTo(
            SourceDescription.unreached(
                new Finding(
                    "database",
                    "connection shop: there is no database `shops`",
                    "did you mean `shop`?")));
  }

  @Test
  void aLogWithoutRows() throws Exception {
    try (EmbeddedPostgres replica =
        EmbeddedPostgres.builder().setServerConfig("wal_level", "replica").start()) {
      SourceDescription description =
          SourceCatalog.jdbc()
              .describe(
                  io.widebeam.flow.Connection.postgresql(
                      "shop", "localhost", replica.getPort(), "postgres", "postgres", ""),
                  Set.of());

      assertThat(description.findings())
          .containsExactly(
              new Finding(
                  "",
                  "connection shop: the server's wal_level is replica, so its log has no rows",
                  "ALTER SYSTEM SET wal_level = logical, and restart the server"));
    }
  }

  @Test
  void columnsWhoseTextsCompareOtherwiseThanByTheirCharactersAreRefused() throws Exception {
    try (Connection connection = server.getDatabase("postgres", "shop").getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic ="
              + " false)");
      statement.execute("CREATE EXTENSION citext");
      statement.execute("CREATE DOMAIN address AS citext");
      statement.execute(
          "CREATE TABLE texts (plain text, c text COLLATE \"C\", short varchar(9), blanks char(9),"
              + " more char(5), loose text COLLATE loose, ci citext, mail address)");
      statement.execute("GRANT SELECT ON texts TO reader");
    }
    List<TextComparison.Columns> pairs =
        List.of(
            pair("plain", "c"),
            pair("c", "short"),
            pair("blanks", "more"),
            pair("blanks", "short"),
            pair("plain", "loose"),
            pair("ci", "ci"),
            pair("mail", "plain"));

    Map<TextComparison.Columns, TextComparison> found =
        SourceCatalog.jdbc()
            .compareTexts(
                io.widebeam.flow.Connection.postgresql(
                    "shop", "localhost", server.getPort(), "shop", "reader", "hunter2"),
                Set.copyOf(pairs));

    assertThat(found.keySet()).containsExactlyInAnyOrderElementsOf(pairs.subList(2, 7));
    assertThat(found.get(pair("blanks", "more"))).isInstanceOf(TextComparison.ByCollation.class);
    assertThat(found.get(pair("blanks", "short")))
        .isInstanceOfSatisfying(
            TextComparison.Refused.class,
            refused -> assertThat(refused.what()).contains("`blanks` ignores blanks"));
    assertThat(found.get(pair("plain", "loose")))
        .isInstanceOfSatisfying(
            TextComparison.Refused.class,
            refused -> assertThat(refused.what()).contains("`loose` compares texts: loose"));
    assertThat(found.get(pair("mail", "plain")))
        .isInstanceOfSatisfying(
            TextComparison.Refused.class,
            refused -> assertThat(refused.what()).contains("`mail` compares texts: citext"));
  }

  private static TextComparison.Columns pair(String parent, String child) {
    return new TextComparison.Columns("texts", parent, "texts", child);
  }
}
