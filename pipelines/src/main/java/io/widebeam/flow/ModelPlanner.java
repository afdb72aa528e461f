package io.widebeam.flow;

import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.UnwoundRows.Field;
import io.widebeam.flow.UnwoundRows.Node;
import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregation;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import io.widebeam.sql.BoundModel;
import io.widebeam.sql.BoundModel.Grouping;
import io.widebeam.sql.BoundModel.Measure;
import io.widebeam.sql.BoundModel.Output;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlException;
import io.widebeam.sql.SqlModel;
import io.widebeam.sql.SqlModel.Naming;
import io.widebeam.sql.SqlModel.Relation;
import io.widebeam.sql.SqlType;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;

/**
 * Plans a flow's models. A model over tables becomes a view, joined by the same engine as any,
 * whose documents are unwound to the rows that SQL gives; one that groups becomes a rollup, over
 * its own view or that of the model it refers to.
 */
final class ModelPlanner {
  /** What columns begin with that a model leaves out of its result and its table needs. */
  private static final String LEFT_OUT = "_";

  /** What MySQL has room for. */
  private static final int MAX_DIGITS = 65;

  private static final int MAX_SCALE = 30;

  private final Flow flow;
  private final Map<String, Connection> connections;
  private final List<Problem> problems;

  /** The models that can be read, by name. */
  private final Map<String, Parsed> parsed = new LinkedHashMap<>();

  private final Map<String, Bound> bound = new HashMap<>();
  private final List<PlannedView> views = new ArrayList<>();
  private final List<PlannedRollup> rollups = new ArrayList<>();
  private final Map<String, List<SqlColumn>> columnsByRollup = new LinkedHashMap<>();

  /** What the planner knows of tables, and what it makes of trees. */
  interface Tables {
    /** The table; null if it is not there, which is reported to the reporter. */
    @Nullable
    TableDescription table(TableRef ref, Reporter reporter);

    /** A table of the flow's views; null if it is not there, which is reported with the view. */
    @Nullable
    TableDescription ofView(TableRef ref);

    ViewNode node(ViewTree tree);

    /** Finds out how the database compares texts that the tree's lookup joins by. */
    void compareTexts(ViewTree parent, ViewTree lookup, Reporter reporter);
  }

  /** Takes what is wrong at a place that is known. */
  interface Reporter {
    void report(String what, String remedy);
  }

  private record Parsed(Model model, SqlModel sql) {}

  /**
   * What others can build on a model.
   *
   * @param rows the model's rows, of its view's documents; null for groups
   */
  private record Bound(
      String view,
      @Nullable RowSource rows,
      List<SqlColumn> columns,
      Map<String, ColumnType> types) {}

  ModelPlanner(Flow flow, Map<String, Connection> connections, List<Problem> problems) {
    this.flow = flow;
    this.connections = connections;
    this.problems = problems;
    for (Model model : flow.models()) {
      // Mistakes in models have been reported with the flow's own.
      parsed.put(model.name(), new Parsed(model, SqlModel.parse(model.text())));
    }
  }

  List<PlannedView> views() {
    return views.stream()
        .filter(
            view ->
                view.target().isPresent()
                    || rollups.stream().anyMatch(rollup -> rollup.view().equals(view.name())))
        .toList();
  }

  List<PlannedRollup> rollups() {
    return rollups;
  }

  /** The columns of the grouping models' rows, by the rollup's name. */
  Map<String, List<SqlColumn>> columnsByRollup() {
    return columnsByRollup;
  }

  List<PlannedTarget> targets() {
    return Stream.concat(
            views.stream().flatMap(view -> view.target().stream()),
            rollups.stream().map(PlannedRollup::target))
        .toList();
  }

  /** The file of the model that is written to a table. */
  String place(String connection, String table) {
    return parsed.values().stream()
        .filter(model -> target(model.model).equals(connection))
        .filter(model -> targetName(model).equals(table))
        .map(model -> model.model.file())
        .findFirst()
        .orElse("models");
  }

  /** The tables that models read. */
  List<TableRef> tables() {
    List<TableRef> tables = new ArrayList<>();
    for (Parsed model : parsed.values()) {
      for (Relation relation : model.sql.relations()) {
        if (relation.naming() != Naming.REF) {
          tables.add(table(model.model, relation));
        }
      }
    }
    return tables;
  }

  TableRef table(Model model, Relation relation) {
    String qualifier = relation.qualifier();
    if (qualifier.isEmpty()) {
      return new TableRef(source(model), relation.name());
    }
    if (connections.get(qualifier) instanceof Connection.Source) {
      return new TableRef(qualifier, relation.name());
    }
    for (Connection connection : flow.connections()) {
      if (connection instanceof Connection.Database database
          && database.database().equals(qualifier)) {
        return new TableRef(connection.name(), relation.name());
      }
    }
    return new TableRef(source(model), qualifier + "." + relation.name());
  }

  private String source(Model model) {
    return model.from().orElseGet(() -> only(Connection.Source.class));
  }

  private String target(Model model) {
    return model.to().orElseGet(() -> only(Connection.Target.class));
  }

  /** That there is one has been checked. */
  private String only(Class<? extends Connection> type) {
    return flow.connections().stream()
        .filter(type::isInstance)
        .map(Connection::name)
        .findFirst()
        .orElseThrow();
  }

  /** Binds all models, each after those that it refers to. */
  void bind(Tables tables) {
    for (Parsed model : parsed.values()) {
      bind(model, tables, new LinkedHashSet<>());
    }
  }

  /** What a model is; null if it has mistakes, which are reported. */
  @Nullable
  private Bound bind(Parsed model, Tables tables, Set<String> path) {
    String name = model.model.name();
    if (bound.containsKey(name)) {
      return bound.get(name);
    }
    path.add(name);
    Bound result = bindNew(model, tables, path);
    path.remove(name);
    bound.put(name, result);
    return result;
  }

  @Nullable
  private Bound bindNew(Parsed model, Tables tables, Set<String> path) {
    List<Relation> relations = model.sql.relations();
    boolean refers = relations.stream().anyMatch(one -> one.naming() == Naming.REF);
    try {
      if (!refers) {
        return bindTables(model, tables);
      }
      if (relations.size() > 1) {
        Relation second = relations.get(1);
        report(
            model,
            second,
            "a join with another model is not supported",
            "join the tables that `" + referred(relations) + "` reads");
        return null;
      }
      return bindReference(model, relations.get(0), tables, path);
    } catch (SqlException e) {
      e.mistakes()
          .forEach(
              mistake ->
                  report(
                      model, mistake.line(), mistake.column(), mistake.what(), mistake.remedy()));
      return null;
    }
  }

  private static String referred(List<Relation> relations) {
    return relations.stream()
        .filter(one -> one.naming() == Naming.REF)
        .map(Relation::name)
        .findFirst()
        .orElseThrow();
  }

  @Nullable
  private Bound bindReference(Parsed model, Relation relation, Tables tables, Set<String> path) {
    Parsed other = parsed.get(relation.name());
    if (other != null && path.contains(relation.name())) {
      report(
          model,
          relation,
          "the models refer to one another in a circle: "
              + String.join(", ", path)
              + ", "
              + relation.name(),
          "take one of the references out");
      return null;
    }
    Bound input = other == null ? bindView(model, relation, tables) : bind(other, tables, path);
    if (input == null) {
      // It has been said what is wrong with it.
      return null;
    }
    if (input.rows == null) {
      report(
          model,
          relation,
          "`" + relation.name() + "` groups its rows, and a model over groups is not supported",
          "group the rows that `" + relation.name() + "` reads");
      return null;
    }
    if (!model.sql.isGrouping()) {
      report(
          model,
          relation,
          "a model over another model can only group its rows",
          "select from the tables that `" + relation.name() + "` reads");
      return null;
    }
    BoundModel query = model.sql.bind(List.of(input.columns), false, Suggestions::amongNames);
    return group(
        model,
        query,
        input.view,
        input.rows,
        new SelectedRow.Input(query.columns(), relation.alias(), false),
        input.types);
  }

  /** The rows of a view of the flow, as a table of them would have them. */
  @Nullable
  private Bound bindView(Parsed model, Relation relation, Tables tables) {
    Map<String, Integer> views = new LinkedHashMap<>();
    for (int i = 0; i < flow.views().size(); i++) {
      int index = i;
      flow.views().get(i).to().ifPresent(to -> views.put(to.table(), index));
    }
    Integer index = views.get(relation.name());
    if (index == null) {
      Set<String> names = new LinkedHashSet<>(parsed.keySet());
      names.addAll(views.keySet());
      names.remove(model.model.name());
      report(
          model,
          relation,
          "there is no model `" + relation.name() + "`, and no view is written there",
          Suggestions.amongNames(relation.name(), "models", names));
      return null;
    }
    View view = flow.views().get(index);
    ViewTree root = ViewTree.of(view, FlowRules.viewPart(index), (part, what, remedy) -> {});
    if (!isComplete(root, tables)) {
      return null;
    }
    Optional<FlatTable> table =
        FlatTables.of(
            view,
            root,
            relation.name(),
            tables::ofView,
            (part, what, remedy) -> report(model, relation, what, remedy));
    if (table.isEmpty()) {
      return null;
    }
    List<Column> columns =
        table.get().columns().stream()
            .filter(column -> !isLeftOut(column, table.get(), view.options()))
            .toList();
    Map<String, ColumnType> types = new LinkedHashMap<>();
    columns.forEach(column -> types.put(column.name(), column.type()));
    return new Bound(
        String.valueOf(view.to().orElseThrow()),
        new UnwoundRows(unwound(columns, table.get().arrays(), 0)),
        columns.stream()
            .map(column -> new SqlColumn(column.name(), sqlType(column.type())))
            .toList(),
        types);
  }

  private static boolean isComplete(ViewTree node, Tables tables) {
    return tables.ofView(node.table()) != null
        && node.lookups().stream().allMatch(lookup -> isComplete(lookup, tables));
  }

  /** Whether a column is of a key that documents do not show. */
  private static boolean isLeftOut(Column column, FlatTable table, NodeOptions options) {
    return column.level() == 0
        && column.path().size() == 1
        && table.documentKey().contains(column.path().get(0))
        && !options.rename().containsValue(column.path().get(0))
        && !NodeRows.shows(column.path().get(0), options);
  }

  private static Node unwound(List<Column> columns, List<UnwoundArray> arrays, int level) {
    return new Node(
        level == 0 ? List.of() : arrays.get(level - 1).path(),
        level > 0,
        false,
        columns.stream()
            .filter(column -> column.level() == level)
            .map(column -> new Field(column.name(), column.path()))
            .toList(),
        level == arrays.size() ? List.of() : List.of(unwound(columns, arrays, level + 1)));
  }

  static SqlType sqlType(ColumnType type) {
    return switch (type.kind()) {
      case BOOLEAN -> SqlType.BOOLEAN;
      case INT16, INT32, INT64 -> SqlType.INTEGER;
      case DECIMAL ->
          type.length() == 0 ? SqlType.ANY_DECIMAL : SqlType.decimal(type.length(), type.scale());
      case FLOAT64 -> SqlType.DOUBLE;
      case TEXT, TIME, DURATION, UUID -> SqlType.TEXT;
      case BINARY -> SqlType.BYTES;
      case DATE -> SqlType.DATE;
      case TIMESTAMP, INSTANT -> SqlType.DATETIME;
      case JSON -> SqlType.OTHER;
    };
  }

  // Models over tables

  @Nullable
  private Bound bindTables(Parsed model, Tables tables) {
    List<Relation> relations = model.sql.relations();
    List<TableDescription> described = new ArrayList<>();
    for (Relation relation : relations) {
      described.add(
          tables.table(
              table(model.model, relation),
              (what, remedy) -> report(model, relation, what, remedyFor(relation, remedy))));
    }
    if (described.contains(null)) {
      return null;
    }
    BoundModel query =
        model.sql.bind(
            described.stream().map(TableDescription::sqlColumns).toList(),
            true,
            Suggestions::amongNames);
    List<TableRef> refs = relations.stream().map(relation -> table(model.model, relation)).toList();
    Tree tree = new Tree(model, query, refs, described);
    for (int i = 1; i < relations.size(); i++) {
      Relation relation = relations.get(i);
      tables.compareTexts(
          tree.nodes.get(query.joins().get(i - 1).parent()),
          tree.nodes.get(i),
          (what, remedy) -> report(model, relation, what, remedy));
    }
    Map<String, ColumnType> types = new HashMap<>();
    for (int i = 0; i < relations.size(); i++) {
      String alias = relations.get(i).alias();
      described
          .get(i)
          .definitions()
          .forEach(column -> types.put(alias + "." + column.name(), column.type()));
    }
    RowSource unwound = new UnwoundRows(tree.rows());
    SelectedRow.Input input = new SelectedRow.Input(query.columns(), "", true);
    String label = target(model.model) + "." + targetName(model);
    if (query.grouping().isPresent()) {
      views.add(new PlannedView(label, tables.node(tree.root()), Optional.empty()));
      return group(model, query, label, unwound, input, types);
    }
    Map<String, String> fields = new LinkedHashMap<>();
    query.outputs().forEach(output -> fields.put(output.name(), output.expression()));
    RowSource rows =
        new SelectedRows(
            unwound, new SelectedRow(input, query.filters(), fields, tree.elementKeys()));
    Map<String, ColumnType> outputTypes = types(query.outputs(), types);
    Optional<PlannedTarget> target =
        model.sql.isEphemeral()
            ? Optional.empty()
            : target(model, tree, rowsTable(model, tree, query.outputs(), outputTypes));
    boolean several = tree.rows().hasArrays();
    Map<String, String> written = new LinkedHashMap<>();
    query
        .outputs()
        .forEach(
            output ->
                written.put(
                    target.isPresent() && target.get() instanceof PlannedTarget.Jdbc
                        ? field(output, tree)
                        : output.name(),
                    output.expression()));
    RowSource writtenRows =
        new SelectedRows(
            unwound, new SelectedRow(input, query.filters(), written, tree.elementKeys()));
    Optional<RowFunction> row = target.map(one -> new RowsDocument(writtenRows, several));
    views.add(new PlannedView(label, tables.node(tree.root()), target, row));
    return new Bound(label, rows, columns(query.outputs()), outputTypes);
  }

  private String remedyFor(Relation relation, String remedy) {
    return parsed.containsKey(relation.name())
        ? "for the model write {{ ref('" + relation.name() + "') }}"
        : remedy;
  }

  /** A model's tables as a view's nodes, and as what is unwound. */
  private static final class Tree {
    private final List<Relation> relations;
    private final BoundModel query;
    private final List<TableRef> refs;
    private final List<TableDescription> tables;
    private final List<ViewTree> nodes = new ArrayList<>();
    private final Model model;

    Tree(Parsed model, BoundModel query, List<TableRef> refs, List<TableDescription> tables) {
      this.refs = refs;
      this.model = model.model;
      this.relations = model.sql.relations();
      this.query = query;
      this.tables = tables;
      for (int i = 0; i < relations.size(); i++) {
        nodes.add(node(i));
        if (i > 0) {
          nodes.get(query.joins().get(i - 1).parent()).lookups().add(nodes.get(i));
        }
      }
    }

    ViewTree root() {
      return nodes.get(0);
    }

    List<String> key() {
      return tables.get(0).primaryKey();
    }

    String rootColumn(String column) {
      return relations.get(0).alias() + "." + column;
    }

    /** The rows that the documents are unwound to. */
    Node rows() {
      return rows(0);
    }

    private Node rows(int index) {
      ViewTree node = nodes.get(index);
      boolean array = node.embedding() == Embedding.ARRAY;
      String alias = relations.get(index).alias();
      List<Field> fields = new ArrayList<>();
      node.options()
          .columns()
          .forEach(column -> fields.add(new Field(alias + "." + column, List.of(column))));
      if (array) {
        tables
            .get(index)
            .primaryKey()
            .forEach(column -> fields.add(new Field(elementKey(alias, column), List.of(column))));
      }
      List<Node> below = new ArrayList<>();
      for (int i = 1; i < nodes.size(); i++) {
        if (query.joins().get(i - 1).parent() == index) {
          below.add(rows(i));
        }
      }
      return new Node(node.path(), array, relations.get(index).required(), fields, below);
    }

    /** The fields that tell a document's rows apart. */
    List<String> elementKeys() {
      List<String> keys = new ArrayList<>();
      for (int i = 1; i < nodes.size(); i++) {
        if (nodes.get(i).embedding() == Embedding.ARRAY) {
          String alias = relations.get(i).alias();
          tables.get(i).primaryKey().forEach(column -> keys.add(elementKey(alias, column)));
        }
      }
      return keys;
    }

    private static String elementKey(String alias, String column) {
      return ViewNode.hidden(alias + "." + column);
    }

    private ViewTree node(int index) {
      TableDescription table = tables.get(index);
      Set<String> columns = new LinkedHashSet<>(query.used().get(index));
      List<String> filters = query.rootFilters();
      List<JoinColumn> relation = List.of();
      if (index > 0) {
        BoundModel.Join join = query.joins().get(index - 1);
        filters = join.filters();
        relation =
            join.pairs().stream().map(pair -> new JoinColumn(pair.parent(), pair.child())).toList();
      }
      if (index > 0 || columns.isEmpty()) {
        columns.addAll(table.primaryKey());
      }
      NodeOptions options =
          new NodeOptions(
              List.copyOf(columns),
              List.of(),
              Map.of(),
              filters.stream()
                  .map(text -> (NodeOptions.Expression) new NodeOptions.Sql(text))
                  .toList(),
              Map.of());
      return new ViewTree(
          model.file(),
          refs.get(index),
          index == 0 ? List.of() : List.of(path(index)),
          embedding(index, relation),
          relation,
          List.of(),
          0,
          options,
          new ArrayList<>());
    }

    private Embedding embedding(int index, List<JoinColumn> relation) {
      if (index == 0) {
        return Embedding.ROOT;
      }
      TableDescription table = tables.get(index);
      Set<String> joined = relation.stream().map(JoinColumn::child).collect(Collectors.toSet());
      boolean one =
          joined.containsAll(table.primaryKey())
              || table.uniqueKeys().stream().anyMatch(joined::containsAll);
      return one ? Embedding.OBJECT : Embedding.ARRAY;
    }

    /** The alias, where the parent has no column of that name. */
    private String path(int index) {
      Set<String> taken = new HashSet<>(query.used().get(query.joins().get(index - 1).parent()));
      taken.addAll(tables.get(query.joins().get(index - 1).parent()).columns());
      relations.subList(0, index).forEach(one -> taken.add(one.alias() + "_"));
      String path = relations.get(index).alias();
      while (taken.contains(path)) {
        path += "_";
      }
      return path;
    }
  }

  /**
   * Where a row's document has an output that is written to a table. The places that are called
   * like the columns of the root's key are for these.
   */
  private static String field(Output output, Tree tree) {
    boolean isKey =
        tree.key().stream()
            .anyMatch(key -> output.copied().equals(Optional.of(tree.rootColumn(key))));
    return tree.key().contains(output.name()) && !isKey
        ? ViewNode.hidden(output.name())
        : output.name();
  }

  /** The table of a model that does not group. */
  @Nullable
  private FlatTable rowsTable(
      Parsed model, Tree tree, List<Output> outputs, Map<String, ColumnType> types) {
    boolean several = tree.rows().hasArrays();
    Map<String, String> keyByOutput = new LinkedHashMap<>();
    List<Column> hidden = new ArrayList<>();
    for (String key : tree.key()) {
      Optional<Output> shown =
          outputs.stream()
              .filter(output -> output.copied().equals(Optional.of(tree.rootColumn(key))))
              .findFirst();
      if (shown.isPresent()) {
        keyByOutput.put(shown.get().name(), key);
      } else {
        hidden.add(
            new Column(
                LEFT_OUT + key,
                tree.tables.get(0).definitions().stream()
                    .filter(column -> column.name().equals(key))
                    .map(ColumnDefinition::type)
                    .findFirst()
                    .orElse(ColumnType.text(0)),
                0,
                List.of(key)));
      }
    }
    List<Column> columns = new ArrayList<>();
    for (Output output : outputs) {
      String key = keyByOutput.get(output.name());
      columns.add(
          key == null
              ? new Column(
                  output.name(),
                  types.get(output.name()),
                  several ? 1 : 0,
                  List.of(field(output, tree)))
              : new Column(output.name(), types.get(output.name()), 0, List.of(key)));
    }
    columns.addAll(hidden);
    if (!checkNames(model, columns)) {
      return null;
    }
    return new FlatTable(
        targetName(model),
        columns,
        tree.key(),
        several
            ? List.of(new UnwoundArray(List.of(RowsDocument.ROWS), tree.elementKeys()))
            : List.of(),
        FlatTable.DEFAULT_VERSION_COLUMN);
  }

  // Groups

  private Bound group(
      Parsed model,
      BoundModel query,
      String view,
      RowSource source,
      SelectedRow.Input input,
      Map<String, ColumnType> types) {
    Grouping grouping = query.grouping().orElseThrow();
    Map<String, String> keys = new LinkedHashMap<>();
    Map<String, ColumnType> groupTypes = new HashMap<>(types(grouping.keys(), types));
    grouping.keys().forEach(key -> keys.put(key.name(), key.expression()));
    Map<String, String> values = new LinkedHashMap<>();
    List<Aggregate> aggregates = new ArrayList<>();
    for (Measure measure : grouping.measures()) {
      String field = measure.aggregate().field();
      aggregates.add(measure.aggregate());
      if (!measure.expression().isEmpty()) {
        values.put(field, measure.expression());
      }
      groupTypes.put(
          field, measure.copied().map(types::get).orElseGet(() -> columnType(measure.type())));
    }
    Aggregation aggregation =
        new Aggregation(
            new GroupedRows(
                source,
                new SelectedRow(input, query.filters(), keys, List.of()),
                new SelectedRow(input, List.of(), values, List.of())),
            List.copyOf(keys.keySet()),
            aggregates);
    Map<String, String> fields = new LinkedHashMap<>();
    query.outputs().forEach(output -> fields.put(output.name(), output.expression()));
    SelectedRow row =
        new SelectedRow(
            new SelectedRow.Input(grouping.columns(), "", false),
            grouping.having(),
            fields,
            List.of());
    if (model.sql.isEphemeral()) {
      report(
          model,
          1,
          1,
          "a model that groups cannot be ephemeral, since no other can build on it",
          "materialize it as a table, or take it out");
    } else {
      FlatTable table =
          groupsTable(
              model, grouping, query.outputs(), types(query.outputs(), groupTypes), groupTypes);
      target(model, null, table)
          .ifPresent(
              target -> {
                rollups.add(
                    new PlannedRollup(
                        target.label(),
                        view,
                        aggregation,
                        model.model.every(),
                        Optional.of(row),
                        target));
                columnsByRollup.put(target.label(), columns(query.outputs()));
              });
    }
    return new Bound(view, null, columns(query.outputs()), Map.of());
  }

  @Nullable
  private FlatTable groupsTable(
      Parsed model,
      Grouping grouping,
      List<Output> outputs,
      Map<String, ColumnType> types,
      Map<String, ColumnType> groupTypes) {
    Set<String> hidden =
        grouping.keys().stream()
            .map(Output::name)
            .collect(Collectors.toCollection(LinkedHashSet::new));
    List<Column> columns = new ArrayList<>();
    for (Output output : outputs) {
      String field = output.copied().filter(hidden::remove).orElse(output.name());
      columns.add(new Column(output.name(), types.get(output.name()), 0, List.of(field)));
    }
    hidden.forEach(key -> columns.add(Column.of(key, groupTypes.get(key))));
    if (!checkNames(model, columns)) {
      return null;
    }
    return FlatTable.ofGroups(
        targetName(model), columns, grouping.keys().stream().map(Output::name).toList());
  }

  // Targets

  private static String targetName(Parsed model) {
    return model.sql.alias().orElse(model.model.name());
  }

  private boolean checkNames(Parsed model, List<Column> columns) {
    Set<String> names = new HashSet<>(Set.of(FlatTable.ROW_KEY, FlatTable.DEFAULT_VERSION_COLUMN));
    for (Column column : columns) {
      if (!names.add(column.name().toLowerCase(Locale.ROOT))) {
        report(
            model,
            1,
            1,
            "the column name `" + column.name() + "` is taken by Widebeam",
            "call it otherwise: ... AS other");
        return false;
      }
    }
    return true;
  }

  private Optional<PlannedTarget> target(
      Parsed model, @Nullable Tree tree, @Nullable FlatTable table) {
    if (table == null) {
      return Optional.empty();
    }
    Connection connection = connections.get(target(model.model));
    if (connection instanceof Connection.Jdbc jdbc) {
      return Optional.of(
          new PlannedTarget.Jdbc(
              jdbc.name(), JdbcTargetCatalog.target(jdbc), table, Optional.empty()));
    }
    Connection.Mongo mongo = (Connection.Mongo) connection;
    if (tree != null && tree.rows().hasArrays()) {
      report(
          model,
          1,
          1,
          "a model with several rows for one of its root table's needs a table as its target",
          "write it to a connection of type jdbc, or group its rows");
      return Optional.empty();
    }
    return Optional.of(
        new PlannedTarget.Mongo(
            mongo.name(), mongo.uri(), mongo.database(), table.name(), View.DEFAULT_VERSION_FIELD));
  }

  // Types

  private static List<SqlColumn> columns(List<Output> outputs) {
    return outputs.stream().map(output -> new SqlColumn(output.name(), output.type())).toList();
  }

  /** What the outputs hold, by name: a column that is only copied keeps its type. */
  private static Map<String, ColumnType> types(
      List<Output> outputs, Map<String, ColumnType> columns) {
    Map<String, ColumnType> types = new LinkedHashMap<>();
    for (Output output : outputs) {
      types.put(
          output.name(),
          output.copied().map(columns::get).orElseGet(() -> columnType(output.type())));
    }
    return types;
  }

  private static ColumnType columnType(SqlType type) {
    return switch (type.kind()) {
      case BOOLEAN -> ColumnType.of(Kind.BOOLEAN);
      case INTEGER -> ColumnType.of(Kind.INT64);
      case DECIMAL ->
          type.precision() <= MAX_DIGITS && type.scale() <= MAX_SCALE
              ? ColumnType.decimal(type.precision(), type.scale())
              : ColumnType.decimal(0, 0);
      case DOUBLE -> ColumnType.of(Kind.FLOAT64);
      case TEXT -> ColumnType.text(0);
      case DATE -> ColumnType.of(Kind.DATE);
      case DATETIME -> ColumnType.of(Kind.TIMESTAMP);
      case BYTES -> ColumnType.binary(0);
      case OTHER -> ColumnType.of(Kind.JSON);
    };
  }

  private void report(Parsed model, Relation at, String what, String remedy) {
    report(model, at.line(), at.column(), what, remedy);
  }

  private void report(Parsed model, int line, int column, String what, String remedy) {
    problems.add(new Problem(model.model.file() + ":" + line + ":" + column, what, remedy));
  }
}
