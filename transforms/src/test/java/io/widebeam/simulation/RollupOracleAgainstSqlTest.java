package io.widebeam.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.simulation.GroupedElements.Comparison;
import io.widebeam.simulation.GroupedElements.Condition;
import io.widebeam.simulation.GroupedElements.Operand;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;

/** The oracle groups as a real SQL engine does, over the same rows. */
class RollupOracleAgainstSqlTest {
  private static final int SEEDS = 150;
  private static final int MAX_ROWS = 120;

  /** Of averages with no number of decimals of their own, so many are compared. */
  private static final int DECIMALS = 10;

  @Test
  void everyRollupEqualsItsGrouping() throws SQLException {
    int groups = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      Random random = new Random(seed);
      Simulator.Views views = RandomRollups.of(random);
      Database database = new Database(views.tables());
      for (int i = random.nextInt(MAX_ROWS); i >= 0; i--) {
        Table table = views.tables().get(random.nextInt(views.tables().size()));
        database.apply(new Event.Put(table.id(), table.randomRow(random)));
      }
      try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
        OracleAgainstSqlTest.load(views.tables(), database, connection);
        for (Derived one : views.derived()) {
          Derived.Groups rollup = (Derived.Groups) one;
          Derived.Groups whole = new Derived.Groups(0, rollup.aggregation(), rollup.period(), null);
          Map<BsonValue, BsonDocument> expected = new Sql(whole).rows(connection);
          Map<BsonValue, BsonDocument> found = new HashMap<>();
          DerivedOracle.of(
                  whole,
                  new ViewOracle(database.allRows()).documents(views.views().get(rollup.view())))
              .forEach((key, row) -> found.put(key, rounded(whole, row)));
          assertThat(found).as("seed %d: %s", seed, whole).isEqualTo(expected);
          groups += expected.size();
        }
      }
    }
    assertThat(groups).as("groups").isGreaterThan(3 * SEEDS);
  }

  private static BsonDocument rounded(Derived.Groups rollup, BsonDocument row) {
    BsonDocument copy = row.clone();
    for (Aggregate aggregate : rollup.aggregation().aggregates()) {
      BsonValue value = row.get(aggregate.field());
      if (aggregate.function() == Function.AVG && !value.isNull()) {
        copy.put(
            aggregate.field(),
            average(aggregate, value.asDecimal128().getValue().bigDecimalValue()));
      }
    }
    return copy;
  }

  private static BsonValue average(Aggregate aggregate, BigDecimal value) {
    int scale = aggregate.scale() < 0 ? DECIMALS : aggregate.scale();
    return number(value.setScale(scale, RoundingMode.HALF_UP));
  }

  private static BsonValue number(BigDecimal value) {
    return DerivedOracle.byValue(new BsonDecimal128(new Decimal128(value)));
  }

  /** A rollup as one statement. */
  private static final class Sql {
    private final Derived.Groups rollup;
    private final GroupedElements rows;
    private final Map<List<ViewNode>, String> aliases = new LinkedHashMap<>();
    private final StringBuilder from = new StringBuilder();

    Sql(Derived.Groups rollup) {
      this.rollup = rollup;
      this.rows = (GroupedElements) rollup.aggregation().rows();
      join(rows.unwound(), "JOIN");
    }

    Map<BsonValue, BsonDocument> rows(Connection connection) throws SQLException {
      List<String> select = new ArrayList<>();
      List<String> groupBy = new ArrayList<>();
      rows.groupBy().values().forEach(operand -> groupBy.add(column(operand)));
      select.addAll(groupBy);
      for (Aggregate aggregate : rollup.aggregation().aggregates()) {
        select.add(call(aggregate));
      }
      Condition filter = rows.filter();
      String where = filter == null ? "" : " WHERE " + condition(filter);
      // Last, since every column may need a join of its own.
      String sql =
          "SELECT %s FROM %s%s%s"
              .formatted(
                  String.join(", ", select),
                  from,
                  where,
                  groupBy.isEmpty() ? "" : " GROUP BY " + String.join(", ", groupBy));
      Map<BsonValue, BsonDocument> found = new HashMap<>();
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        if (filter != null && filter.comparison() != Comparison.NOT_NULL) {
          statement.setObject(1, OracleAgainstSqlTest.toSql(filter.with()));
        }
        try (ResultSet result = statement.executeQuery()) {
          while (result.next()) {
            read(result, found);
          }
        }
      }
      return found;
    }

    private void read(ResultSet result, Map<BsonValue, BsonDocument> found) throws SQLException {
      BsonDocument group = new BsonDocument();
      int column = 0;
      for (String field : rollup.aggregation().groupFields()) {
        group.put(field, value(result, ++column));
      }
      BsonDocument row = group.clone();
      for (Aggregate aggregate : rollup.aggregation().aggregates()) {
        BsonValue value = value(result, ++column);
        row.put(
            aggregate.field(),
            aggregate.function() == Function.AVG && !value.isNull()
                ? average(aggregate, value.asDecimal128().getValue().bigDecimalValue())
                : value);
      }
      found.put(group, row);
    }

    private static BsonValue value(ResultSet result, int column) throws SQLException {
      int type = result.getMetaData().getColumnType(column);
      if (type == Types.TIMESTAMP || type == Types.DATE) {
        LocalDateTime time = result.getObject(column, LocalDateTime.class);
        return time == null
            ? BsonNull.VALUE
            : new BsonDateTime(time.toInstant(ZoneOffset.UTC).toEpochMilli());
      }
      Object value = result.getObject(column);
      if (value == null) {
        return BsonNull.VALUE;
      }
      if (value instanceof Boolean is) {
        return BsonBoolean.valueOf(is);
      }
      return value instanceof Number digits
          ? number(new BigDecimal(digits.toString()).setScale(DECIMALS + 10, RoundingMode.HALF_UP))
          : new BsonString((String) value);
    }

    private String call(Aggregate aggregate) {
      if (aggregate.function() == Function.COUNT_ROWS) {
        return "COUNT(*)";
      }
      String column = column(rows.values().get(aggregate.field()));
      return switch (aggregate.function()) {
        case COUNT_DISTINCT -> "COUNT(DISTINCT " + column + ")";
        case AVG -> "AVG(CAST(" + column + " AS NUMERIC(40, 20)))";
        default -> aggregate.function() + "(" + column + ")";
      };
    }

    private String condition(Condition filter) {
      return column(filter.operand())
          + " "
          + filter.comparison().sql()
          + (filter.comparison() == Comparison.NOT_NULL ? "" : " ?");
    }

    private String column(Operand operand) {
      return join(operand.nodes(), "LEFT JOIN") + "." + operand.column();
    }

    /** The alias of the last node, which is joined if it is not yet. */
    private String join(List<ViewNode> chain, String kind) {
      String known = aliases.get(chain);
      if (known != null) {
        return known;
      }
      ViewNode node = chain.get(chain.size() - 1);
      if (chain.size() == 1) {
        aliases.put(chain, "n0");
        from.append(node.table().name()).append(" n0");
        return "n0";
      }
      String parent = join(chain.subList(0, chain.size() - 1), kind);
      String alias = "n" + aliases.size();
      aliases.put(List.copyOf(chain), alias);
      from.append(
          " %s %s %s ON %s".formatted(kind, node.table().name(), alias, on(node, parent, alias)));
      if (node.embedding() == Embedding.OBJECT) {
        from.append(among(node, parent, alias, "NULLS FIRST", 1));
      } else if (node.newest() > 0) {
        from.append(among(node, parent, alias, "DESC NULLS LAST", node.newest()));
      }
      return alias;
    }

    private static String on(ViewNode node, String parent, String alias) {
      return node.relation().stream()
          .map(pair -> parent + "." + pair.parent() + " = " + alias + "." + pair.child())
          .collect(Collectors.joining(" AND "));
    }

    /** That the row is one of the first matches. */
    private static String among(
        ViewNode node, String parent, String alias, String order, int limit) {
      List<String> by = new ArrayList<>();
      node.arrayKeys().forEach(column -> by.add("x." + column + " " + order));
      node.primaryKey().forEach(column -> by.add("x." + column + " " + order));
      UnaryOperator<String> key =
          of ->
              node.primaryKey().stream()
                  .map(column -> of + "." + column)
                  .collect(Collectors.joining(", "));
      return " AND (%s) IN (SELECT %s FROM %s x WHERE %s ORDER BY %s LIMIT %d)"
          .formatted(
              key.apply(alias),
              key.apply("x"),
              node.table().name(),
              on(node, parent, "x"),
              String.join(", ", by),
              limit);
    }
  }
}
