package io.widebeam.sql;

import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.sql.BoundModel.Grouping;
import io.widebeam.sql.BoundModel.Join;
import io.widebeam.sql.BoundModel.Measure;
import io.widebeam.sql.BoundModel.Output;
import io.widebeam.sql.BoundModel.Pair;
import io.widebeam.sql.SqlModel.Item;
import io.widebeam.sql.SqlModel.Relation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.util.SqlBasicVisitor;
import org.apache.calcite.sql.util.SqlShuttle;
import org.apache.calcite.util.Litmus;

/**
 * Binds a model to the columns of what it reads.
 *
 * <p>Expressions leave here as texts, which is how they travel: cut out of the model's text, with
 * blanks before them while they are compiled, so that what is wrong is told at its place.
 */
final class ModelBinder {
  /** What sums have more digits than what is summed up, as MySQL's. */
  private static final int SUM_DIGITS = 22;

  private static final int BIGINT_DIGITS = 19;

  private final SqlModel model;
  private final boolean tables;
  private final Scope scope;
  private final SqlExpressions expressions;
  private final List<SqlMistake> mistakes = new ArrayList<>();

  /** By a column's name in the scope, whose it is and what it is called there. */
  private final Map<String, Place> places = new HashMap<>();

  private final List<Set<String>> used = new ArrayList<>();

  /** A column of a relation. */
  private record Place(int relation, String column) {}

  ModelBinder(
      SqlModel model,
      List<List<SqlColumn>> columns,
      boolean tables,
      SqlExpressions.Suggester suggester) {
    this.model = model;
    this.tables = tables;
    List<SqlColumn> all = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      used.add(new LinkedHashSet<>());
      for (SqlColumn column : columns.get(i)) {
        String alias = model.relations().get(i).alias();
        String name = tables ? alias + "." + column.name() : column.name();
        all.add(new SqlColumn(name, column.type()));
        places.put(name, new Place(i, column.name()));
      }
    }
    this.scope = new Scope(all, tables ? "" : model.relations().get(0).alias(), tables);
    this.expressions = SqlExpressions.over(scope).withSuggester(suggester);
  }

  BoundModel bind() {
    List<Join> joins = new ArrayList<>();
    for (int i = 1; i < model.relations().size(); i++) {
      joins.add(join(i));
    }
    List<String> rootFilters = new ArrayList<>();
    List<String> filters = new ArrayList<>();
    for (SqlNode condition : conjuncts(model.where())) {
      Compiled compiled = compile(condition, true);
      if (compiled == null) {
        continue;
      }
      if (tables && isOnly(0, compiled)) {
        rootFilters.add(withoutQualifiers(condition));
      } else {
        use(compiled);
        filters.add(compiled.text);
      }
    }
    List<Item> items = expanded();
    checkNames(items);
    Optional<Grouping> grouping = Optional.empty();
    List<Output> outputs = new ArrayList<>();
    if (model.isGrouping()) {
      Groups groups = new Groups(items);
      grouping = Optional.of(groups.grouping(outputs));
    } else {
      for (Item item : items) {
        Compiled compiled = compile(item.value(), false);
        if (compiled != null) {
          use(compiled);
          outputs.add(compiled.as(item.name()));
        }
      }
    }
    if (!mistakes.isEmpty()) {
      throw new SqlException(ModelTemplate.sorted(mistakes));
    }
    return new BoundModel(
        joins,
        used.stream().map(List::copyOf).toList(),
        rootFilters,
        scope.columns(),
        filters,
        grouping,
        outputs);
  }

  // Joins

  private Join join(int index) {
    List<Pair> pairs = new ArrayList<>();
    List<String> filters = new ArrayList<>();
    int parent = -1;
    Relation relation = model.relations().get(index);
    for (SqlNode condition : conjuncts(model.conditions().get(index))) {
      Compiled compiled = compile(condition, true);
      if (compiled == null) {
        continue;
      }
      if (isOnly(index, compiled)) {
        filters.add(withoutQualifiers(condition));
        continue;
      }
      Optional<Place[]> sides = sides(condition, index);
      if (sides.isEmpty()) {
        report(
            condition,
            "`"
                + relation.alias()
                + "` is joined by other things than columns that are equal, which is not supported",
            "join by " + relation.alias() + ".column = other.column, with AND between several");
        continue;
      }
      Place left = sides.get()[0];
      Place own = sides.get()[1];
      if (left.relation > index) {
        report(
            condition,
            "`" + model.relations().get(left.relation).alias() + "` is joined only later",
            "join it before `" + relation.alias() + "`");
        continue;
      }
      if (parent >= 0 && parent != left.relation) {
        report(
            condition,
            "`"
                + relation.alias()
                + "` is joined to two tables at once, `"
                + model.relations().get(parent).alias()
                + "` and `"
                + model.relations().get(left.relation).alias()
                + "`, which is not supported",
            "join it to one of them");
        continue;
      }
      parent = left.relation;
      pairs.add(new Pair(left.column, own.column));
    }
    if (pairs.isEmpty() && mistakes.isEmpty()) {
      SqlNode condition = model.conditions().get(index);
      report(
          condition,
          "`" + relation.alias() + "` is joined by no equal columns",
          "join by " + relation.alias() + ".column = other.column");
    }
    return new Join(Math.max(parent, 0), pairs, filters);
  }

  /** The other table's column, and the joined one's own; empty if a condition is something else. */
  private Optional<Place[]> sides(SqlNode condition, int index) {
    if (condition.getKind() != SqlKind.EQUALS) {
      return Optional.empty();
    }
    Place left = place(((SqlCall) condition).operand(0));
    Place right = place(((SqlCall) condition).operand(1));
    if (left == null || right == null || (left.relation == index) == (right.relation == index)) {
      return Optional.empty();
    }
    return Optional.of(
        left.relation == index ? new Place[] {right, left} : new Place[] {left, right});
  }

  @Nullable
  private Place place(SqlNode node) {
    if (!(node instanceof SqlIdentifier name)) {
      return null;
    }
    List<SqlColumn> found = scope.find(name.names);
    return found.size() == 1 ? places.get(found.get(0).name()) : null;
  }

  private boolean isOnly(int relation, Compiled compiled) {
    List<String> columns = compiled.expression.columns();
    return !columns.isEmpty()
        && columns.stream().allMatch(column -> places.get(column).relation == relation);
  }

  private static List<SqlNode> conjuncts(@Nullable SqlNode condition) {
    if (condition == null) {
      return List.of();
    }
    if (condition.getKind() != SqlKind.AND) {
      return List.of(condition);
    }
    List<SqlNode> all = new ArrayList<>();
    ((SqlCall) condition).getOperandList().forEach(part -> all.addAll(conjuncts(part)));
    return all;
  }

  /** The text of an expression over one table, for its own columns. */
  private String withoutQualifiers(SqlNode node) {
    List<Piece> pieces = new ArrayList<>();
    node.accept(
        new SqlBasicVisitor<Void>() {
          @Override
          public Void visit(SqlIdentifier name) {
            List<SqlColumn> found = scope.find(name.names);
            if (found.size() == 1) {
              pieces.add(new Piece(name, quoted(places.get(found.get(0).name()).column)));
            }
            return null;
          }
        });
    return replaced(node, pieces);
  }

  // Columns of the result

  private List<Item> expanded() {
    List<Item> items = new ArrayList<>();
    for (Item item : model.items()) {
      if (!(item.value() instanceof SqlIdentifier name && name.isStar())) {
        items.add(item);
        continue;
      }
      String of = name.names.size() > 1 ? name.names.get(name.names.size() - 2) : "";
      List<Item> found = new ArrayList<>();
      for (SqlColumn column : scope.columns()) {
        Place place = places.get(column.name());
        if (of.isEmpty() || model.relations().get(place.relation).alias().equalsIgnoreCase(of)) {
          SqlIdentifier whole = new SqlIdentifier(List.of(column.name()), name.getParserPosition());
          found.add(new Item(place.column, whole));
        }
      }
      if (found.isEmpty()) {
        report(name, "there is no table `" + of + "` in FROM", "name one of those that are there");
      }
      items.addAll(found);
    }
    return items;
  }

  private void checkNames(List<Item> items) {
    Set<String> names = new HashSet<>();
    for (Item item : items) {
      if (item.name() != null && !names.add(item.name().toLowerCase(Locale.ROOT))) {
        report(
            item.value(),
            "two columns of the result are called `" + item.name() + "`",
            "call one of them otherwise: ... AS other");
      }
    }
  }

  // Groups

  /** A part of an expression, and what stands for it over groups. */
  private record Piece(SqlNode node, String text) {}

  /** Takes a grouping's expressions apart: what is computed of rows, and what of groups. */
  private final class Groups {
    private final List<Item> items;
    private final List<SqlNode> keyNodes = new ArrayList<>();
    private final List<Output> keys = new ArrayList<>();
    private final List<Measure> measures = new ArrayList<>();
    private final Set<String> fields = new HashSet<>();
    private final Map<String, String> outputByAlias = new HashMap<>();
    private boolean keysAreKnown = true;

    Groups(List<Item> items) {
      this.items = items;
      items.forEach(item -> fields.add(String.valueOf(item.name()).toLowerCase(Locale.ROOT)));
    }

    Grouping grouping(List<Output> outputs) {
      Set<String> taken = new HashSet<>();
      for (SqlNode written : model.groupKeys()) {
        SqlNode node = meant(written);
        if (node != null && isKey(node)) {
          // What is grouped by twice makes no more groups.
          continue;
        }
        Compiled compiled = node == null ? null : compile(node, false);
        keysAreKnown &= compiled != null;
        if (compiled != null) {
          use(compiled);
          SqlNode canonical = canonical(node);
          String name =
              items.stream()
                  .filter(item -> canonical(item.value()).equalsDeep(canonical, Litmus.IGNORE))
                  .map(Item::name)
                  .filter(item -> item != null && taken.add(item))
                  .findFirst()
                  .orElseGet(() -> field("_group"));
          keyNodes.add(canonical);
          keys.add(compiled.as(name));
        }
      }
      List<String> having = new ArrayList<>();
      List<List<Piece>> pieces = new ArrayList<>();
      for (Item item : items) {
        List<Piece> found = new ArrayList<>();
        boolean whole = isMeasure(item.value());
        if (whole) {
          measure((SqlCall) item.value(), item.name(), found);
        } else {
          takeApart(item.value(), found, false);
        }
        pieces.add(found);
        outputByAlias.put(
            String.valueOf(item.name()).toLowerCase(Locale.ROOT), replaced(item.value(), found));
      }
      List<Piece> inHaving = new ArrayList<>();
      if (model.having() != null) {
        takeApart(model.having(), inHaving, true);
      }
      Grouping grouping = new Grouping(keys, measures, having);
      if (mistakes.isEmpty()) {
        SqlExpressions overGroups = SqlExpressions.over(grouping.columns());
        for (int i = 0; i < items.size(); i++) {
          Item item = items.get(i);
          Compiled compiled = compileGroup(item.value(), pieces.get(i), overGroups::compile);
          if (compiled != null) {
            outputs.add(compiled.as(item.name()));
          }
        }
        if (model.having() != null) {
          Compiled compiled = compileGroup(model.having(), inHaving, overGroups::compileCondition);
          if (compiled != null) {
            having.add(compiled.text);
          }
        }
      }
      return grouping;
    }

    private boolean isKey(SqlNode node) {
      SqlNode canonical = canonical(node);
      return keyNodes.stream().anyMatch(key -> key.equalsDeep(canonical, Litmus.IGNORE));
    }

    /** A key may be a column's number in the result, or its name there. */
    @Nullable
    private SqlNode meant(SqlNode key) {
      if (key instanceof SqlLiteral literal && literal.getKind() == SqlKind.LITERAL) {
        int number = literal.getTypeName().getFamily() == null ? 0 : number(literal);
        if (number < 1 || number > items.size()) {
          report(key, "`" + key + "` is no column of the result", "name what to group by");
          return null;
        }
        return items.get(number - 1).value();
      }
      if (key instanceof SqlIdentifier name
          && name.isSimple()
          && !scope.hasName(name.getSimple())) {
        for (Item item : items) {
          if (name.getSimple().equalsIgnoreCase(item.name())) {
            return item.value();
          }
        }
      }
      return key;
    }

    private int number(SqlLiteral literal) {
      try {
        return literal.intValue(true);
      } catch (RuntimeException | AssertionError e) {
        return 0;
      }
    }

    private boolean isMeasure(SqlNode node) {
      return ModelShape.aggregate(node).isPresent();
    }

    private void takeApart(SqlNode node, List<Piece> pieces, boolean mayNameOutputs) {
      SqlNode canonical = canonical(node);
      for (int i = 0; i < keyNodes.size(); i++) {
        if (keyNodes.get(i).equalsDeep(canonical, Litmus.IGNORE)) {
          pieces.add(new Piece(node, quoted(keys.get(i).name())));
          return;
        }
      }
      if (isMeasure(node)) {
        measure((SqlCall) node, field("_value"), pieces);
      } else if (node instanceof SqlCall call) {
        for (SqlNode operand : call.getOperandList()) {
          if (operand != null) {
            takeApart(operand, pieces, mayNameOutputs);
          }
        }
      } else if (node instanceof SqlNodeList list) {
        list.forEach(element -> takeApart(element, pieces, mayNameOutputs));
      } else if (node instanceof SqlIdentifier name) {
        String output =
            mayNameOutputs && name.isSimple()
                ? outputByAlias.get(name.getSimple().toLowerCase(Locale.ROOT))
                : null;
        if (output != null) {
          pieces.add(new Piece(node, "(" + output + ")"));
        } else if (keysAreKnown && !scope.find(name.names).isEmpty()) {
          report(
              node,
              "`" + name + "` is neither grouped by nor in an aggregate",
              "add it to GROUP BY, or say which one, as in: min(" + name + ")");
        }
      }
    }

    private String field(String prefix) {
      int number = 1;
      while (!fields.add(prefix + number)) {
        number++;
      }
      return prefix + number;
    }

    private void measure(SqlCall call, String field, List<Piece> pieces) {
      pieces.add(new Piece(call, quoted(field)));
      Function function = ModelShape.aggregate(call).orElseThrow();
      if (function == Function.COUNT_ROWS) {
        measures.add(
            new Measure(new Aggregate(field, function), "", SqlType.INTEGER, Optional.empty()));
        return;
      }
      Compiled value = compile(call.operand(0), false);
      if (value == null) {
        return;
      }
      use(value);
      SqlType type = value.expression.type();
      String text = value.text;
      boolean computes = function == Function.SUM || function == Function.AVG;
      if (computes && type.kind() == SqlType.Kind.BOOLEAN) {
        text = "CASE WHEN " + text + " THEN 1 WHEN NOT (" + text + ") THEN 0 END";
        type = SqlType.INTEGER;
      }
      int scale = type.kind() == SqlType.Kind.DECIMAL ? type.scale() : 0;
      SqlType result =
          switch (function) {
            case COUNT, COUNT_DISTINCT, COUNT_ROWS -> SqlType.INTEGER;
            case MIN, MAX -> type;
            case SUM -> number(call, type, SUM_DIGITS, 0);
            case AVG ->
                number(call, type, MySqlFunctions.DIVISION_DIGITS, MySqlFunctions.DIVISION_DIGITS);
          };
      boolean copies = function == Function.MIN || function == Function.MAX;
      Aggregate aggregate =
          function == Function.AVG && type.kind() != SqlType.Kind.DOUBLE
              ? new Aggregate(field, function, scale + MySqlFunctions.DIVISION_DIGITS)
              : new Aggregate(field, function, -1, copies && type.mayExceedDecimal128());
      measures.add(
          new Measure(
              aggregate, text, result, copies ? value.expression.column() : Optional.empty()));
    }

    private SqlType number(SqlCall call, SqlType type, int digits, int scale) {
      return switch (type.kind()) {
        case INTEGER -> SqlType.decimal(BIGINT_DIGITS + digits, scale);
        case DECIMAL ->
            SqlType.decimal(
                Math.min(SqlType.MAX_PRECISION, type.precision() + digits), type.scale() + scale);
        case DOUBLE -> type;
        default -> {
          report(
              call,
              "`"
                  + call.getOperator().getName()
                  + "` needs numbers, not values of type "
                  + type.kind(),
              "bring them to one with CAST(... AS DECIMAL(p, s))");
          yield type;
        }
      };
    }

    @Nullable
    private Compiled compileGroup(
        SqlNode node,
        List<Piece> pieces,
        java.util.function.Function<String, CompiledExpression> compile) {
      String text = replaced(node, pieces);
      try {
        return new Compiled(text, compile.apply(text));
      } catch (SqlException e) {
        // The text is not the file's any more, so that places in it mean nothing.
        e.mistakes().forEach(mistake -> report(node, mistake.what(), mistake.remedy()));
        return null;
      }
    }
  }

  private SqlNode canonical(SqlNode node) {
    return node.accept(
        new SqlShuttle() {
          @Override
          public SqlNode visit(SqlIdentifier name) {
            List<SqlColumn> found = scope.find(name.names);
            return found.size() == 1
                ? new SqlIdentifier(List.of(found.get(0).name()), name.getParserPosition())
                : name;
          }
        });
  }

  // Texts

  private record Compiled(String text, CompiledExpression expression) {
    Output as(@Nullable String name) {
      return new Output(String.valueOf(name), text, expression.type(), expression.column());
    }
  }

  private void use(Compiled compiled) {
    for (String column : compiled.expression.columns()) {
      Place place = places.get(column);
      used.get(place.relation).add(place.column);
    }
  }

  @Nullable
  private Compiled compile(SqlNode node, boolean condition) {
    if (node instanceof SqlIdentifier star
        && star.isSimple()
        && places.containsKey(star.names.get(0))) {
      // A column of those that * stands for.
      String text = quoted(star.names.get(0));
      return new Compiled(text, expressions.compile(text));
    }
    String text = cut(node, List.of());
    SqlParserPos at = node.getParserPosition();
    String padded = "\n".repeat(at.getLineNum() - 1) + " ".repeat(at.getColumnNum() - 1) + text;
    try {
      if (!new MySqlText(padded, List.of(), SqlExpressions.PARSER)
          .parse()
          .equalsDeep(node, Litmus.IGNORE)) {
        report(node, "`" + text + "` cannot be taken apart", "put it into brackets");
        return null;
      }
      return new Compiled(
          text, condition ? expressions.compileCondition(padded) : expressions.compile(padded));
    } catch (MySqlText.Unreadable e) {
      report(node, "`" + text + "` cannot be taken apart", "put it into brackets");
      return null;
    } catch (SqlException e) {
      for (SqlMistake mistake : e.mistakes()) {
        boolean whole = mistake.line() == 1 && mistake.column() == 1;
        mistakes.add(
            whole
                ? model.mistake(node, mistake.what(), mistake.remedy())
                : model.mistake(
                    mistake.line(), mistake.column(), mistake.what(), mistake.remedy()));
      }
      return null;
    }
  }

  /** The text of an expression with other texts for some of its parts. */
  private String replaced(SqlNode node, List<Piece> pieces) {
    if (pieces.size() == 1 && pieces.get(0).node == node) {
      return pieces.get(0).text;
    }
    return cut(node, pieces);
  }

  private String cut(SqlNode node, List<Piece> pieces) {
    String all = model.parsedText();
    int start = start(node, all);
    StringBuilder text = new StringBuilder(all.substring(start, end(node, all)));
    pieces.stream()
        .sorted(Comparator.comparingInt((Piece piece) -> start(piece.node, all)).reversed())
        .forEach(
            piece ->
                text.replace(
                    start(piece.node, all) - start, end(piece.node, all) - start, piece.text));
    return text.toString();
  }

  private static int start(SqlNode node, String text) {
    SqlParserPos at = node.getParserPosition();
    return offset(text, at.getLineNum(), at.getColumnNum());
  }

  private static int end(SqlNode node, String text) {
    SqlParserPos at = node.getParserPosition();
    return offset(text, at.getEndLineNum(), at.getEndColumnNum()) + 1;
  }

  private static int offset(String text, int line, int column) {
    int start = 0;
    for (int i = 1; i < line; i++) {
      start = text.indexOf('\n', start) + 1;
    }
    return start + column - 1;
  }

  private static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }

  private void report(SqlNode node, String what, String remedy) {
    mistakes.add(model.mistake(node, what, remedy));
  }
}
