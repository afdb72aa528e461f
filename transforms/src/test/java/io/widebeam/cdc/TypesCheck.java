package io.widebeam.cdc;

import io.widebeam.change.Change;
import io.widebeam.testing.TestDatabase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Holds a server's fixtures against what the source makes of them: in the load, in the log before
 * and after, in columns that may be null and in columns that may not.
 */
final class TypesCheck {
  /** Ids of rows that are written while the log is read. */
  private static final int LOGGED = 1000;

  private static final int NULL_ROW = 500;

  private final TestDatabase server;
  private final String database;
  private final Map<String, List<TypeFixture>> types = new LinkedHashMap<>();
  private final List<String> differences = new ArrayList<>();

  TypesCheck(TestDatabase server, String database, List<TypeFixture> fixtures) {
    this.server = server;
    this.database = database;
    fixtures.forEach(f -> types.computeIfAbsent(f.type(), type -> new ArrayList<>()).add(f));
  }

  /** Makes a table for each type, and a row for each of its values and for null. */
  void createTables(String... settings) throws Exception {
    List<String> statements = new ArrayList<>(List.of(settings));
    int table = 0;
    for (Map.Entry<String, List<TypeFixture>> type : types.entrySet()) {
      String name = "t" + table++;
      statements.add(
          "CREATE TABLE %s (id INT PRIMARY KEY, v %s NULL, w %s NOT NULL)"
              .formatted(name, type.getKey(), type.getKey()));
      List<TypeFixture> values = type.getValue();
      for (int row = 0; row < values.size(); row++) {
        String literal = values.get(row).literal();
        statements.add("INSERT INTO %s VALUES (%d, %s, %s)".formatted(name, row, literal, literal));
      }
      statements.add(
          "INSERT INTO %s VALUES (%d, NULL, %s)"
              .formatted(name, NULL_ROW, values.get(0).literal()));
    }
    server.execute(database, statements.toArray(String[]::new));
  }

  /** Reads the load, then the log of the same values being inserted and deleted again. */
  void readLoadAndLog(String load, ConnectorConfiguration connector, String... settings)
      throws Exception {
    int rows = types.values().stream().mapToInt(values -> values.size() + 1).sum();
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(() -> probe.isLoaded() && probe.changes.size() >= rows);
      compare(load, probe.changes.subList(0, rows), 0);
      List<String> statements = new ArrayList<>(List.of(settings));
      for (int table = 0; table < types.size(); table++) {
        statements.add(
            "INSERT INTO t%d SELECT id + %d, v, w FROM t%d".formatted(table, LOGGED, table));
        statements.add("DELETE FROM t%d WHERE id >= %d".formatted(table, LOGGED));
      }
      server.execute(database, statements.toArray(String[]::new));
      probe.await(() -> probe.changes.size() >= 3 * rows);
      compare("log", probe.changes.subList(rows, 3 * rows), LOGGED);
    }
  }

  /** Reads the load alone. */
  void readLoad(String load, ConnectorConfiguration connector) throws Exception {
    int rows = types.values().stream().mapToInt(values -> values.size() + 1).sum();
    try (ReaderProbe probe = new ReaderProbe(connector)) {
      probe.await(() -> probe.isLoaded() && probe.changes.size() >= rows);
      compare(load, probe.changes.subList(0, rows), 0);
    }
  }

  /** What was not as the fixtures say. */
  List<String> differences() {
    return differences;
  }

  private void compare(String where, List<Change> changes, int offset) {
    Map<String, Map<Integer, BsonDocument>> after = new TreeMap<>();
    Map<String, Map<Integer, BsonDocument>> before = new TreeMap<>();
    for (Change change : changes) {
      put(after, change, change.after());
      put(before, change, change.before());
    }
    compare(where, after, offset);
    if (offset > 0) {
      compare(where + " before", before, offset);
    }
  }

  private static void put(
      Map<String, Map<Integer, BsonDocument>> rows, Change change, @Nullable RawBsonDocument raw) {
    if (raw != null) {
      BsonDocument row = raw.decode(new BsonDocumentCodec());
      rows.computeIfAbsent(change.table().name(), table -> new TreeMap<>())
          .put(row.getInt32("id").getValue(), row);
    }
  }

  private void compare(String where, Map<String, Map<Integer, BsonDocument>> rows, int offset) {
    int table = 0;
    for (Map.Entry<String, List<TypeFixture>> type : types.entrySet()) {
      Map<Integer, BsonDocument> found = rows.getOrDefault("t" + table++, Map.of());
      List<TypeFixture> values = type.getValue();
      for (int row = 0; row < values.size(); row++) {
        TypeFixture fixture = values.get(row);
        BsonDocument actual = found.get(offset + row);
        compare(where, fixture, "v", fixture.expected(), actual);
        compare(where, fixture, "w", fixture.expected(), actual);
      }
      TypeFixture first = values.get(0);
      BsonDocument nullRow = found.get(offset + NULL_ROW);
      compare(where + " of null", first, "v", BsonNull.VALUE, nullRow);
      compare(where + " beside null", first, "w", first.expected(), nullRow);
    }
  }

  private void compare(
      String where,
      TypeFixture fixture,
      String column,
      BsonValue expected,
      @Nullable BsonDocument row) {
    BsonValue actual = row == null ? null : row.get(column);
    if (!expected.equals(actual)) {
      differences.add(
          "%s | %s: %s, %s: %s instead of %s"
              .formatted(
                  fixture.type(),
                  fixture.literal(),
                  where,
                  column.equals("v") ? "nullable" : "not null",
                  row == null ? "no row" : row.containsKey(column) ? json(actual) : "no column",
                  json(expected)));
    }
  }

  private static String json(BsonValue value) {
    String document = new BsonDocument("v", value).toJson();
    return document.substring(6, document.length() - 1);
  }
}
