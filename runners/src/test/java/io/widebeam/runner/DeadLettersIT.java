package io.widebeam.runner;

import static com.mongodb.client.model.Filters.eq;
import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.computed;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a flow cannot process goes to its letters, and the rest goes on. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DeadLettersIT {
  private static final String GROW =
      "INSERT INTO notes SELECT 100 + seq, 1, 0, REPEAT('x', 1048576) FROM seq_1_to_17";

  private final EmbeddedMongo mongo = EmbeddedMongo.start();
  private final MongoClient client = MongoClients.create(mongo.uri());
  private final MongoDatabase target = client.getDatabase("docs");
  private EmbeddedMariaDb server;

  @BeforeEach
  void createTables() throws SQLException {
    server = EmbeddedMariaDb.start();
    try (Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE shop");
    }
    execute("CREATE TABLE orders (id INT PRIMARY KEY, status VARCHAR(20))");
    execute("CREATE TABLE notes (id INT PRIMARY KEY, order_id INT, score INT, text LONGTEXT)");
    execute("INSERT INTO orders VALUES (1, 'new'), (2, 'new')");
    execute("INSERT INTO notes VALUES (1, 1, 0, 'short')");
  }

  @AfterEach
  void stop() {
    client.close();
    mongo.close();
    server.close();
  }

  @Test
  void aDocumentThatIsTooLargeIsALetterUntilItIsSmallAgain() throws Exception {
    RunningBeamFlow running = launch(flow());
    try {
      await(running, () -> documents() == 2);
      assertThat(running.status().toString()).doesNotContain("dead letters");

      execute(GROW);
      await(running, () -> document(1) == null && letters() > 0);
      Document letter = target.getCollection("letters").find().first();
      assertThat(letter)
          .containsEntry("stage", "write")
          .containsEntry("place", "docs.orders")
          .containsEntry("source", "shop")
          .containsEntry("table", "orders")
          .containsEntry("key", new Document("_id", 1));
      assertThat(letter.getString("reason")).contains("MB large");
      FlowStatus status = running.status();
      assertThat(status.deadLetters().orElseThrow().count()).isPositive();
      assertThat(status.toString()).endsWith(" -> docs.letters");

      execute("UPDATE orders SET status = 'paid'");
      await(running, () -> "paid".equals(document(2).getString("status")));

      execute("DELETE FROM notes WHERE id > 100");
      await(running, () -> document(1) != null && notes(1) == 1);
      assertThat(document(1).getString("status")).isEqualTo("paid");
      assertThat(running.status().state()).isEqualTo(FlowStatus.State.RUNNING);
      assertThat(running.status().totalRows()).isEqualTo(2);
    } finally {
      running.stop();
    }
  }

  @Test
  void aRowOnWhichAnExpressionFailsIsALetterUntilItIsMended() throws Exception {
    execute("INSERT INTO notes VALUES (2, 1, 5, 'loaded')");
    RunningBeamFlow running = launch(flow());
    try {
      await(running, () -> documents() == 2 && letters() == 1);
      assertThat(notes(1)).isEqualTo(1);
      Document letter = target.getCollection("letters").find().first();
      assertThat(letter)
          .containsEntry("stage", "join")
          .containsEntry("place", "notes")
          .containsEntry("table", "notes")
          .containsEntry("key", new Document("id", 2))
          .containsEntry(
              "after",
              new Document("id", 2)
                  .append("order_id", 1)
                  .append("score", 5)
                  .append("text", "loaded"));
      assertThat(letter.getString("reason")).contains("9223372036854775806 + score");

      execute("UPDATE notes SET score = 2 WHERE id = 1");
      await(running, () -> letters() == 2 && notes(1) == 0);
      execute("UPDATE notes SET score = 1");
      await(running, () -> notes(1) == 2);
      assertThat(letters()).isEqualTo(2);
      assertThat(running.status().toString()).endsWith(", dead letters: 2 -> docs.letters");
    } finally {
      running.stop();
    }
  }

  @Test
  void aFlowThatFailsFastEndsWithTheReason() throws Exception {
    execute(GROW);
    RunningBeamFlow running = launch(flow().failFast());
    running.awaitEnd();
    assertThat(running.status().state()).isEqualTo(FlowStatus.State.ERROR);
    assertThat(running.failure().map(FlowFailedException::getMessage).orElse(""))
        .startsWith("Cannot write to docs.orders")
        .contains("{\"_id\": 1}", "MB large, and MongoDB stores at most 16 MB")
        .hasLineCount(1);
    assertThat(target.listCollectionNames()).doesNotContain("letters");
  }

  private Flow flow() {
    return Flow.named("orders")
        .connection(
            io.widebeam.flow.Connection.mariadb(
                "shop",
                server.host(),
                server.port(),
                "shop",
                EmbeddedMariaDb.CDC_USER,
                EmbeddedMariaDb.CDC_PASSWORD))
        .connection(io.widebeam.flow.Connection.mongodb("docs", mongo.uri(), "docs"))
        .readFrom("shop.orders")
        .lookup(
            "shop.notes",
            path("notes"),
            array(),
            on("id", "order_id"),
            computed("rest", "9223372036854775806 + score"))
        .writeTo("docs.orders")
        .deadLettersTo("docs.letters");
  }

  private static RunningBeamFlow launch(Flow flow) {
    return new BeamLauncher().launch(FlowPlanner.connected().plan(flow));
  }

  private long documents() {
    return target.getCollection("orders").countDocuments();
  }

  private Document document(int id) {
    return target.getCollection("orders").find(eq("_id", id)).first();
  }

  private int notes(int id) {
    return document(id).getList("notes", Document.class).size();
  }

  private long letters() {
    return target.getCollection("letters").countDocuments();
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = server.connect("shop");
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static void await(RunningBeamFlow running, BooleanSupplier condition)
      throws InterruptedException {
    while (!condition.getAsBoolean()) {
      if (running.status().state() == FlowStatus.State.ERROR) {
        running.awaitEnd();
        throw new AssertionError("the flow failed", running.failure().orElse(null));
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }
}
