package io.widebeam.runner.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.flow.Connection;
import io.widebeam.flow.Flow;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import org.bson.Document;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The JSON behind the page, over a JDBC table in memory and a MongoDB stand-in. */
class DashboardTest {
  private static final String URL = "jdbc:h2:mem:dashboard";
  private static final String PASSWORD = "hush-hush";
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private static java.sql.Connection database;
  private static EmbeddedMongo mongo;
  private static Dashboard dashboard;

  @BeforeAll
  static void start() throws Exception {
    // In memory, the database lives as long as this connection.
    database = DriverManager.getConnection(URL, "dwh", PASSWORD);
    try (Statement statement = database.createStatement()) {
      statement.execute(
          """
          CREATE TABLE "dwd_shops" ("order_shop_id" BIGINT, "ds" DATE, "sum_fee" DECIMAL(38, 2),
            "_version" BIGINT, PRIMARY KEY ("order_shop_id", "ds"))
          """);
      statement.execute(
          """
          INSERT INTO "dwd_shops" VALUES (35, '2024-07-01', 32495.00, 1), (35, '2024-06-30', 6499, 1),
            (36, '2024-07-01', 0.10, 1)
          """);
      statement.execute(
          "CREATE TABLE \"product_new\" (\"id\" INT PRIMARY KEY, \"_version\" BIGINT)");
      statement.execute("CREATE TABLE \"product_else\" (\"id\" INT PRIMARY KEY)");
    }
    mongo = EmbeddedMongo.start();
    try (MongoClient client = MongoClients.create(mongo.uri())) {
      MongoCollection<Document> documents = client.getDatabase("docs").getCollection("orders");
      documents.insertMany(
          List.of(
              order(1, "2024-07-01T10:00:00Z", "10.50", "Oslo"),
              order(2, "2024-07-01T23:59:59.999Z", "0.25", "Rome"),
              order(3, "2024-07-02T00:00:00Z", "7", "Oslo")));
    }
    dashboard =
        Dashboard.start(
            Flow.named("Warehouse")
                .connection(Connection.mysql("tp", "none", 1, "tp", "cdc", PASSWORD))
                .connection(Connection.jdbc("ap", URL, "dwh", PASSWORD))
                .connection(Connection.mongodb("docs", mongo.uri(), "docs"))
                .readFrom("tp.shops")
                .writeTo("ap.dwd_shops")
                .readFrom("tp.orders")
                .writeTo("docs.orders")
                .readFrom("tp.later")
                .writeTo("ap.later")
                .replicate("ap", "tp.product*"),
            InetAddress.getLoopbackAddress(),
            0);
  }

  private static Document order(int id, String paid, String fee, String city) {
    return new Document("_id", id)
        .append("paid", java.util.Date.from(Instant.parse(paid)))
        .append("fee", new Decimal128(new BigDecimal(fee)))
        .append("customer", new Document("city", city))
        .append("items", List.of(new Document("name", "a")))
        .append("_version", 5L);
  }

  @AfterAll
  static void stop() throws SQLException {
    dashboard.close();
    mongo.close();
    database.close();
  }

  @Test
  void theTablesAreWhatTheFlowWritesWithTheColumnsThatMostLikelyMatter() throws Exception {
    JsonNode answer = json("api/tables");

    assertThat(answer.get("flow").asText()).isEqualTo("Warehouse");
    assertThat(answer.findValuesAsText("id"))
        .containsExactly("ap.dwd_shops", "docs.orders", "ap.later", "ap.product_new");
    JsonNode shops = answer.get("tables").get(0);
    assertThat(shops.get("date").asText()).isEqualTo("ds");
    assertThat(shops.get("number").asText()).isEqualTo("sum_fee");
    assertThat(shops.get("group").asText()).isEqualTo("order_shop_id");
    assertThat(shops.get("columns").findValuesAsText("kind"))
        .containsExactly("integer", "date", "decimal", "integer");
    assertThat(answer.get("tables").get(2).get("problem").asText()).contains("not there yet");
  }

  @Test
  void rowsAreTextsAsExactAsTheDatabaseHasThemTheLatestDayFirst() throws Exception {
    JsonNode answer = json("api/rows?table=ap.dwd_shops&limit=2");

    assertThat(answer.get("rows").toString())
        .isEqualTo(
            "[[\"35\",\"2024-07-01\",\"32495.00\",\"1\"],[\"36\",\"2024-07-01\",\"0.10\",\"1\"]]");
    assertThat(answer.get("more").asBoolean()).isTrue();
  }

  @Test
  void aGroupFiltersRowsAndSums() throws Exception {
    String shop = "table=ap.dwd_shops&group=order_shop_id&value=35";

    assertThat(json("api/rows?" + shop).get("rows")).hasSize(2);
    JsonNode sums = json("api/sums?" + shop + "&date=ds&number=sum_fee");
    assertThat(sums.get("days").findValuesAsText("day"))
        .containsExactly("2024-06-30", "2024-07-01");
    assertThat(sums.get("days").findValuesAsText("sum")).containsExactly("6499.00", "32495.00");
    assertThat(sums.get("total").asText()).isEqualTo("38994.00");
  }

  @Test
  void aValueThatIsNoneOfTheColumnsTypeMatchesNothing() throws Exception {
    assertThat(json("api/rows?table=ap.dwd_shops&group=order_shop_id&value=x").get("rows"))
        .isEmpty();
    assertThat(json("api/rows?table=ap.dwd_shops&group=ds&value=2024-06-30").get("rows"))
        .hasSize(1);
  }

  @Test
  void theSumsOfADayAddUpItsGroups() throws Exception {
    JsonNode sums = json("api/sums?table=ap.dwd_shops&date=ds&number=sum_fee");

    assertThat(sums.get("days").findValuesAsText("sum")).containsExactly("6499.00", "32495.10");
  }

  @Test
  void theValuesOfAColumnAreThereToChooseFrom() throws Exception {
    JsonNode values = json("api/values?table=ap.dwd_shops&column=order_shop_id");

    assertThat(values.toString()).isEqualTo("{\"values\":[\"35\",\"36\"],\"more\":false}");
  }

  @Test
  void documentsAreRowsWithTheFieldsOfEmbeddedOnesByTheirPaths() throws Exception {
    JsonNode answer = json("api/rows?table=docs.orders&group=customer.city&value=Rome");

    assertThat(answer.get("columns").toString())
        .isEqualTo("[\"_id\",\"paid\",\"fee\",\"customer.city\",\"items\",\"_version\"]");
    assertThat(answer.get("rows").toString())
        .isEqualTo(
            "[[\"2\",\"2024-07-01T23:59:59.999Z\",\"0.25\",\"Rome\",\"[{\\\"name\\\":"
                + " \\\"a\\\"}]\",\"5\"]]");
    assertThat(json("api/rows?table=docs.orders&group=_id&value=3").get("rows")).hasSize(1);
  }

  @Test
  void documentsAddUpByDayInUtc() throws Exception {
    JsonNode sums = json("api/sums?table=docs.orders&date=paid&number=fee");

    assertThat(sums.get("days").findValuesAsText("day"))
        .containsExactly("2024-07-01", "2024-07-02");
    assertThat(sums.get("days").findValuesAsText("sum")).containsExactly("10.75", "7");
    assertThat(json("api/values?table=docs.orders&column=customer.city").get("values").toString())
        .isEqualTo("[\"Oslo\",\"Rome\"]");
  }

  @Test
  void aMistakeIsAnsweredWithWhatThereIs() throws Exception {
    HttpResponse<String> table = get("api/rows?table=ap.other");
    assertThat(table.statusCode()).isEqualTo(404);
    assertThat(table.body()).contains("ap.other").contains("ap.dwd_shops");

    HttpResponse<String> column = get("api/sums?table=ap.dwd_shops&date=ds&number=fee");
    assertThat(column.statusCode()).isEqualTo(400);
    assertThat(column.body()).contains("number=fee").contains("sum_fee");

    assertThat(get("api/rows").body()).contains("the parameter table is missing");
    assertThat(get("api/rows?table=ap.later").body()).contains("ap.later is not there yet");
    assertThat(get("api/rows?table=ap.dwd_shops&limit=-1").statusCode()).isEqualTo(400);
    assertThat(get("nothing").statusCode()).isEqualTo(404);
  }

  @Test
  void aNameWithAQuoteInItIsNoWayIntoTheDatabase() throws Exception {
    assertThat(get("api/values?table=ap.dwd_shops&column=ds%22%20FROM").statusCode())
        .isEqualTo(400);
    assertThat(get("api/rows?table=ap.product%22x").statusCode()).isEqualTo(404);
    // A pattern of the flow must not open what Widebeam has not written.
    assertThat(get("api/rows?table=ap.product_else").statusCode()).isEqualTo(404);
  }

  @Test
  void thePageNeedsNothingFromElsewhereAndShowsNoSecret() throws Exception {
    for (String path : List.of("", "dashboard.js", "dashboard.css", "api/tables")) {
      HttpResponse<String> answer = get(path);
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
          .startsWith("default-src 'none'");
      assertThat(answer.body().replace("http://www.w3.org/2000/svg", ""))
          .doesNotContain("://")
          .doesNotContain(PASSWORD)
          .doesNotContain("jdbc:");
    }
  }

  @Test
  void thisMachineIsNotAskedUnderAnotherSitesName() throws Exception {
    URI url = URI.create(dashboard.url());
    try (Socket socket = new Socket(url.getHost(), url.getPort());
        OutputStream out = socket.getOutputStream();
        InputStream in = socket.getInputStream()) {
      out.write(
          "GET /api/tables HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
          .startsWith("HTTP/1.1 403")
          .doesNotContain("dwd_shops");
    }
  }

  @Test
  void onlyReadingIsAnswered() throws Exception {
    HttpResponse<String> answer =
        HTTP.send(
            HttpRequest.newBuilder(URI.create(dashboard.url() + "api/tables"))
                .POST(HttpRequest.BodyPublishers.ofString("x"))
                .build(),
            HttpResponse.BodyHandlers.ofString());

    assertThat(answer.statusCode()).isEqualTo(405);
  }

  @Test
  void aDatabaseThatDoesNotAnswerIsSaidInWordsAndTheOthersAreShown() throws Exception {
    try (Dashboard other =
        Dashboard.start(
            Flow.named("Down")
                .connection(Connection.mysql("tp", "none", 1, "tp", "cdc", PASSWORD))
                .connection(
                    Connection.jdbc("ap", "jdbc:postgresql://127.0.0.1:1/x", "dwh", PASSWORD))
                .connection(Connection.jdbc("here", URL, "dwh", PASSWORD))
                .readFrom("tp.shops")
                .writeTo("ap.dwd_shops")
                .readFrom("tp.shops")
                .writeTo("here.dwd_shops"),
            InetAddress.getLoopbackAddress(),
            0)) {
      HttpResponse<String> answer =
          HTTP.send(
              HttpRequest.newBuilder(URI.create(other.url() + "api/tables")).build(),
              HttpResponse.BodyHandlers.ofString());

      JsonNode tables = new ObjectMapper().readTree(answer.body()).get("tables");
      assertThat(tables.get(0).get("problem").asText())
          .isEqualTo("connection ap cannot be read just now: nothing answers at its address");
      assertThat(tables.get(1).get("columns")).isNotEmpty();
      assertThat(other.problems()).hasSize(1);
    }
  }

  private static JsonNode json(String path) throws Exception {
    return new ObjectMapper().readTree(get(path).body());
  }

  private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create(dashboard.url() + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
