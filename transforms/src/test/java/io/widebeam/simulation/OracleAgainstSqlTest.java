package io.widebeam.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.simulation.Table.Column;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonArray;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;

/**
 * The oracle finds what a real SQL engine finds, over the same rows: every level of a view is a
 * LEFT JOIN, whose matches the engine orders.
 */
class OracleAgainstSqlTest {
  private static final int SEEDS = 150;
  private static final int MAX_ROWS = 60;

  @Test
  void everyViewEqualsItsLeftJoins() throws SQLException {
    int embedded = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      Random random = new Random(seed);
      Simulator.Views views = RandomViews.of(random);
      Database database = new Database(views.tables());
      for (int i = random.nextInt(MAX_ROWS); i >= 0; i--) {
        Table table = views.tables().get(random.nextInt(views.tables().size()));
        database.apply(new Event.Put(table.id(), table.randomRow(random)));
      }
      try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
        load(views.tables(), database, connection);
        Sql sql = new Sql(views.tables(), connection);
        for (ViewNode view : views.views()) {
          assertThat(new ViewOracle(database.allRows()).documents(view))
              .as("seed %d: %s", seed, view)
              .isEqualTo(sql.documents(view));
          embedded += sql.embedded;
        }
      }
    }
    assertThat(embedded).as("rows that were embedded in others").isGreaterThan(5 * SEEDS);
  }

  static void load(List<Table> tables, Database database, Connection connection)
      throws SQLException {
    for (Table table : tables) {
      String columns =
          table.columns().stream()
              .map(column -> column.name() + " " + sqlType(column.type()))
              .collect(Collectors.joining(", "));
      try (Statement create = connection.createStatement()) {
        create.execute(
            "CREATE TABLE %s (%s, PRIMARY KEY (%s))"
                .formatted(table.id().name(), columns, String.join(", ", table.primaryKey())));
      }
      String places = table.columns().stream().map(c -> "?").collect(Collectors.joining(", "));
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO %s VALUES (%s)".formatted(table.id().name(), places))) {
        for (BsonDocument row : database.rows(table.id())) {
          int i = 0;
          for (Column column : table.columns()) {
            insert.setObject(++i, toSql(row.get(column.name())));
          }
          insert.execute();
        }
      }
    }
  }

  private static String sqlType(ColumnType type) {
    return switch (type) {
      case INT -> "INT";
      case BIGINT -> "BIGINT";
      case DECIMAL -> "DECIMAL(20, 2)";
      case STRING -> "VARCHAR(100)";
      case DATETIME -> "TIMESTAMP(3)";
      case DATE -> "DATE";
      case BOOLEAN -> "BOOLEAN";
    };
  }

  @Nullable
  static Object toSql(BsonValue value) {
    return switch (value.getBsonType()) {
      case NULL -> null;
      case INT32 -> value.asInt32().getValue();
      case INT64 -> value.asInt64().getValue();
      case DECIMAL128 -> value.asDecimal128().getValue().bigDecimalValue();
      case STRING -> value.asString().getValue();
      case DATE_TIME ->
          LocalDateTime.ofEpochSecond(value.asDateTime().getValue() / 1000, 0, ZoneOffset.UTC);
      case BOOLEAN -> value.asBoolean().getValue();
      default -> throw new IllegalArgumentException(value.toString());
    };
  }

  private static BsonValue fromSql(@Nullable Object value, ColumnType type) {
    if (value == null) {
      return BsonNull.VALUE;
    }
    return switch (type) {
      case INT -> new BsonInt32((Integer) value);
      case BIGINT -> new BsonInt64((Long) value);
      case DECIMAL -> new BsonDecimal128(new Decimal128((BigDecimal) value));
      case STRING -> new BsonString((String) value);
      case DATETIME, DATE ->
          new BsonDateTime(((LocalDateTime) value).toInstant(ZoneOffset.UTC).toEpochMilli());
      case BOOLEAN -> BsonBoolean.valueOf((Boolean) value);
    };
  }

  /** Documents as the engine's joins tell them. */
  private static final class Sql {
    private final Map<TableId, Table> tables = new HashMap<>();
    private final Connection connection;
    private int embedded;

    Sql(List<Table> tables, Connection connection) {
      tables.forEach(table -> this.tables.put(table.id(), table));
      this.connection = connection;
    }

    /** A row of a node, and by lookup the rows that the engine found for it, in order. */
    private static final class Found {
      final BsonDocument row;
      final Map<ViewNode, Map<BsonDocument, Found>> matches = new LinkedHashMap<>();

      Found(BsonDocument row) {
        this.row = row;
      }
    }

    Map<BsonValue, BsonDocument> documents(ViewNode root) throws SQLException {
      Map<BsonDocument, Found> roots = new LinkedHashMap<>();
      join(List.of(root), roots);
      Map<BsonValue, BsonDocument> documents = new HashMap<>();
      for (Found found : roots.values()) {
        BsonDocument key = tables.get(root.table()).keyOf(found.row);
        documents.put(
            key.size() == 1 ? key.values().iterator().next() : key, document(root, found));
      }
      return documents;
    }

    /** One statement for the nodes from the root to the last of these; then those below it. */
    private void join(List<ViewNode> path, Map<BsonDocument, Found> roots) throws SQLException {
      try (Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery(select(path))) {
        while (rows.next()) {
          Map<BsonDocument, Found> level = roots;
          int column = 0;
          for (int i = 0; i < path.size(); i++) {
            Table table = tables.get(path.get(i).table());
            BsonDocument row = new BsonDocument();
            for (Column declared : table.columns()) {
              Object value =
                  declared.type() == ColumnType.DATETIME || declared.type() == ColumnType.DATE
                      ? rows.getObject(++column, LocalDateTime.class)
                      : rows.getObject(++column);
              row.append(declared.name(), fromSql(value, declared.type()));
            }
            BsonDocument key = table.keyOf(row);
            if (key.values().stream().anyMatch(BsonValue::isNull)) {
              break; // A LEFT JOIN's row without a match.
            }
            Found found = level.computeIfAbsent(key, absent -> new Found(row));
            if (i < path.size() - 1) {
              level = found.matches.computeIfAbsent(path.get(i + 1), n -> new LinkedHashMap<>());
            }
          }
        }
      }
      for (ViewNode lookup : path.get(path.size() - 1).lookups()) {
        List<ViewNode> longer = new ArrayList<>(path);
        longer.add(lookup);
        join(longer, roots);
      }
    }

    private String select(List<ViewNode> path) {
      List<String> columns = new ArrayList<>();
      StringBuilder from = new StringBuilder();
      for (int i = 0; i < path.size(); i++) {
        ViewNode node = path.get(i);
        String alias = "n" + i;
        String parent = "n" + (i - 1);
        tables.get(node.table()).columns().forEach(c -> columns.add(alias + "." + c.name()));
        from.append(i == 0 ? "" : " LEFT JOIN ")
            .append(node.table().name())
            .append(' ')
            .append(alias);
        if (i > 0) {
          from.append(" ON ")
              .append(
                  node.relation().stream()
                      .map(
                          join -> parent + "." + join.parent() + " = " + alias + "." + join.child())
                      .collect(Collectors.joining(" AND ")));
        }
      }
      ViewNode last = path.get(path.size() - 1);
      String alias = "n" + (path.size() - 1) + ".";
      List<String> order = new ArrayList<>();
      last.arrayKeys().forEach(column -> order.add(alias + column + " NULLS FIRST"));
      last.primaryKey().forEach(column -> order.add(alias + column));
      return "SELECT %s FROM %s ORDER BY %s"
          .formatted(String.join(", ", columns), from, String.join(", ", order));
    }

    private BsonDocument document(ViewNode node, Found found) {
      BsonDocument document = found.row.clone();
      List<BsonDocument> merged = new ArrayList<>();
      for (ViewNode lookup : node.lookups()) {
        Collection<Found> ordered = found.matches.getOrDefault(lookup, Map.of()).values();
        List<BsonDocument> matches =
            ordered.stream()
                .skip(lookup.newest() == 0 ? 0 : Math.max(0, ordered.size() - lookup.newest()))
                .map(match -> document(lookup, match))
                .toList();
        embedded += matches.size();
        if (lookup.embedding() == Embedding.ARRAY) {
          put(document, lookup.path(), new BsonArray(matches));
        } else if (!matches.isEmpty()) {
          if (lookup.embedding() == Embedding.MERGED) {
            merged.add(matches.get(0));
          } else {
            put(document, lookup.path(), matches.get(0));
          }
        }
      }
      merged.forEach(row -> row.forEach(document::putIfAbsent));
      return document;
    }

    private static void put(BsonDocument document, List<String> path, BsonValue value) {
      BsonDocument level = document;
      for (String name : path.subList(0, path.size() - 1)) {
        if (!level.containsKey(name)) {
          level.append(name, new BsonDocument());
        }
        level = level.getDocument(name);
      }
      level.append(path.get(path.size() - 1), value);
    }
  }
}
