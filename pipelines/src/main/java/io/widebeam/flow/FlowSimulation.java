package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Derived;
import io.widebeam.simulation.Simulator;
import io.widebeam.simulation.Simulator.Views;
import io.widebeam.simulation.Table;
import io.widebeam.simulation.Table.Column;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sql.SqlModel;
import io.widebeam.sql.SqlType;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.bson.BsonValue;

/**
 * Simulates a flow's views, rollups and models over generated tables: planned as any flow is, but
 * by a catalog that makes the tables up. Their columns are those that the flow names and a few
 * more; columns that are joined have types that SQL compares. What a flow file does not tell, such
 * as primary keys, is chosen anew for every seed.
 */
public final class FlowSimulation {
  private static final int VALUES = 4;
  private static final int OTHER_VALUES = 100;
  static final String NAMESPACE = "simulated";

  /** Rows have a column that no flow names, so that updates may change nothing that it shows. */
  private static final String UNNAMED = "unnamed";

  /** How often types and keys are chosen anew if the flow's SQL cannot be of those. */
  private static final int ATTEMPTS = 30;

  private static final Pattern TEMPLATES =
      Pattern.compile("(?s)\\{\\{.*?}}|\\{%.*?%}|\\{#.*?#}|/\\*.*?\\*/|--[^\\n]*");

  private static final Pattern EQUALITY =
      Pattern.compile("(\\w+)\\.(\\w+)\\s*=\\s*(\\w+)\\.(\\w+)");

  private static final Pattern NAMED =
      Pattern.compile("([\\w.]+)\\s+as\\s+(\\w+)", Pattern.CASE_INSENSITIVE);

  private static final Pattern NAME_GIVEN =
      Pattern.compile("\\bas\\s+\\w+", Pattern.CASE_INSENSITIVE);

  private final Flow flow;
  private final Map<TableRef, TableUse> uses = new LinkedHashMap<>();

  private FlowSimulation(Flow flow) {
    this.flow = flow;
  }

  /**
   * A simulator of the flow's views, rollups and models.
   *
   * @throws FlowException if the flow has mistakes of its own, or SQL for which no tables could be
   *     made up
   */
  public static Simulator of(Flow flow) {
    FlowSimulation simulation =
        new FlowSimulation(
            flow.withoutReplications()
                .withDefaultTarget(Connection.mongodb("Simulated", "mongodb://127.0.0.1", "any")));
    simulation.checkRules();
    simulation.readViews();
    simulation.readRollups();
    simulation.readModels();
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

    void mention(String name, SqlMentions.Mention mention) {
      columns.merge(name, mention, SqlMentions.Mention::and);
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

  private void readRollups() {
    for (RollupDefinition rollup : flow.rollups()) {
      Optional<ViewTree> view = viewTo(rollup.from());
      TableUse table =
          view.isPresent() ? null : uses.computeIfAbsent(rollup.from(), added -> new TableUse());
      List<String> texts = new ArrayList<>(rollup.groupBy().values());
      texts.addAll(rollup.aggregates().values());
      rollup.filter().ifPresent(texts::add);
      for (String text : texts) {
        SqlMentions.ofJoined(text)
            .forEach(
                (name, mention) -> {
                  if (table == null) {
                    mention(view.get(), name, mention);
                  } else {
                    table.mention(name.substring(name.lastIndexOf('.') + 1), mention);
                  }
                });
      }
    }
  }

  private Optional<ViewTree> viewTo(TableRef target) {
    for (int i = 0; i < flow.views().size(); i++) {
      View view = flow.views().get(i);
      if (view.to().equals(Optional.of(target))) {
        return Optional.of(ViewTree.of(view, FlowRules.viewPart(i), (part, what, remedy) -> {}));
      }
    }
    return Optional.empty();
  }

  /** A column of a view's documents is one of the node's that its path leads to. */
  private void mention(ViewTree node, String name, SqlMentions.Mention mention) {
    for (ViewTree lookup : node.lookups()) {
      String path = String.join(".", lookup.path());
      if (!path.isEmpty() && name.startsWith(path + ".")) {
        mention(lookup, name.substring(path.length() + 1), mention);
        return;
      }
    }
    String table = node.table().table() + ".";
    String field = name.startsWith(table) ? name.substring(table.length()) : name;
    if (field.contains(".") || node.options().computed().containsKey(field)) {
      return;
    }
    String column =
        node.options().rename().entrySet().stream()
            .filter(renamed -> renamed.getValue().equals(field))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElse(field);
    TableUse own = uses.get(node.table());
    if (!own.columns.containsKey(column)) {
      for (ViewTree lookup : node.lookups()) {
        if (lookup.path().isEmpty() && uses.get(lookup.table()).columns.containsKey(field)) {
          mention(lookup, field, mention);
          return;
        }
      }
    }
    own.mention(column, mention);
  }

  private void readModels() {
    Map<String, Connection> connections = new HashMap<>();
    flow.connections().forEach(connection -> connections.put(connection.name(), connection));
    ModelPlanner models = new ModelPlanner(flow, connections, new ArrayList<>());
    Map<String, Map<String, TableColumn>> outputs = new HashMap<>();
    // Those that read tables come first: what the others group is theirs.
    for (boolean refers : List.of(false, true)) {
      for (Model model : flow.models()) {
        SqlModel sql = SqlModel.parse(model.text());
        if (refers(sql) == refers) {
          String text = TEMPLATES.matcher(model.text()).replaceAll(" ").replace("`", "");
          if (refers) {
            Map<String, TableColumn> columns = outputs.get(sql.relations().get(0).name());
            readReference(NAME_GIVEN.matcher(text).replaceAll(" "), sql, columns);
          } else {
            outputs.put(model.name(), readTables(text, model, sql, models));
          }
        }
      }
    }
  }

  private static boolean refers(SqlModel model) {
    return model.relations().stream().anyMatch(one -> one.naming() == SqlModel.Naming.REF);
  }

  private void readReference(
      String text, SqlModel model, @Nullable Map<String, TableColumn> columns) {
    String view = model.relations().get(0).name();
    SqlMentions.ofJoined(text)
        .forEach(
            (name, mention) -> {
              String field = name.substring(name.lastIndexOf('.') + 1);
              TableColumn column = columns == null ? null : columns.get(field);
              if (column != null) {
                uses.get(column.table()).mention(column.column(), mention);
              } else if (columns == null) {
                flow.views().stream()
                    .flatMap(one -> one.to().stream())
                    .filter(to -> to.table().equals(view) && !field.equals(view))
                    .findFirst()
                    .flatMap(this::viewTo)
                    .ifPresent(root -> mention(root, field, mention));
              }
            });
  }

  /** What the model's output columns are copies of. */
  private Map<String, TableColumn> readTables(
      String text, Model model, SqlModel sql, ModelPlanner models) {
    Map<String, TableRef> tables = new LinkedHashMap<>();
    for (SqlModel.Relation relation : sql.relations()) {
      TableRef table = models.table(model, relation);
      tables.put(relation.alias(), table);
      uses.computeIfAbsent(table, added -> new TableUse());
    }
    List<String> aliases = List.copyOf(tables.keySet());
    Set<String> names = new LinkedHashSet<>(aliases);
    sql.relations().forEach(relation -> names.add(relation.name()));
    SqlMentions.ofJoined(NAME_GIVEN.matcher(text).replaceAll(" "))
        .forEach(
            (name, mention) ->
                column(name, tables)
                    .filter(column -> name.contains(".") || !names.contains(name))
                    .ifPresent(
                        column -> uses.get(column.table()).mention(column.column(), mention)));
    Map<String, List<String>> joined = new LinkedHashMap<>();
    Matcher equality = EQUALITY.matcher(text);
    while (equality.find()) {
      String left = equality.group(1);
      String right = equality.group(3);
      if (tables.containsKey(left) && tables.containsKey(right)) {
        join(
            new TableColumn(tables.get(left), equality.group(2)),
            new TableColumn(tables.get(right), equality.group(4)));
        boolean leftIsChild = aliases.indexOf(left) > aliases.indexOf(right);
        joined
            .computeIfAbsent(leftIsChild ? left : right, child -> new ArrayList<>())
            .add(equality.group(leftIsChild ? 2 : 4));
      }
    }
    joined.forEach((child, columns) -> uses.get(tables.get(child)).keys.add(distinct(columns)));
    Map<String, TableColumn> outputs = new HashMap<>();
    SqlMentions.ofJoined(text)
        .keySet()
        .forEach(
            name ->
                column(name, tables)
                    .ifPresent(
                        column -> outputs.put(name.substring(name.lastIndexOf('.') + 1), column)));
    Matcher named = NAMED.matcher(text);
    while (named.find()) {
      column(named.group(1), tables).ifPresent(column -> outputs.put(named.group(2), column));
    }
    return outputs;
  }

  private static Optional<TableColumn> column(String name, Map<String, TableRef> tables) {
    int dot = name.lastIndexOf('.');
    if (dot < 0) {
      return tables.size() == 1
          ? Optional.of(new TableColumn(tables.values().iterator().next(), name))
          : Optional.empty();
    }
    return Optional.ofNullable(tables.get(name.substring(0, dot)))
        .map(table -> new TableColumn(table, name.substring(dot + 1)));
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
    FlowException last = null;
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        return viewsOnce(random);
      } catch (FlowException e) {
        last = e;
      }
    }
    throw last;
  }

  private Views viewsOnce(Random random) {
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
    return plan(flow, tables, (target, derived) -> derived);
  }

  /**
   * What there is to simulate of a flow over given tables.
   *
   * @param finish what becomes of that which is written to a target
   * @throws FlowException if the flow has mistakes
   */
  static Views plan(
      Flow flow, Map<TableRef, Table> tables, BiFunction<PlannedTarget, Derived, Derived> finish) {
    PlannedFlow planned =
        new FlowPlanner(
                (source, names) -> describe(source, names, tables), (target, names) -> List.of())
            .plan(flow);
    List<Derived> derived = new ArrayList<>();
    for (int i = 0; i < planned.views().size(); i++) {
      PlannedView view = planned.views().get(i);
      int index = i;
      view.row()
          .ifPresent(
              row ->
                  derived.add(
                      finish.apply(view.target().orElseThrow(), new Derived.Rows(index, row))));
      for (PlannedRollup rollup : planned.rollupsOf(view)) {
        derived.add(
            finish.apply(
                rollup.target(),
                new Derived.Groups(
                    index, rollup.aggregation(), rollup.period(), rollup.row().orElse(null))));
      }
    }
    return new Views(
        List.copyOf(tables.values()),
        planned.views().stream().map(PlannedView::root).toList(),
        derived);
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
    // Neither dates nor booleans, unless SQL asks for them: the fewer the values, the more is equal
    // by chance, and the less of what is wrong shows.
    List<ColumnType> all =
        List.of(
            ColumnType.INT,
            ColumnType.BIGINT,
            ColumnType.DECIMAL,
            ColumnType.STRING,
            ColumnType.DATETIME);
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
                  List.of())
              .withDefinitions(
                  table.columns().stream()
                      .map(column -> new ColumnDefinition(column.name(), columnType(column.type())))
                      .toList()));
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

  private static io.widebeam.sink.jdbc.ColumnType columnType(ColumnType type) {
    return switch (type) {
      case INT -> io.widebeam.sink.jdbc.ColumnType.of(Kind.INT32);
      case BIGINT -> io.widebeam.sink.jdbc.ColumnType.of(Kind.INT64);
      case DECIMAL -> io.widebeam.sink.jdbc.ColumnType.decimal(20, 2);
      case STRING -> io.widebeam.sink.jdbc.ColumnType.text(100);
      case DATETIME -> io.widebeam.sink.jdbc.ColumnType.of(Kind.TIMESTAMP);
      case DATE -> io.widebeam.sink.jdbc.ColumnType.of(Kind.DATE);
      case BOOLEAN -> io.widebeam.sink.jdbc.ColumnType.of(Kind.BOOLEAN);
    };
  }

  private static SqlType sqlType(ColumnType type) {
    return switch (type) {
      case INT, BIGINT -> SqlType.INTEGER;
      case DECIMAL -> SqlType.decimal(20, 2);
      case STRING -> SqlType.TEXT;
      case DATETIME -> SqlType.DATETIME;
      case DATE -> SqlType.DATE;
      case BOOLEAN -> SqlType.BOOLEAN;
    };
  }
}
