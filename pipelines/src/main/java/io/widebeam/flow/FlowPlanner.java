package io.widebeam.flow;

import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.TargetCatalog.JdbcFindings;
import io.widebeam.flow.TargetCatalog.JdbcTable;
import io.widebeam.flow.TextComparison.ByCollation;
import io.widebeam.flow.TextComparison.Refused;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlException;
import io.widebeam.sql.SqlExpressions;
import io.widebeam.sql.SqlMistake;
import io.widebeam.sql.SqlType;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.JoinColumn;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds flows against their databases: every table, column, key and setting that they need. */
public final class FlowPlanner {
  private static final Logger LOG = LoggerFactory.getLogger(FlowPlanner.class);
  private static final Set<SqlType.Kind> NUMBERS =
      Set.of(SqlType.Kind.INTEGER, SqlType.Kind.DECIMAL, SqlType.Kind.DOUBLE);

  /** What is left of a second's digits in documents. */
  private static final int MILLISECOND_DIGITS = 3;

  private static final int MAX_DIGITS = MathContext.DECIMAL128.getPrecision();

  private final SourceCatalog sourceCatalog;
  private final TargetCatalog targetCatalog;

  public FlowPlanner(SourceCatalog sourceCatalog, TargetCatalog targetCatalog) {
    this.sourceCatalog = sourceCatalog;
    this.targetCatalog = targetCatalog;
  }

  /** A planner that asks the databases themselves. */
  public static FlowPlanner connected() {
    return new FlowPlanner(SourceCatalog.jdbc(), TargetCatalog.connected());
  }

  /**
   * Plans a flow.
   *
   * @throws FlowException if anything is wrong with it. First come the flow's own mistakes; only a
   *     flow without any is held against the databases
   */
  public PlannedFlow plan(Flow flow) {
    List<Problem> problems = new ArrayList<>();
    new FlowRules(flow.places(), problems).check(flow);
    FlowException.throwIfAny(problems);
    return new Planning(flow, problems).plan();
  }

  /**
   * A view to plan.
   *
   * @param place its part of the flow
   * @param targetPlace the part that names its target
   * @param isReplication whether it copies one table, rather than being a view of the flow
   */
  private record Part(
      View view, String place, String targetPlace, ViewTree tree, boolean isReplication) {
    Optional<TableRef> to() {
      return view.to();
    }
  }

  /**
   * A table to write to.
   *
   * @param place the part that names it
   * @param layout empty if it cannot be told, which has been reported
   */
  private record TablePart(
      TableRef to, String place, Optional<FlatTable> layout, boolean followsSource) {}

  /**
   * A rollup to plan.
   *
   * @param part the view that it reads
   * @param laid empty if it cannot be planned, which has been reported
   */
  private record RollupPart(
      RollupDefinition rollup, String place, Part part, Optional<RollupPlanner.Laid> laid) {}

  /** The planning of one flow. */
  private final class Planning {
    private final Flow flow;
    private final List<Problem> problems;
    private final Map<String, Connection> connections = new HashMap<>();
    private final Map<String, SourceDescription> descriptions = new LinkedHashMap<>();
    private final ModelPlanner models;

    /** By the part of the flow that says the relation. */
    private final Map<String, ComparedColumns> comparedColumns = new LinkedHashMap<>();

    private final Map<String, ByCollation> collations = new HashMap<>();

    /** Two columns of one connection. */
    private record ComparedColumns(String connection, TextComparison.Columns columns) {}

    Planning(Flow flow, List<Problem> problems) {
      this.flow = flow;
      this.problems = problems;
      flow.connections().forEach(connection -> connections.put(connection.name(), connection));
      this.models = new ModelPlanner(flow, connections, problems);
    }

    PlannedFlow plan() {
      describeSources();
      List<Part> parts = new ArrayList<>(checkViews());
      parts.addAll(checkReplications());
      List<RollupPart> rollups = checkRollups(parts);
      models.bind(new ModelTables());
      compareTexts();
      checkTargets(parts, rollups);
      checkModelTargets();
      List<PlannedRule> rules = planRules(rollups);
      FlowException.throwIfAny(problems);

      List<PlannedView> views = new ArrayList<>(parts.stream().map(this::planned).toList());
      Set<ViewTree> ofTables = new LinkedHashSet<>();
      rollups.stream()
          .filter(rollup -> rollup.part().to().isEmpty())
          .forEach(rollup -> ofTables.add(rollup.part().tree()));
      ofTables.forEach(
          tree ->
              views.add(
                  new PlannedView(
                      tree.table().toString(), node(tree, List.of()), Optional.empty())));
      views.addAll(models.views());
      List<PlannedRollup> planned = new ArrayList<>(models.rollups());
      planned.addAll(rollups.stream().map(this::planned).toList());
      return new PlannedFlow(flow.name(), plannedSources(), views, deadLetters().map(this::letters))
          .withRollups(planned)
          .withNotifications(flow.channels(), rules);
    }

    private List<PlannedRule> planRules(List<RollupPart> rollups) {
      Map<String, List<SqlColumn>> columns = new LinkedHashMap<>(models.columnsByRollup());
      for (RollupPart rollup : rollups) {
        rollup
            .laid()
            .ifPresent(
                laid ->
                    columns.put(
                        rollup.rollup().to().toString(),
                        laid.table().columns().stream()
                            .map(
                                column ->
                                    new SqlColumn(
                                        column.name(), ModelPlanner.sqlType(column.type())))
                            .toList()));
      }
      List<PlannedRule> rules = new ArrayList<>();
      for (int i = 0; i < flow.rules().size(); i++) {
        Rule rule = flow.rules().get(i);
        String part = FlowRules.rulePart(i) + ".when";
        // A rollup that cannot be planned is not there, which has been reported.
        columns.forEach(
            (rollup, fields) -> {
              String table = TableRef.parse(rollup).table();
              if (rule.rollup().equals(rollup) || rule.rollup().equals(table)) {
                planRule(rule, part, rollup, table, fields).ifPresent(rules::add);
              }
            });
      }
      return rules;
    }

    private Optional<PlannedRule> planRule(
        Rule rule, String part, String rollup, String table, List<SqlColumn> columns) {
      SelectedRow.Input row = new SelectedRow.Input(columns, table, false);
      try {
        CompiledExpression unused =
            row.expressions().withSuggester(Suggestions::amongNames).compileCondition(rule.when());
      } catch (SqlException e) {
        reportMistakes(part, e);
        return Optional.empty();
      }
      return Optional.of(
          new PlannedRule(
              rule.name(),
              rollup,
              rule.when().strip(),
              new SelectedRow(
                  row,
                  List.of(rule.when()),
                  Map.of(),
                  columns.stream().map(SqlColumn::name).toList())));
    }

    private PlannedView planned(Part part) {
      return new PlannedView(node(part.tree(), part.view().key()), target(part));
    }

    private PlannedRollup planned(RollupPart part) {
      TableRef to = part.rollup().to();
      PlannedTarget target =
          connections.get(to.connection()) instanceof Connection.Jdbc jdbc
              ? new PlannedTarget.Jdbc(
                  jdbc.name(),
                  JdbcTargetCatalog.target(jdbc),
                  part.laid().orElseThrow().table(),
                  Optional.empty())
              : letters(to);
      return new PlannedRollup(
          to.toString(),
          part.part().to().orElse(part.part().tree().table()).toString(),
          part.laid().orElseThrow().aggregation(),
          part.rollup().every(),
          Optional.empty(),
          target);
    }

    /** What models need to know of tables. */
    private final class ModelTables implements ModelPlanner.Tables {
      @Override
      public TableDescription table(TableRef ref, ModelPlanner.Reporter reporter) {
        int before = problems.size();
        checkTable(ref, reporter);
        TableDescription table = Planning.this.table(ref);
        if (table != null) {
          checkExactKey(table, table.primaryKey(), "", reporter);
        }
        return problems.size() > before ? null : table;
      }

      @Override
      public TableDescription ofView(TableRef ref) {
        return Planning.this.table(ref);
      }

      @Override
      public ViewNode node(ViewTree tree) {
        return Planning.this.node(tree, List.of());
      }

      @Override
      public void compareTexts(ViewTree parent, ViewTree lookup, ModelPlanner.Reporter reporter) {
        lookup.relation().forEach(join -> checkExactJoin(parent, lookup, join, reporter));
        String connection = parent.table().connection();
        if (!connection.equals(lookup.table().connection())) {
          return;
        }
        List<TextComparison.Columns> pairs =
            lookup.relation().stream()
                .map(
                    join ->
                        new TextComparison.Columns(
                            parent.table().table(),
                            join.parent(),
                            lookup.table().table(),
                            join.child()))
                .toList();
        Map<TextComparison.Columns, TextComparison> found =
            sourceCatalog.compareTexts(source(connection), new LinkedHashSet<>(pairs));
        for (int i = 0; i < pairs.size(); i++) {
          takeComparison(ofModel(lookup, i), found.get(pairs.get(i)), reporter);
        }
      }
    }

    private void checkModelTargets() {
      Map<String, List<JdbcTable>> tables = new TreeMap<>();
      Map<String, Set<String>> collections = new TreeMap<>();
      models
          .targets()
          .forEach(
              target -> {
                if (target instanceof PlannedTarget.Jdbc jdbc) {
                  tables
                      .computeIfAbsent(jdbc.connection(), name -> new ArrayList<>())
                      .add(new JdbcTable(jdbc.table(), false));
                } else {
                  collections
                      .computeIfAbsent(target.connection(), name -> new TreeSet<>())
                      .add(target.name());
                }
              });
      collections.forEach(
          (name, names) -> reportAll(name, targetCatalog.check(mongo(name), names)));
      tables.forEach(
          (name, all) -> {
            JdbcFindings findings =
                targetCatalog.check((Connection.Jdbc) connections.get(name), all);
            reportAll(name, findings.connection());
            findings
                .tables()
                .forEach(
                    (table, mismatches) ->
                        mismatches.forEach(
                            mismatch ->
                                problems.add(
                                    new Problem(
                                        models.place(name, table),
                                        mismatch.what(),
                                        mismatch.remedy()))));
          });
    }

    private void describeSources() {
      Map<String, Set<String>> tables = new TreeMap<>();
      Map<String, List<TableRef>> patterns = new TreeMap<>();
      for (TableRef ref : tablesToRead()) {
        Set<String> names = tables.computeIfAbsent(ref.connection(), name -> new TreeSet<>());
        if (ref.isPattern()) {
          patterns.computeIfAbsent(ref.connection(), name -> new ArrayList<>()).add(ref);
        } else {
          names.add(ref.table());
        }
      }
      tables.forEach(
          (name, names) -> {
            SourceDescription description = sourceCatalog.describe(source(name), names);
            Set<String> matching = matching(patterns.get(name), description);
            if (names.addAll(matching)) {
              description = sourceCatalog.describe(source(name), names);
            }
            descriptions.put(name, description);
            reportAll(name, description.findings());
            description
                .cautions()
                .forEach(caution -> LOG.warn("{}: {}", caution.what(), caution.remedy()));
          });
    }

    private List<TableRef> tablesToRead() {
      List<TableRef> refs = new ArrayList<>();
      for (View view : flow.views()) {
        refs.add(view.from());
        view.lookups().forEach(lookup -> refs.add(lookup.from()));
      }
      flow.replications().forEach(replication -> refs.addAll(replication.from()));
      refs.addAll(models.tables());
      flow.rollups().stream()
          .map(RollupDefinition::from)
          .filter(from -> connections.get(from.connection()) instanceof Connection.Source)
          .forEach(refs::add);
      return refs;
    }

    private static Set<String> matching(
        @Nullable List<TableRef> patterns, SourceDescription description) {
      Set<String> names = new TreeSet<>();
      if (patterns != null) {
        for (String name : description.otherNames()) {
          if (patterns.stream().anyMatch(pattern -> pattern.matches(name))) {
            names.add(name);
          }
        }
      }
      return names;
    }

    private void checkTargets(List<Part> parts, List<RollupPart> rollups) {
      Map<String, Set<String>> collections = new TreeMap<>();
      Map<String, List<TablePart>> tables = new TreeMap<>();
      for (Part part : parts) {
        if (part.to().isEmpty()) {
          report(
              part.place(),
              "the view has no target",
              "name one, as in: to: MongoDB_ECommerce.orderSingleView");
          continue;
        }
        TableRef to = part.to().get();
        if (isTable(part.to())) {
          // Options with mistakes have been reported.
          Optional<FlatTable> layout =
              isComplete(part.tree()) && problems.isEmpty() ? layOut(part) : Optional.empty();
          tables
              .computeIfAbsent(to.connection(), name -> new ArrayList<>())
              .add(new TablePart(to, part.targetPlace(), layout, part.isReplication()));
        } else {
          collections.computeIfAbsent(to.connection(), name -> new TreeSet<>()).add(to.table());
        }
      }
      for (RollupPart rollup : rollups) {
        TableRef to = rollup.rollup().to();
        if (isTable(Optional.of(to))) {
          tables
              .computeIfAbsent(to.connection(), name -> new ArrayList<>())
              .add(
                  new TablePart(
                      to,
                      rollup.place() + ".to",
                      rollup.laid().map(RollupPlanner.Laid::table),
                      false));
        } else {
          collections.computeIfAbsent(to.connection(), name -> new TreeSet<>()).add(to.table());
        }
      }
      deadLetters()
          .ifPresent(
              letters -> {
                if (!collections
                    .computeIfAbsent(letters.connection(), name -> new TreeSet<>())
                    .add(letters.table())) {
                  report(
                      "views",
                      "a view writes to `" + letters + "`, where dead letters go by default",
                      "name another collection for them, as in: deadLetters: "
                          + letters.connection()
                          + ".dead_letters");
                }
              });
      collections.forEach(
          (name, names) -> reportAll(name, targetCatalog.check(mongo(name), names)));
      tables.forEach(this::checkTables);
    }

    private void checkTables(String connection, List<TablePart> parts) {
      List<JdbcTable> laidOut = new ArrayList<>();
      for (TablePart part : parts) {
        part.layout().ifPresent(table -> laidOut.add(new JdbcTable(table, part.followsSource())));
      }
      JdbcFindings findings =
          targetCatalog.check((Connection.Jdbc) connections.get(connection), laidOut);
      reportAll(connection, findings.connection());
      for (TablePart part : parts) {
        findings
            .tables()
            .getOrDefault(part.to().table(), List.of())
            .forEach(mismatch -> report(part.place(), mismatch.what(), mismatch.remedy()));
      }
    }

    /** Whether all tables of the tree are there: what is not has been reported. */
    private boolean isComplete(ViewTree node) {
      return table(node.table()) != null && node.lookups().stream().allMatch(this::isComplete);
    }

    private Optional<FlatTable> layOut(Part part) {
      return FlatTables.of(
          part.view(), part.tree(), part.to().orElseThrow().table(), this::table, this::report);
    }

    private List<Part> checkViews() {
      List<Part> parts = new ArrayList<>();
      for (int i = 0; i < flow.views().size(); i++) {
        View view = flow.views().get(i);
        String place = FlowRules.viewPart(i);
        ViewTree root = ViewTree.of(view, place, (part, what, remedy) -> {});
        checkNode(root);
        checkKey(root, view.key());
        checkExactKey(root, view.key());
        if (!isTable(view.to())) {
          checkTakenFields(root, view.versionField());
        }
        parts.add(new Part(view, place, place + ".to", root, false));
      }
      return parts;
    }

    /** Every replicated table is a view of its own, of nothing but its rows. */
    private List<Part> checkReplications() {
      List<Part> parts = new ArrayList<>();
      Set<TableRef> targets = new HashSet<>();
      flow.views().forEach(view -> view.to().ifPresent(targets::add));
      for (int i = 0; i < flow.replications().size(); i++) {
        Replication replication = flow.replications().get(i);
        String place = FlowRules.replicationPart(i);
        for (int j = 0; j < replication.from().size(); j++) {
          String from = FlowRules.replicatedPart(place, j);
          for (TableRef table : tablesOf(replication.from().get(j), from)) {
            TableRef to = new TableRef(replication.to(), table.table());
            View view = new View(table, List.of(), Optional.of(to), View.DEFAULT_VERSION_FIELD);
            ViewTree root = ViewTree.of(view, from, (part, what, remedy) -> {});
            checkNode(root);
            checkExactKey(root);
            if (!isTable(view.to())) {
              checkTakenFields(root, view.versionField());
            }
            if (!targets.add(to)) {
              report(from, "`" + to + "` is written more than once", "name each table once");
            }
            parts.add(new Part(view, from, from, root, true));
          }
        }
      }
      return parts;
    }

    private List<TableRef> tablesOf(TableRef ref, String place) {
      SourceDescription description = descriptions.get(ref.connection());
      if (!ref.isPattern()) {
        return List.of(ref);
      }
      if (!description.reached()) {
        return List.of();
      }
      List<TableRef> tables = new ArrayList<>();
      for (String name : matching(List.of(ref), description)) {
        // A pattern means tables; what else has such a name is passed over.
        if (!JdbcSession.isView(name).equals(description.unreadable().get(name))) {
          tables.add(new TableRef(ref.connection(), name));
        }
      }
      if (tables.isEmpty()) {
        report(
            place,
            "no table of " + ref.connection() + " has a name like `" + ref.table() + "`",
            "* stands for any characters but a dot");
      }
      return tables;
    }

    /** Every rollup reads a view of the flow, or a table's rows as they are. */
    private List<RollupPart> checkRollups(List<Part> parts) {
      List<RollupPart> rollups = new ArrayList<>();
      Map<TableRef, Part> ofTables = new HashMap<>();
      for (int i = 0; i < flow.rollups().size(); i++) {
        RollupDefinition rollup = flow.rollups().get(i);
        String place = FlowRules.rollupPart(i);
        readBy(rollup, place, parts, ofTables)
            .ifPresent(
                part ->
                    rollups.add(new RollupPart(rollup, place, part, layOut(rollup, place, part))));
      }
      return rollups;
    }

    private Optional<Part> readBy(
        RollupDefinition rollup, String place, List<Part> parts, Map<TableRef, Part> ofTables) {
      TableRef from = rollup.from();
      for (Part part : parts) {
        if (part.to().equals(Optional.of(from))) {
          return Optional.of(part);
        }
      }
      if (connections.get(from.connection()) instanceof Connection.Source) {
        return Optional.of(
            ofTables.computeIfAbsent(
                from,
                table -> {
                  View view =
                      new View(table, List.of(), Optional.empty(), View.DEFAULT_VERSION_FIELD);
                  ViewTree root = ViewTree.of(view, place, (part, what, remedy) -> {});
                  checkNode(root);
                  checkExactKey(root);
                  return new Part(view, place, place, root, false);
                }));
      }
      report(
          place + ".from",
          "no view of this flow writes to `" + from + "`",
          Suggestions.amongNames(
              from.toString(),
              "views",
              parts.stream().flatMap(part -> part.to().stream()).map(TableRef::toString).toList()));
      return Optional.empty();
    }

    /** Empty if there are mistakes, in the rollup or in its view, which are reported. */
    private Optional<RollupPlanner.Laid> layOut(RollupDefinition rollup, String place, Part part) {
      if (!isComplete(part.tree()) || !areOptionsRight(part.tree())) {
        return Optional.empty();
      }
      DocumentColumns documents = DocumentColumns.of(part.tree(), rollup.unwind(), this::table);
      return new RollupPlanner(
              rollup, place, part.tree(), documents, this::report, this::reportMistakes)
          .plan();
    }

    private boolean areOptionsRight(ViewTree node) {
      try {
        TableDescription table = table(node.table());
        FlatTables.sqlTypes(node, table);
        return node.lookups().stream().allMatch(this::areOptionsRight);
      } catch (SqlException e) {
        return false;
      }
    }

    private boolean isTable(Optional<TableRef> to) {
      return to.isPresent() && connections.get(to.get().connection()) instanceof Connection.Jdbc;
    }

    private void checkNode(ViewTree node) {
      checkTable(node);
      checkOptions(node);
      for (ViewTree lookup : node.lookups()) {
        checkRelation(node, lookup);
        checkField(node, lookup);
        checkNode(lookup);
        checkExactKey(lookup);
      }
    }

    private void checkTable(ViewTree node) {
      String from = node.part() + ".from";
      checkTable(node.table(), (what, remedy) -> report(from, what, remedy));
      TableDescription table = table(node.table());
      if (table != null) {
        for (String column : node.arrayKeys()) {
          String part = node.part() + ".arrayKeys";
          if (checkColumn(part, column, node, table) && isBeyondDecimal128(table, column)) {
            report(
                part,
                "the column `%s` of table `%s` can have more than %d digits, and has no order then"
                    .formatted(column, node.table().table(), MAX_DIGITS),
                "order by another column, or give it at most %d digits".formatted(MAX_DIGITS));
          }
        }
      }
    }

    private void checkTable(TableRef ref, ModelPlanner.Reporter reporter) {
      SourceDescription source = descriptions.get(ref.connection());
      if (!source.reached()) {
        return;
      }
      String name = ref.table();
      TableDescription table = source.tables().get(name);
      if (table == null) {
        Finding unreadable = source.unreadable().get(name);
        if (unreadable != null) {
          reporter.report(unreadable.what(), unreadable.remedy());
        } else {
          reporter.report(
              "there is no table `" + name + "` that " + ref.connection() + " can read",
              Suggestions.amongNames(name, "tables", source.otherNames()));
        }
        return;
      }
      if (table.primaryKey().isEmpty()) {
        reporter.report(
            "table `" + name + "` has no primary key, so its rows cannot be told apart",
            "ALTER TABLE " + name + " ADD PRIMARY KEY (...)");
      }
      if (!table.wholeRowsBefore()) {
        reporter.report(
            "table `"
                + name
                + "`: its log leaves out what a row was before a change, which the join needs",
            "ALTER TABLE " + name + " REPLICA IDENTITY FULL");
      }
    }

    private void checkOptions(ViewTree node) {
      TableDescription table = table(node.table());
      NodeOptions options = node.options();
      if (table == null || options.isNone()) {
        return;
      }
      checkColumns(node, "columns", options.columns(), table);
      checkColumns(node, "exclude", options.exclude(), table);
      for (String column : options.rename().keySet()) {
        checkColumn(node.part() + ".rename." + column, column, node, table);
      }
      for (int i = 0; i < options.filters().size(); i++) {
        String part = node.part() + ".filter";
        check(part, options.filters().get(i), table, SqlExpressions::compileCondition);
      }
      options
          .computed()
          .forEach(
              (field, value) ->
                  check(node.part() + ".computed." + field, value, table, SqlExpressions::compile));
      List<String> fields = NodeRows.shownFields(table.columns(), options);
      for (int i = 0; i < fields.size(); i++) {
        if (fields.subList(0, i).contains(fields.get(i))) {
          reportTwice(node, fields.get(i));
        }
      }
    }

    private void reportTwice(ViewTree node, String field) {
      boolean computed = node.options().computed().containsKey(field);
      String renamed =
          node.options().rename().entrySet().stream()
              .filter(entry -> entry.getValue().equals(field))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElse("");
      report(
          node.part() + (computed ? ".computed." + field : ".rename." + renamed),
          "the field `"
              + field
              + "` is there twice: it is also a column of `"
              + node.table().table()
              + "`",
          "choose another name, or leave the column out: exclude: [" + field + "]");
    }

    private void checkColumns(
        ViewTree node, String option, List<String> columns, TableDescription table) {
      for (int i = 0; i < columns.size(); i++) {
        checkColumn(node.part() + "." + option + "[" + i + "]", columns.get(i), node, table);
      }
    }

    private void check(
        String part,
        NodeOptions.Expression expression,
        TableDescription table,
        BiConsumer<SqlExpressions, String> compile) {
      if (!(expression instanceof NodeOptions.Sql sql)) {
        return;
      }
      SqlExpressions expressions =
          NodeRows.expressions(table.id().name(), table.sqlColumns())
              .withSuggester(Suggestions::amongNames);
      try {
        compile.accept(expressions, sql.text());
      } catch (SqlException e) {
        reportMistakes(part, e);
      }
    }

    private void reportMistakes(String part, SqlException e) {
      for (SqlMistake mistake : e.mistakes()) {
        boolean first = mistake.line() == 1 && mistake.column() == 1;
        String where =
            first || flow.places().isText(part)
                ? ""
                : " (line " + mistake.line() + ", column " + mistake.column() + " of it)";
        problems.add(
            new Problem(
                flow.places().within(part, mistake.line(), mistake.column()),
                mistake.what() + where,
                mistake.remedy()));
      }
    }

    /** Documents can be told apart by what no two rows have in common, and every row has. */
    private void checkKey(ViewTree root, List<String> key) {
      TableDescription table = table(root.table());
      if (key.isEmpty() || table == null) {
        return;
      }
      boolean known = true;
      for (int i = 0; i < key.size(); i++) {
        known &= table.columns().contains(key.get(i));
        checkColumn(root.part() + ".key[" + i + "]", key.get(i), root, table);
      }
      Set<String> columns = Set.copyOf(key);
      boolean unique =
          columns.size() == key.size()
              && Stream.concat(Stream.of(table.primaryKey()), table.uniqueKeys().stream())
                  .anyMatch(index -> Set.copyOf(index).equals(columns));
      if (known && !unique) {
        String name = root.table().table();
        report(
            root.part() + ".key",
            "no unique index of table `"
                + name
                + "` is over exactly the columns "
                + String.join(", ", key)
                + ", none of them NULL: two rows could have one document",
            table.uniqueKeys().isEmpty()
                ? "leave `key` out for the primary key, or create the index: ALTER TABLE "
                    + name
                    + " ADD UNIQUE ("
                    + String.join(", ", key)
                    + ")"
                : "there are: "
                    + table.uniqueKeys().stream()
                        .map(index -> "[" + String.join(", ", index) + "]")
                        .collect(Collectors.joining(", ")));
      }
    }

    /** The rows' primary key must be one in documents too. */
    private void checkExactKey(ViewTree node) {
      TableDescription table = table(node.table());
      if (table != null) {
        checkExactKey(
            table,
            table.primaryKey(),
            "",
            (what, remedy) -> report(node.part() + ".from", what, remedy));
      }
    }

    /** So must a document's, whether it is the primary key or another. */
    private void checkExactKey(ViewTree root, List<String> key) {
      TableDescription table = table(root.table());
      if (table != null) {
        checkExactKey(
            table,
            key.isEmpty() ? table.primaryKey() : key,
            ", or tell the rows apart by others: key: [...]",
            (what, remedy) ->
                report(root.part() + (key.isEmpty() ? ".from" : ".key"), what, remedy));
      }
    }

    private static void checkExactKey(
        TableDescription table, List<String> key, String orElse, ModelPlanner.Reporter reporter) {
      for (String column : key) {
        int digits = digitsOfSeconds(table, column);
        if (digits > MILLISECOND_DIGITS) {
          reporter.report(
              ("the key column `%s` of table `%s` has %d digits behind the seconds' point, of which"
                      + " %d are kept: rows that differ in the others alone would be one")
                  .formatted(column, table.id().name(), digits, MILLISECOND_DIGITS),
              "give the column %d digits, as in TIMESTAMP(%d)"
                      .formatted(MILLISECOND_DIGITS, MILLISECOND_DIGITS)
                  + orElse);
        }
      }
    }

    /** What columns are joined by must be kept whole, or rows would meet that are not equal. */
    private void checkExactJoin(
        ViewTree parent, ViewTree child, JoinColumn join, ModelPlanner.Reporter reporter) {
      checkExactJoin(table(parent.table()), join.parent(), reporter);
      checkExactJoin(table(child.table()), join.child(), reporter);
    }

    private static void checkExactJoin(
        TableDescription table, String column, ModelPlanner.Reporter reporter) {
      int digits = digitsOfSeconds(table, column);
      if (digits > MILLISECOND_DIGITS) {
        reporter.report(
            ("the column `%s` of table `%s` has %d digits behind the seconds' point, of which %d"
                    + " are kept: rows would meet that are not equal")
                .formatted(column, table.id().name(), digits, MILLISECOND_DIGITS),
            "give the column %d digits, as in TIMESTAMP(%d), or join by another"
                .formatted(MILLISECOND_DIGITS, MILLISECOND_DIGITS));
      } else if (isBeyondDecimal128(table, column)) {
        reporter.report(
            ("the column `%s` of table `%s` can have more than %d digits, and equals no other"
                    + " number then")
                .formatted(column, table.id().name(), MAX_DIGITS),
            "give it at most %d digits, or join by another column".formatted(MAX_DIGITS));
      }
    }

    /** Of a date with a time; 0 for all else. */
    private static int digitsOfSeconds(TableDescription table, String column) {
      return definition(table, column)
          .map(ColumnDefinition::type)
          .filter(type -> type.kind() == Kind.TIMESTAMP || type.kind() == Kind.INSTANT)
          .map(ColumnType::scale)
          .orElse(0);
    }

    /** Whether a decimal is declared with more digits than BSON's have: those are texts there. */
    private static boolean isBeyondDecimal128(TableDescription table, String column) {
      return definition(table, column)
          .map(ColumnDefinition::type)
          .filter(type -> type.kind() == Kind.DECIMAL && type.length() > MAX_DIGITS)
          .isPresent();
    }

    private static Optional<ColumnDefinition> definition(TableDescription table, String column) {
      return table.definitions().stream()
          .filter(definition -> definition.name().equals(column))
          .findFirst();
    }

    private void checkRelation(ViewTree parent, ViewTree child) {
      TableDescription parentTable = table(parent.table());
      TableDescription childTable = table(child.table());
      for (int i = 0; i < child.relation().size(); i++) {
        JoinColumn join = child.relation().get(i);
        String part = relationPart(child, i);
        boolean reversed =
            parentTable != null
                && childTable != null
                && parentTable.columns().contains(join.child())
                && childTable.columns().contains(join.parent())
                && !(parentTable.columns().contains(join.parent())
                    && childTable.columns().contains(join.child()));
        if (reversed) {
          report(
              part,
              "the pair " + join(join.parent(), join.child()) + " is the wrong way round",
              "a pair is [parent column, child column]: write "
                  + join(join.child(), join.parent()));
        } else {
          boolean parentFound = checkColumn(part, join.parent(), parent, parentTable);
          boolean childFound = checkColumn(part, join.child(), child, childTable);
          if (parentFound && childFound) {
            checkExactJoin(parent, child, join, (what, remedy) -> report(part, what, remedy));
            checkComparison(part, parent, child, join);
          }
        }
      }
    }

    private static String relationPart(ViewTree child, int index) {
      return child.part() + ".relation[" + index + "]";
    }

    /** All nodes of a model are of the same part of the flow: its file. */
    private static String ofModel(ViewTree lookup, int index) {
      return lookup.part() + "/" + String.join("/", lookup.path()) + "/" + index;
    }

    private void checkComparison(String part, ViewTree parent, ViewTree child, JoinColumn join) {
      SqlType.Kind parentKind = kind(parent, join.parent());
      SqlType.Kind childKind = kind(child, join.child());
      boolean textAndNumber =
          (parentKind == SqlType.Kind.TEXT && NUMBERS.contains(childKind))
              || (childKind == SqlType.Kind.TEXT && NUMBERS.contains(parentKind));
      String connection = parent.table().connection();
      if (textAndNumber) {
        report(
            part,
            "one of `%s` and `%s` holds texts, the other one numbers, and these are never equal"
                .formatted(join.parent(), join.child()),
            "give both columns one type");
      } else if (connection.equals(child.table().connection())) {
        comparedColumns.put(
            part,
            new ComparedColumns(
                connection,
                new TextComparison.Columns(
                    parent.table().table(), join.parent(), child.table().table(), join.child())));
      }
      // No database compares texts of two: they are equal if their characters are.
    }

    private SqlType.Kind kind(ViewTree node, String column) {
      return table(node.table()).types().getOrDefault(column, SqlType.OTHER).kind();
    }

    /** Texts are equal that the database takes for equal, or the view would not be its join. */
    private void compareTexts() {
      Map<String, Set<TextComparison.Columns>> bySource = new LinkedHashMap<>();
      comparedColumns
          .values()
          .forEach(
              compared ->
                  bySource
                      .computeIfAbsent(compared.connection(), name -> new LinkedHashSet<>())
                      .add(compared.columns()));
      Map<String, Map<TextComparison.Columns, TextComparison>> found = new HashMap<>();
      bySource.forEach(
          (name, pairs) -> found.put(name, sourceCatalog.compareTexts(source(name), pairs)));
      comparedColumns.forEach(
          (part, compared) -> {
            takeComparison(
                part,
                found.get(compared.connection()).get(compared.columns()),
                (what, remedy) -> report(part, what, remedy));
          });
    }

    /** Keeps how a pair of columns is compared, or reports why it cannot be. */
    private void takeComparison(
        String pair, @Nullable TextComparison how, ModelPlanner.Reporter reporter) {
      if (how instanceof ByCollation collation) {
        collations.put(pair, collation);
      } else if (how instanceof Refused refused) {
        reporter.report(refused.what(), refused.remedy());
      }
    }

    private static String join(String parent, String child) {
      return "[" + parent + ", " + child + "]";
    }

    /** A field that is also a column would hide one of the two. */
    private void checkField(ViewTree parent, ViewTree child) {
      TableDescription table = table(parent.table());
      if (table != null
          && !child.path().isEmpty()
          && NodeRows.shownFields(table.columns(), parent.options())
              .contains(child.path().get(0))) {
        report(
            child.part() + ".path",
            "`" + child.path().get(0) + "` is a column of `" + parent.table().table() + "` already",
            "choose another path, or rename the column");
      }
    }

    /** Columns that would be fields of the document itself, under names that it needs. */
    private void checkTakenFields(ViewTree root, String versionField) {
      Stream.concat(Stream.of(root), root.lookups().stream())
          .filter(node -> node.path().isEmpty() && table(node.table()) != null)
          .forEach(
              node -> {
                NodeOptions options = node.options();
                for (String field : List.of(versionField, "_id")) {
                  if (options.computed().containsKey(field)) {
                    report(
                        node.part() + ".computed." + field,
                        "the field `" + field + "` of a document is taken by Widebeam",
                        "choose another name");
                  }
                }
                List<String> columns =
                    new ArrayList<>(NodeRows.shownFields(table(node.table()).columns(), options));
                columns.removeAll(options.computed().keySet());
                if (columns.contains(versionField)) {
                  report(
                      node.part() + ".from",
                      "table `"
                          + node.table().table()
                          + "` has a column `"
                          + versionField
                          + "`,"
                          + " which is also the document's version field",
                      "name another field for the view: version: ...");
                }
                if (columns.contains("_id")) {
                  report(
                      node.part() + ".from",
                      "table `"
                          + node.table().table()
                          + "` has a column `_id`, which a document"
                          + " keeps for its key",
                      "call it otherwise: rename: {_id: ...}");
                }
              });
    }

    /** Whether the table is there, and the column in it. */
    private boolean checkColumn(
        String part, String column, ViewTree node, @Nullable TableDescription table) {
      if (table != null && !table.columns().contains(column)) {
        report(
            part,
            "table `" + node.table().table() + "` has no column `" + column + "`",
            Suggestions.amongNames(column, "columns", table.columns()));
        return false;
      }
      return table != null;
    }

    private ViewNode node(ViewTree tree, List<String> key) {
      return node(tree, key, UnaryOperator.identity());
    }

    /**
     * A node, and those below it.
     *
     * @param key the columns that tell its rows apart; empty for the primary key
     * @param parentNames how the parent's rows call the columns of its table
     */
    private ViewNode node(ViewTree tree, List<String> key, UnaryOperator<String> parentNames) {
      TableDescription table = table(tree.table());
      List<String> rowKey = key.isEmpty() ? table.primaryKey() : key;
      NodeRows rows =
          tree.options().isNone()
              ? null
              : new NodeRows(
                  table.id().name(), table.sqlColumns(), tree.options(), needed(tree, rowKey));
      UnaryOperator<String> names = rows == null ? UnaryOperator.identity() : rows::nameOf;
      return new ViewNode(
          table.id(),
          rowKey.stream().map(names).toList(),
          tree.path(),
          tree.embedding(),
          relation(tree, parentNames, names),
          tree.arrayKeys().stream().map(names).toList(),
          tree.newest(),
          tree.lookups().stream().map(lookup -> node(lookup, List.of(), names)).toList(),
          rows);
    }

    private List<JoinColumn> relation(
        ViewTree tree, UnaryOperator<String> parentNames, UnaryOperator<String> names) {
      List<JoinColumn> relation = new ArrayList<>();
      for (int i = 0; i < tree.relation().size(); i++) {
        JoinColumn join = tree.relation().get(i);
        String parent = parentNames.apply(join.parent());
        String child = names.apply(join.child());
        ByCollation collation =
            collations.getOrDefault(ofModel(tree, i), collations.get(relationPart(tree, i)));
        relation.add(
            collation == null
                ? new JoinColumn(parent, child)
                : new JoinColumn(parent, child, collation.collation(), collation.parentsOwn()));
      }
      return relation;
    }

    /** The columns of a node's table that joins need. */
    private static Set<String> needed(ViewTree tree, List<String> rowKey) {
      Set<String> needed = new TreeSet<>(rowKey);
      needed.addAll(tree.arrayKeys());
      tree.relation().forEach(join -> needed.add(join.child()));
      tree.lookups()
          .forEach(lookup -> lookup.relation().forEach(join -> needed.add(join.parent())));
      return needed;
    }

    private PlannedTarget target(Part part) {
      TableRef to = part.to().orElseThrow();
      if (connections.get(to.connection()) instanceof Connection.Jdbc jdbc) {
        TableRef from = part.view().from();
        return new PlannedTarget.Jdbc(
            jdbc.name(),
            JdbcTargetCatalog.target(jdbc),
            layOut(part).orElseThrow(),
            part.isReplication()
                ? Optional.of(new CatalogColumns(source(from.connection()), from.table()))
                : Optional.empty());
      }
      Connection.Mongo target = mongo(to.connection());
      return new PlannedTarget.Mongo(
          target.name(), target.uri(), target.database(), to.table(), part.view().versionField());
    }

    /** Where dead letters go; empty if they end the flow. */
    private Optional<TableRef> deadLetters() {
      if (flow.failsFast()) {
        return Optional.empty();
      }
      return flow.deadLetters()
          .or(
              () ->
                  Stream.concat(
                          flow.views().stream().flatMap(view -> view.to().stream()),
                          flow.rollups().stream().map(RollupDefinition::to))
                      .filter(to -> connections.get(to.connection()) instanceof Connection.Mongo)
                      .findFirst()
                      .map(to -> new TableRef(to.connection(), Flow.DEFAULT_DEAD_LETTERS)));
    }

    private PlannedTarget.Mongo letters(TableRef to) {
      Connection.Mongo target = mongo(to.connection());
      return new PlannedTarget.Mongo(
          target.name(), target.uri(), target.database(), to.table(), View.DEFAULT_VERSION_FIELD);
    }

    private List<PlannedSource> plannedSources() {
      List<PlannedSource> sources = new ArrayList<>();
      descriptions.forEach(
          (name, description) -> {
            List<TableDescription> tables =
                new TreeMap<>(description.tables()).values().stream().toList();
            sources.add(
                new PlannedSource(
                    name,
                    ConnectorSettings.of(flow.name(), source(name), description, tables),
                    tables));
          });
      return sources;
    }

    /** The table, or null if it was not found: that has been reported where it is named. */
    private TableDescription table(TableRef ref) {
      return descriptions.get(ref.connection()).tables().get(ref.table());
    }

    private Connection.Source source(String name) {
      return (Connection.Source) connections.get(name);
    }

    private Connection.Mongo mongo(String name) {
      return (Connection.Mongo) connections.get(name);
    }

    private void reportAll(String connection, List<Finding> findings) {
      for (Finding finding : findings) {
        String part = "connections." + connection;
        report(
            finding.key().isEmpty() ? part : part + "." + finding.key(),
            finding.what(),
            finding.remedy());
      }
    }

    private void report(String part, String what, String remedy) {
      problems.add(new Problem(flow.places().of(part), what, remedy));
    }
  }
}
