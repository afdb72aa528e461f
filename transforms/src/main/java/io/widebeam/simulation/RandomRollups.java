package io.widebeam.simulation;

import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.rollup.Aggregation;
import io.widebeam.simulation.GroupedElements.Comparison;
import io.widebeam.simulation.GroupedElements.Condition;
import io.widebeam.simulation.GroupedElements.Operand;
import io.widebeam.simulation.Table.Column;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.annotation.Nullable;
import org.bson.BsonNull;
import org.bson.RawBsonDocument;

/** Random rollups of random views: of documents or the elements of an array, at any depth. */
final class RandomRollups {
  private static final List<Duration> PERIODS =
      List.of(Duration.ZERO, Duration.ofSeconds(1), Duration.ofMinutes(1));

  private final Random random;
  private final Map<Object, Table> tables = new HashMap<>();

  /** From the root to a node, for all nodes that are embedded under a name. */
  private final List<List<ViewNode>> chains = new ArrayList<>();

  private RandomRollups(List<Table> tables, Random random) {
    this.random = random;
    tables.forEach(table -> this.tables.put(table.id(), table));
  }

  /** Random views and rollups of each; the same for the same random numbers. */
  static Simulator.Views of(Random random) {
    Simulator.Views views = RandomViews.of(random);
    List<Derived> derived = new ArrayList<>();
    for (int i = 0; i < views.views().size(); i++) {
      for (int more = random.nextInt(2); more >= 0; more--) {
        derived.add(new RandomRollups(views.tables(), random).of(i, views.views().get(i)));
      }
    }
    return new Simulator.Views(views.tables(), views.views(), derived);
  }

  private Derived.Groups of(int index, ViewNode root) {
    addChains(List.of(root));
    List<ViewNode> unwound = GroupedElements.upToLastArray(any(chains));
    List<Operand> operands = new ArrayList<>();
    for (List<ViewNode> chain : chains) {
      List<ViewNode> arrays = GroupedElements.upToLastArray(chain);
      if (arrays.size() <= unwound.size() && arrays.equals(unwound.subList(0, arrays.size()))) {
        columns(chain).forEach(column -> operands.add(new Operand(chain, column)));
      }
    }
    LinkedHashMap<String, Operand> groupBy = new LinkedHashMap<>();
    for (int i = random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(2); i > 0; i--) {
      groupBy.put("g" + i, any(operands));
    }
    LinkedHashMap<String, Operand> values = new LinkedHashMap<>();
    List<Aggregate> aggregates = new ArrayList<>();
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      String field = "m" + i;
      Function function = any(List.of(Function.values()));
      Operand operand = any(operands);
      if (!column(operand).type().isNumber()
          && (function == Function.SUM || function == Function.AVG)) {
        function = Function.COUNT_DISTINCT;
      }
      if (function != Function.COUNT_ROWS) {
        values.put(field, operand);
      }
      aggregates.add(new Aggregate(field, function, random.nextInt(3) * 3 - 1));
    }
    Condition filter = random.nextInt(3) == 0 ? condition(any(operands)) : null;
    return new Derived.Groups(
        index,
        new Aggregation(
            new GroupedElements(unwound, filter, groupBy, values),
            List.copyOf(groupBy.keySet()),
            aggregates),
        any(PERIODS),
        random.nextInt(4) == 0 ? new WithValue(aggregates.get(0).field()) : null);
  }

  private void addChains(List<ViewNode> chain) {
    chains.add(chain);
    for (ViewNode lookup : chain.get(chain.size() - 1).lookups()) {
      if (lookup.embedding() != Embedding.MERGED) {
        List<ViewNode> longer = new ArrayList<>(chain);
        longer.add(lookup);
        addChains(longer);
      }
    }
  }

  private List<String> columns(List<ViewNode> chain) {
    return tables.get(chain.get(chain.size() - 1).table()).columns().stream()
        .map(Column::name)
        .toList();
  }

  private Column column(Operand operand) {
    return tables
        .get(operand.nodes().get(operand.nodes().size() - 1).table())
        .column(operand.column());
  }

  private Condition condition(Operand operand) {
    Comparison comparison = any(List.of(Comparison.values()));
    return Condition.of(
        operand,
        comparison,
        comparison == Comparison.NOT_NULL ? BsonNull.VALUE : any(column(operand).values()));
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  /** Groups in which an aggregate has a value, other than none or 0. */
  record WithValue(String field) implements RowFunction {
    @Override
    @Nullable
    public RawBsonDocument apply(RawBsonDocument row) {
      var value = row.get(field);
      boolean nothing =
          value == null
              || value.isNull()
              || (value.isNumber() && value.asNumber().doubleValue() == 0);
      return nothing ? null : row;
    }

    @Override
    public String toString() {
      return "having " + field;
    }
  }
}
