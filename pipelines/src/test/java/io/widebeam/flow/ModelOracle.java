package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.RandomModels.Written;
import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Derived;
import io.widebeam.simulation.Table;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;

/**
 * What H2 makes of models over the tables' rows. Values are compared as they are, but for numbers,
 * which count by their value whatever their type and number of zeros, and dates, which are the
 * midnights that they begin with.
 */
final class ModelOracle {
  private final Connection h2;
  private final RandomModels models;
  private final UnaryOperator<String> asked;
  @Nullable private Map<TableId, List<BsonDocument>> loaded;

  /** Names in any case are the same, as MySQL's columns are. */
  static Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:h2:mem:;MODE=MySQL;DATABASE_TO_LOWER=TRUE;TIME ZONE=UTC");
  }

  /**
   * Over the connection's database, which is emptied.
   *
   * @param asked makes another query of a model's, to show that the difference would be found
   */
  ModelOracle(Connection h2, RandomModels models, UnaryOperator<String> asked) {
    this.h2 = h2;
    this.models = models;
    this.asked = asked;
    execute("DROP ALL OBJECTS");
    alias("DATE_FORMAT", "dateFormat");
    alias("STR_TO_DATE", "stringToDate");
    alias("SUBSTRING_INDEX", "substringIndex");
    alias("REVERSE", "reverse");
    alias("WHOLE_UNITS", "wholeUnits");
    alias("JOINED", "joined");
    for (Table table : models.tables().values()) {
      execute(
          "CREATE TABLE %s (%s, PRIMARY KEY (%s))"
              .formatted(
                  table.id().name(),
                  table.columns().stream()
                      .map(column -> "`" + column.name() + "` " + sqlType(column.type()))
                      .collect(Collectors.joining(", ")),
                  String.join(", ", table.primaryKey())));
    }
    // What others group is read under the model's name.
    Written first = models.models().get(0);
    execute("CREATE VIEW " + first.model().name() + " AS " + asked.apply(first.query()));
  }

  private void alias(String name, String method) {
    execute(
        "CREATE ALIAS %s DETERMINISTIC FOR '%s.%s'"
            .formatted(name, MySqlInH2.class.getName(), method));
  }

  private void execute(String sql) {
    try (Statement statement = h2.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
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

  /** Who knows what is to be in a model's table. */
  Derived.Judge judge(PlannedTarget target) {
    FlatTable table = ((PlannedTarget.Jdbc) target).table();
    Written model =
        models.models().stream()
            .filter(one -> one.model().name().equals(table.name()))
            .findFirst()
            .orElseThrow();
    return (rows, documents) -> {
      try {
        return judge(model, table, rows, documents);
      } catch (SQLException e) {
        throw new IllegalStateException(model.query(), e);
      }
    };
  }

  private Optional<String> judge(
      Written model,
      FlatTable table,
      Map<TableId, List<BsonDocument>> rows,
      Map<BsonValue, BsonDocument> documents)
      throws SQLException {
    if (rows != loaded) {
      load(rows);
      loaded = rows;
    }
    if (documents.isEmpty() && !model.input().isEmpty() && count(asked.apply(model.input())) == 0) {
      // The only group comes with its first row, and stays then.
      return Optional.empty();
    }
    List<String> names = new ArrayList<>();
    Map<String, Integer> expected = expected(asked.apply(model.query()), names);
    Map<String, Integer> found = new TreeMap<>();
    for (Map.Entry<BsonValue, BsonDocument> document : documents.entrySet()) {
      for (BsonDocument row : rows(table, document.getKey(), document.getValue())) {
        List<String> values = new ArrayList<>();
        for (String name : names) {
          Column column =
              table.columns().stream()
                  .filter(one -> one.name().equals(name))
                  .findFirst()
                  .orElseThrow(() -> new AssertionError("no column " + name + " in " + table));
          values.add(name + " " + text(row.get(name, BsonNull.VALUE), column));
        }
        found.merge(String.join(", ", values), 1, Integer::sum);
      }
    }
    return found.equals(expected)
        ? Optional.empty()
        : Optional.of(
            "table "
                + table.name()
                + " differs from what H2 makes of the rows\n  expected\n"
                + lines(expected)
                + "  found\n"
                + lines(found));
  }

  private static String lines(Map<String, Integer> rows) {
    return rows.entrySet().stream()
        .map(row -> "    " + row.getValue() + " x " + row.getKey() + "\n")
        .collect(Collectors.joining());
  }

  // What H2 has

  private void load(Map<TableId, List<BsonDocument>> rows) throws SQLException {
    for (Table table : models.tables().values()) {
      execute("DELETE FROM " + table.id().name());
      String places = table.columns().stream().map(c -> "?").collect(Collectors.joining(", "));
      try (PreparedStatement insert =
          h2.prepareStatement("INSERT INTO %s VALUES (%s)".formatted(table.id().name(), places))) {
        for (BsonDocument row : rows.getOrDefault(table.id(), List.of())) {
          int i = 0;
          for (Table.Column column : table.columns()) {
            insert.setObject(++i, toSql(row.get(column.name()), column.type()));
          }
          insert.execute();
        }
      }
    }
  }

  @Nullable
  private static Object toSql(BsonValue value, ColumnType type) {
    if (value.isNull()) {
      return null;
    }
    return switch (type) {
      case INT -> value.asInt32().getValue();
      case BIGINT -> value.asInt64().getValue();
      case DECIMAL -> value.asDecimal128().getValue().bigDecimalValue();
      case STRING -> value.asString().getValue();
      case DATETIME -> time(value);
      case DATE -> time(value).toLocalDate();
      case BOOLEAN -> value.asBoolean().getValue();
    };
  }

  private static LocalDateTime time(BsonValue value) {
    return LocalDateTime.ofInstant(
        Instant.ofEpochMilli(value.asDateTime().getValue()), ZoneOffset.UTC);
  }

  private long count(String query) throws SQLException {
    try (Statement statement = h2.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      result.next();
      return result.getLong(1);
    }
  }

  /** How often each row is there. */
  private Map<String, Integer> expected(String query, List<String> names) throws SQLException {
    Map<String, Integer> expected = new TreeMap<>();
    try (Statement statement = h2.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      ResultSetMetaData columns = result.getMetaData();
      for (int i = 1; i <= columns.getColumnCount(); i++) {
        names.add(columns.getColumnLabel(i));
      }
      while (result.next()) {
        List<String> values = new ArrayList<>();
        for (int i = 1; i <= names.size(); i++) {
          values.add(names.get(i - 1) + " " + text(result, i));
        }
        expected.merge(String.join(", ", values), 1, Integer::sum);
      }
    }
    return expected;
  }

  private static String text(ResultSet result, int column) throws SQLException {
    Object value = result.getObject(column);
    if (value instanceof java.sql.Timestamp) {
      return result.getObject(column, LocalDateTime.class).toString();
    } else if (value instanceof java.sql.Date) {
      return result.getObject(column, LocalDate.class).atStartOfDay().toString();
    } else if (value instanceof Number) {
      return text(new BigDecimal(value.toString()));
    }
    return value instanceof String ? "'" + value + "'" : String.valueOf(value);
  }

  private static String text(BigDecimal number) {
    return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
  }

  // What the target has

  /** The rows that a document comes to, by the table's columns. */
  private static List<BsonDocument> rows(FlatTable table, BsonValue key, BsonDocument document) {
    List<BsonDocument> elements =
        table.isUnwound()
            ? document.getArray(table.arrays().get(0).path().get(0)).stream()
                .map(BsonValue::asDocument)
                .toList()
            : List.of(new BsonDocument());
    if (table.isUnwound()) {
      List<String> keyFields = table.arrays().get(0).elementKey();
      long different =
          elements.stream()
              .map(element -> keyFields.stream().map(element::get).toList())
              .distinct()
              .count();
      if (different < elements.size()) {
        throw new AssertionError("rows of one key: " + document.toJson());
      }
    }
    List<BsonDocument> rows = new ArrayList<>();
    for (BsonDocument element : elements) {
      BsonDocument row = new BsonDocument();
      for (Column column : table.columns()) {
        String field = column.path().get(0);
        BsonValue value = (column.level() == 0 ? document : element).get(field);
        if (column.level() == 0 && table.documentKey().contains(field)) {
          boolean whole = table.documentKey().size() == 1 && !table.hasNullableKey();
          value = whole ? key : key.asDocument().get(field);
        }
        row.append(column.name(), value == null ? BsonNull.VALUE : value);
      }
      rows.add(row);
    }
    return rows;
  }

  private static String text(BsonValue value, Column column) {
    return switch (value.getBsonType()) {
      case NULL -> "null";
      case BOOLEAN -> String.valueOf(value.asBoolean().getValue());
      case DATE_TIME -> time(value).toString();
      case STRING -> "'" + value.asString().getValue() + "'";
      default -> {
        BigDecimal number = value.asNumber().decimal128Value().bigDecimalValue();
        if (column.type().kind() == io.widebeam.sink.jdbc.ColumnType.Kind.DECIMAL
            && column.type().length() > 0
            && number.stripTrailingZeros().scale() > column.type().scale()) {
          throw new AssertionError(number + " does not fit into " + column);
        }
        yield text(number);
      }
    };
  }
}
