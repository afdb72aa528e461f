package io.widebeam.runner.history;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.bson.Document;

/** Texts that a database may or may not take for equal, joined by it and by a flow. */
final class CollationRun {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final List<String> TEXTS =
      List.of(
          "a", "A", "á", "Á", "a ", "A   ", "b", "ab", "AB", "Äb", "ss", "ß", "ẞ", "SS", "s", "ﬁ",
          "fi", "Ｆi", "œ", "oe", "æ", "ae", "ø", "o", "ö", "o\u0308", "e\u0301", "é", "I", "İ", "ı",
          "Σ", "σ", "ς", "Ж", "ж", "ё", "е", "ア", "ｱ", "あ", "中", "한", "😀", "🚀", "", " ",
          "a\u00a0", "a\u200b", "1", "１", "¹", "-", "a-b", "ab-", "ǆ", "ǅ", "Ǆ", "'", "’");

  private static final int ROUNDS = 4;
  private static final int STATEMENTS = 100;

  private CollationRun() {}

  /**
   * @param collation of the root's columns; {@code char} for the type of that name
   * @param childCollation of the columns that these are joined to
   */
  static void play(String kind, String collation, String childCollation, long seed)
      throws Exception {
    System.out.printf("Texts of %s in %s, seed %d%n", collation, kind, seed);
    Random random = new Random(seed);
    String name = "Collation_" + kind;
    try (HistorySource source = HistorySource.start(kind);
        EmbeddedMongo target = EmbeddedMongo.start();
        Connection connection = source.connect();
        MongoClient client = MongoClients.create(target.uri())) {
      String root = type(collation);
      String child = type(childCollation);
      execute(
          connection,
          "CREATE TABLE roots (code " + root + " PRIMARY KEY, other " + root + ")",
          "CREATE TABLE children (id INT PRIMARY KEY, code " + child + ")",
          "CREATE TABLE others (id INT PRIMARY KEY, other " + child + ")");
      for (String table : List.of("roots", "children", "others")) {
        if (!source.afterCreateTable(table).isEmpty()) {
          execute(connection, source.afterCreateTable(table));
        }
      }
      int id = 0;
      for (String value : TEXTS) {
        // Not every character set has every character.
        attempt(connection, "INSERT INTO children VALUES (" + id + ", " + literal(value) + ")");
        attempt(connection, "INSERT INTO others VALUES (" + id++ + ", " + literal(value) + ")");
        attempt(
            connection, "INSERT INTO roots VALUES (" + literal(value) + ", " + any(random) + ")");
      }
      Flow flow =
          Flow.named(name)
              .connection(source.connection("Shop"))
              .connection(io.widebeam.flow.Connection.mongodb("Target", target.uri(), name))
              .readFrom("Shop.roots")
              .lookup("Shop.children", path("children"), array(), on("code", "code"))
              .lookup("Shop.others", path("other_row"), object(), on("other", "other"))
              .writeTo("Target.roots");
      RunningBeamFlow running =
          new BeamLauncher().launch(FlowPlanner.connected().plan(flow), "--runner=FlinkRunner");
      try {
        MongoCollection<Document> documents = client.getDatabase(name).getCollection("roots");
        awaitEqual(running, connection, documents, "after the load");
        for (int round = 1; round <= ROUNDS; round++) {
          for (int i = 0; i < STATEMENTS; i++) {
            attempt(connection, randomStatement(random));
          }
          awaitEqual(running, connection, documents, "round " + round);
        }
      } finally {
        running.stop();
      }
    }
  }

  private static String type(String collation) {
    if (collation.equals("char")) {
      return "CHAR(12)";
    }
    return "VARCHAR(12) CHARACTER SET "
        + collation.substring(0, collation.indexOf('_'))
        + " COLLATE "
        + collation;
  }

  private static String any(Random random) {
    return random.nextInt(8) == 0 ? "NULL" : literal(TEXTS.get(random.nextInt(TEXTS.size())));
  }

  private static String literal(String value) {
    return "'" + value.replace("'", "''") + "'";
  }

  private static String randomStatement(Random random) {
    String id = Integer.toString(random.nextInt(TEXTS.size()));
    return switch (random.nextInt(8)) {
      case 0, 1 -> "UPDATE roots SET code = " + any(random) + " WHERE code = " + any(random);
      case 2 -> "UPDATE roots SET other = " + any(random) + " WHERE code = " + any(random);
      case 3 -> "DELETE FROM roots WHERE code = " + any(random);
      case 4 -> "INSERT INTO roots VALUES (" + any(random) + ", " + any(random) + ")";
      case 5 -> "UPDATE others SET other = " + any(random) + " WHERE id = " + id;
      case 6 -> "DELETE FROM children WHERE id = " + id;
      default -> "UPDATE children SET code = " + any(random) + " WHERE id = " + id;
    };
  }

  /** The database refuses a second row of a key, and texts that a character set does not have. */
  private static void attempt(Connection connection, String sql) {
    try {
      execute(connection, sql);
    } catch (SQLException e) {
      // Then nothing has changed.
    }
  }

  private static void awaitEqual(
      RunningBeamFlow flow, Connection connection, MongoCollection<Document> documents, String when)
      throws Exception {
    Map<String, List<Object>> expected = expected(connection);
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    Map<String, List<Object>> actual = actual(documents);
    while (!actual.equals(expected) && System.nanoTime() < deadline) {
      if (flow.status().state() == FlowStatus.State.ERROR) {
        flow.awaitEnd();
        throw new AssertionError("the flow failed " + when, flow.failure().orElse(null));
      }
      TimeUnit.MILLISECONDS.sleep(20);
      actual = actual(documents);
    }
    assertThat(actual).as(when).isEqualTo(expected).isNotEmpty();
  }

  /** By the root's key: the object's row, then the array's. */
  private static Map<String, List<Object>> expected(Connection connection) throws SQLException {
    Map<String, List<Object>> joined = new TreeMap<>();
    try (Statement statement = connection.createStatement()) {
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT r.code, MIN(o.id) FROM roots r LEFT JOIN others o ON o.other = r.other"
                  + " GROUP BY r.code")) {
        while (rows.next()) {
          List<Object> row = new ArrayList<>();
          row.add(rows.getObject(2));
          joined.put(rows.getString(1), row);
        }
      }
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT r.code, c.id FROM roots r JOIN children c ON c.code = r.code ORDER BY c.id")) {
        while (rows.next()) {
          joined.get(rows.getString(1)).add(rows.getObject(2));
        }
      }
    }
    return joined;
  }

  private static Map<String, List<Object>> actual(MongoCollection<Document> documents) {
    Map<String, List<Object>> found = new TreeMap<>();
    for (Document document : documents.find()) {
      List<Object> row = new ArrayList<>();
      Document other = document.get("other_row", Document.class);
      row.add(other == null ? null : other.getInteger("id"));
      document
          .getList("children", Document.class)
          .forEach(child -> row.add(child.getInteger("id")));
      found.put(document.getString("_id"), row);
    }
    return found;
  }

  private static void execute(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
