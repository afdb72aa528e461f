package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Simulator;
import io.widebeam.simulation.Simulator.Views;
import io.widebeam.simulation.Table;
import io.widebeam.simulation.Table.Column;
import io.widebeam.sql.SqlType;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.bson.BsonValue;

/**
 * Simulates a flow's views over generated tables: planned as any flow is, but by a catalog that
 * makes the tables up. Their columns are those that the flow names and a few more; columns that are
 * joined have types that SQL compares. What a flow file does not tell, such as primary keys, is
 * chosen anew for every seed.
 */
public final class FlowSimulation {
  private static final int VALUES = 4;
  private static final int OTHER_VALUES = 100;
  private static final String NAMESPACE = "simulated";

  /** Rows have a column that no flow names, so that updates may change nothing that it shows. */
  private static final String UNNAMED = "unnamed";

  private final Flow flow;
  private final Map<TableRef, TableUse> uses = new LinkedHashMap<>();

  private FlowSimulation(Flow flow) {
    this.flow = flow;
  }

  /**
   * A simulator of the flow's views.
   *
   * @throws FlowException if the flow has mistakes of its own
   */
  public static Simulator of(Flow flow) {
    FlowSimulation simulation =
        new FlowSimulation(
            flow.withRollups(List.of())
                .withoutModels()
                .withDefaultTarget(Connection.mongodb("Simulated", "mongodb://127.0.0.1", "any")));
    simulation.checkRules();
    simulation.readViews();
    simulation.views(new Random(0));
    return Simulator.of(simulation::views);
  }

  private void checkRules() {
    List<Problem> problems = new ArrayList<>();
    new FlowRules(flow.places(), problems).check(flow);
    FlowException.throwIfAny(problems);
  }

  /** What a flow says about one table. */
  private static final class TableUse {
    final Map<String, SqlMentions.Mention> columns = new LinkedHashMap<>();

    /** What may be the primary key, by how the flow uses the table. */
    final Set<List<String>> keys = new LinkedHashSet<>();

    /** The key that a view demands. */
    List<String> requiredKey = List.of();

    void column(String name) {
      columns.putIfAbsent(name, SqlMentions.Mention.NONE);
    }
  }

  /** A column, as one of those that are joined with one another. */
  private record TableColumn(TableRef table, String column) {}

  private final Map<TableColumn, TableColumn> joinedWith = new HashMap<>();

  private void readViews() {
    for (int i = 0; i < flow.views().size(); i++) {
      View view = flow.views().get(i);
      ViewTree root = ViewTree.of(view, FlowRules.viewPart(i), (part, what, remedy) -> {});
      TableUse use = read(root);
      view.key().forEach(use::column);
      if (!view.key().isEmpty()) {
        use.requiredKey = view.key();
      }
    }
  }

  private TableUse read(ViewTree node) {
    TableUse use = uses.computeIfAbsent(node.table(), table -> new TableUse());
    node.arrayKeys().forEach(use::column);
    readOptions(node.options(), use);
    for (ViewTree lookup : node.lookups()) {
      TableUse below = read(lookup);
      List<String> parentColumns = lookup.relation().stream().map(JoinColumn::parent).toList();
      List<String> childColumns = lookup.relation().stream().map(JoinColumn::child).toList();
      parentColumns.forEach(use::column);
      childColumns.forEach(below::column);
      for (JoinColumn join : lookup.relation()) {
        join(
            new TableColumn(node.table(), join.parent()),
            new TableColumn(lookup.table(), join.child()));
      }
      switch (lookup.embedding()) {
        case OBJECT, MERGED -> below.keys.add(distinct(childColumns));
        case ARRAY -> use.keys.add(distinct(parentColumns));
        case ROOT -> throw new IllegalStateException("a root below another node");
      }
    }
    return use;
  }

  private static void readOptions(NodeOptions options, TableUse use) {
    options.columns().forEach(use::column);
    options.exclude().forEach(use::column);
    options.rename().keySet().forEach(use::column);
    List<NodeOptions.Expression> expressions = new ArrayList<>(options.filters());
    expressions.addAll(options.computed().values());
    for (NodeOptions.Expression expression : expressions) {
      if (expression instanceof NodeOptions.Sql sql) {
        SqlMentions.in(sql.text())
            .forEach((name, mention) -> use.columns.merge(name, mention, SqlMentions.Mention::and));
      }
    }
  }

  private static List<String> distinct(List<String> columns) {
    return List.copyOf(new LinkedHashSet<>(columns));
  }

  private void join(TableColumn a, TableColumn b) {
    TableColumn first = family(a);
    TableColumn second = family(b);
    if (!first.equals(second)) {
      joinedWith.put(first, second);
    }
  }

  /** One column that stands for all that are joined with this one, directly or not. */
  private TableColumn family(TableColumn column) {
    TableColumn representative = column;
    while (joinedWith.containsKey(representative)) {
      representative = joinedWith.get(representative);
    }
    return representative;
  }

  /** The views over tables of a seed. */
  private Views views(Random random) {
    Map<TableColumn, ColumnType> families = new HashMap<>();
    uses.forEach(
        (ref, use) ->
            use.columns.forEach(
                (name, mention) ->
                    mention
                        .type()
                        .ifPresent(
                            type -> families.put(family(new TableColumn(ref, name)), type))));
    Map<TableRef, Table> tables = new LinkedHashMap<>();
    uses.forEach((ref, use) -> tables.put(ref, table(ref, use, families, random)));
    PlannedFlow planned =
        new FlowPlanner(
                (source, names) -> describe(source, names, tables), (target, names) -> List.of())
            .plan(flow);
    return new Views(
        List.copyOf(tables.values()), planned.views().stream().map(PlannedView::root).toList());
  }

  private Table table(
      TableRef ref, TableUse use, Map<TableColumn, ColumnType> families, Random random) {
    Map<String, Column> columns = new LinkedHashMap<>();
    List<String> key = key(use, random);
    for (String name : key) {
      if (!use.columns.containsKey(name)) {
        columns.put(name, Column.of(name, ColumnType.INT, 2 * VALUES));
      }
    }
    use.columns.forEach(
        (name, mention) -> {
          ColumnType family =
              families.computeIfAbsent(
                  family(new TableColumn(ref, name)), column -> anyType(random));
          ColumnType type = mention.type().isPresent() ? family : family.comparable(random);
          List<BsonValue> values = new ArrayList<>(Column.of(name, type, VALUES).values());
          values.addAll(mention.values(type));
          columns.put(name, new Column(name, type, values));
        });
    columns.putIfAbsent(UNNAMED, Column.of(UNNAMED, ColumnType.INT, OTHER_VALUES));
    return new Table(
        new TableId(ref.connection(), NAMESPACE, ref.table()), List.copyOf(columns.values()), key);
  }

  /** Mostly numbers, of which there are most types to mix. */
  private static ColumnType anyType(Random random) {
    List<ColumnType> all = List.of(ColumnType.values());
    return random.nextInt(3) == 0 ? all.get(random.nextInt(all.size())) : ColumnType.INT;
  }

  private static List<String> key(TableUse use, Random random) {
    if (!use.requiredKey.isEmpty()) {
      return use.requiredKey;
    }
    String own = use.columns.containsKey("id") ? "own_id" : "id";
    List<List<String>> candidates = new ArrayList<>(use.keys);
    int choice = random.nextInt(candidates.size() + 2);
    if (choice < candidates.size()) {
      return candidates.get(choice);
    }
    if (use.columns.containsKey("id")) {
      return List.of("id");
    }
    // An own number, perhaps within what the table is joined by.
    return choice == candidates.size() || use.columns.isEmpty()
        ? List.of(own)
        : List.of(use.columns.keySet().iterator().next(), own);
  }

  private static SourceDescription describe(
      Connection.Source source, Set<String> names, Map<TableRef, Table> tables) {
    Map<String, TableDescription> described = new TreeMap<>();
    for (String name : names) {
      Table table = tables.get(new TableRef(source.name(), name));
      Map<String, SqlType> types = new HashMap<>();
      table.columns().forEach(column -> types.put(column.name(), sqlType(column.type())));
      described.put(
          name,
          new TableDescription(
              table.id(),
              table.columns().stream().map(Column::name).toList(),
              table.primaryKey(),
              0,
              true,
              types,
              List.of()));
    }
    return new SourceDescription(
        source instanceof Connection.Database database
            ? ConnectorSettings.connectorClass(database.engine())
            : ConnectorSettings.MYSQL,
        true,
        described,
        Map.of(),
        List.copyOf(names),
        List.of());
  }

  private static SqlType sqlType(ColumnType type) {
    return switch (type) {
      case INT, BIGINT -> SqlType.INTEGER;
      case DECIMAL -> SqlType.decimal(20, 2);
      case STRING -> SqlType.TEXT;
      case DATETIME -> SqlType.DATETIME;
    };
  }
}
