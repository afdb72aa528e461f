package io.widebeam.flow;

import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.rollup.Aggregation;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlException;
import io.widebeam.sql.SqlExpressions;
import io.widebeam.sql.SqlType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes an aggregation, and the table that holds it, of a rollup's definition. */
final class RollupPlanner {
  /** What a rollup computes and, if it goes to a table, which one. */
  record Laid(Aggregation aggregation, FlatTable table) {}

  /** Takes the mistakes in a part's SQL. */
  interface SqlReporter {
    void report(String part, SqlException mistakes);
  }

  private static final Pattern CALL =
      Pattern.compile(
          "(\\s*(\\w+)\\s*\\(\\s*(DISTINCT\\b)?)(.*)\\)\\s*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private static final String SUPPORTED =
      "write COUNT(*), or COUNT, COUNT(DISTINCT ...), SUM, AVG, MIN or MAX of an expression, as in:"
          + " SUM(price * quantity)";

  /** What MySQL gives an average more than its values. */
  private static final int MORE_DECIMALS = 4;

  private static final int MOST_DIGITS = 65;
  private static final int MORE_DIGITS = 22;
  private static final int MOST_DECIMALS = 30;

  private final RollupDefinition rollup;
  private final String part;
  private final DocumentColumns documents;
  private final SqlExpressions expressions;
  private final ViewTree.Reporter reporter;
  private final SqlReporter sqlReporter;
  private final String table;

  private final List<Column> columns = new ArrayList<>();
  private final List<Aggregate> aggregates = new ArrayList<>();
  private final Map<String, String> arguments = new LinkedHashMap<>();
  private boolean correct = true;

  /**
   * @param root the view that is rolled up, without mistakes
   * @param documents its documents, unwound as the rollup wants
   */
  RollupPlanner(
      RollupDefinition rollup,
      String part,
      ViewTree root,
      DocumentColumns documents,
      ViewTree.Reporter reporter,
      SqlReporter sqlReporter) {
    this.rollup = rollup;
    this.part = part;
    this.documents = documents;
    this.reporter = reporter;
    this.sqlReporter = sqlReporter;
    this.table = root.table().table();
    this.expressions =
        NodeRows.expressions(table, documents.sqlColumns()).withSuggester(this::suggest);
  }

  private String suggest(String wrong, String kind, Collection<String> names) {
    return documents.allArrays().stream()
        .filter(array -> wrong.equals(array) || wrong.startsWith(array + "."))
        .findFirst()
        .map(array -> "`" + array + "` is an array, unwind it: unwind: " + array)
        .orElseGet(() -> Suggestions.amongNames(wrong, kind, names));
  }

  /** Empty if something is wrong, which is reported. */
  Optional<Laid> plan() {
    if (!documents.isUnwound()) {
      String array = rollup.unwind().orElseThrow();
      report(
          part + ".unwind",
          "the documents have no array `" + array + "`",
          documents.allArrays().isEmpty()
              ? "leave `unwind` out"
              : Suggestions.amongNames(array, "arrays", documents.allArrays()));
      return Optional.empty();
    }
    rollup
        .filter()
        .ifPresent(sql -> compile(part + ".filter", sql, SqlExpressions::compileCondition));
    rollup.groupBy().forEach(this::group);
    rollup.aggregates().forEach(this::aggregate);
    if (!correct) {
      return Optional.empty();
    }
    List<String> groups = List.copyOf(rollup.groupBy().keySet());
    return Optional.of(
        new Laid(
            new Aggregation(
                new RollupRows(
                    table, documents, rollup.filter().orElse(null), rollup.groupBy(), arguments),
                groups,
                aggregates),
            FlatTable.ofGroups(rollup.to().table(), columns, groups)));
  }

  private void group(String field, String sql) {
    String where = part + ".groupBy." + field;
    compile(where, sql, SqlExpressions::compile)
        .ifPresent(
            compiled -> {
              if (compiled.kind() == SqlType.Kind.OTHER) {
                report(
                    where,
                    "`" + sql.strip() + "` cannot tell groups apart: it is no plain value",
                    "group by numbers, texts, dates or conditions");
              }
              columns.add(Column.of(field, columnType(compiled)));
            });
  }

  private void aggregate(String field, String sql) {
    String where = part + ".aggregates." + field;
    Matcher call = CALL.matcher(sql);
    Optional<Function> function =
        call.matches() && isOneCall(call.group(4))
            ? function(call.group(2), call.group(3) != null)
            : Optional.empty();
    if (function.isEmpty()) {
      report(where, "`" + sql.strip() + "` is not an aggregate that is supported", SUPPORTED);
      return;
    }
    String argument = call.group(4);
    if (argument.strip().equals("*")) {
      if (function.get() != Function.COUNT) {
        report(where, "`" + sql.strip() + "` has no value to compute with", SUPPORTED);
        return;
      }
      aggregates.add(new Aggregate(field, Function.COUNT_ROWS));
      columns.add(Column.of(field, ColumnType.of(ColumnType.Kind.INT64)));
      return;
    }
    // In the place where it stands, so that mistakes in it are found there.
    String inPlace = call.group(1).replaceAll("[^\\n]", " ") + argument;
    compile(where, inPlace, SqlExpressions::compile)
        .ifPresent(
            compiled -> {
              arguments.put(field, inPlace);
              add(where, field, function.get(), compiled);
            });
  }

  /** Whether parentheses are closed only where they were opened: else there are several calls. */
  private static boolean isOneCall(String argument) {
    int depth = 0;
    char quote = 0;
    for (int i = 0; i < argument.length(); i++) {
      char c = argument.charAt(i);
      if (quote != 0) {
        quote = c == quote ? 0 : quote;
      } else if (c == '\'' || c == '"' || c == '`') {
        quote = c;
      } else if (c == '(') {
        depth++;
      } else if (c == ')' && --depth < 0) {
        return false;
      }
    }
    return depth == 0;
  }

  private static Optional<Function> function(String name, boolean distinct) {
    Optional<Function> function =
        switch (name.toUpperCase(Locale.ROOT)) {
          case "COUNT" -> Optional.of(distinct ? Function.COUNT_DISTINCT : Function.COUNT);
          case "SUM" -> Optional.of(Function.SUM);
          case "AVG" -> Optional.of(Function.AVG);
          case "MIN" -> Optional.of(Function.MIN);
          case "MAX" -> Optional.of(Function.MAX);
          default -> Optional.empty();
        };
    return function.filter(known -> !distinct || known == Function.COUNT_DISTINCT);
  }

  private void add(String where, String field, Function function, CompiledExpression argument) {
    SqlType type = argument.type();
    int scale = -1;
    ColumnType column =
        switch (function) {
          case COUNT_ROWS, COUNT, COUNT_DISTINCT -> ColumnType.of(ColumnType.Kind.INT64);
          case MIN, MAX -> columnType(argument);
          case SUM -> sumType(type);
          case AVG -> {
            scale = averageScale(type);
            yield averageType(type, scale);
          }
        };
    switch (function) {
      case SUM, AVG -> {
        switch (type.kind()) {
          case BOOLEAN, INTEGER, DECIMAL, DOUBLE -> {}
          case TEXT, DATE, DATETIME, BYTES, OTHER ->
              report(
                  where,
                  "`" + argument + "` is no number, which " + function + " needs",
                  "make it one, as in: " + function + "(CAST(" + argument + " AS DECIMAL(20, 2)))");
        }
      }
      case MIN, MAX -> {
        if (type.kind() == SqlType.Kind.OTHER) {
          report(
              where,
              "`" + argument + "` has no order, which " + function + " needs",
              "choose a number, a text or a date");
        }
      }
      case COUNT_ROWS, COUNT, COUNT_DISTINCT -> {}
    }
    boolean compares = function == Function.MIN || function == Function.MAX;
    aggregates.add(new Aggregate(field, function, scale, compares && type.mayExceedDecimal128()));
    columns.add(Column.of(field, column));
  }

  private ColumnType columnType(CompiledExpression expression) {
    if (expression.column().isPresent()) {
      return documents.column(expression.column().get()).type();
    }
    SqlType type = expression.type();
    return type.kind() == SqlType.Kind.DECIMAL && type.scale() < MOST_DECIMALS
        ? ColumnType.decimal(Math.min(MOST_DIGITS, type.precision()), type.scale())
        : FlatTables.columnType(type.kind());
  }

  /** As MySQL's. */
  private static ColumnType sumType(SqlType type) {
    return switch (type.kind()) {
      case DOUBLE -> ColumnType.of(ColumnType.Kind.FLOAT64);
      case DECIMAL ->
          type.scale() < MOST_DECIMALS
              ? ColumnType.decimal(
                  Math.min(MOST_DIGITS, type.precision() + MORE_DIGITS), type.scale())
              : ColumnType.decimal(0, 0);
      default -> ColumnType.decimal(38, 0);
    };
  }

  /** As MySQL's; of decimals with any number of digits, all that there are. */
  private static int averageScale(SqlType type) {
    return switch (type.kind()) {
      case DECIMAL ->
          type.scale() < MOST_DECIMALS - MORE_DECIMALS ? type.scale() + MORE_DECIMALS : -1;
      case DOUBLE -> -1;
      default -> MORE_DECIMALS;
    };
  }

  private static ColumnType averageType(SqlType type, int scale) {
    return switch (type.kind()) {
      case DOUBLE -> ColumnType.of(ColumnType.Kind.FLOAT64);
      case DECIMAL ->
          scale < 0
              ? ColumnType.decimal(0, 0)
              : ColumnType.decimal(Math.min(MOST_DIGITS, type.precision() + MORE_DECIMALS), scale);
      default -> ColumnType.decimal(38, MORE_DECIMALS);
    };
  }

  private Optional<CompiledExpression> compile(
      String where, String sql, BiFunction<SqlExpressions, String, CompiledExpression> compiler) {
    try {
      return Optional.of(compiler.apply(expressions, sql));
    } catch (SqlException e) {
      correct = false;
      sqlReporter.report(where, e);
      return Optional.empty();
    }
  }

  private void report(String where, String what, String remedy) {
    correct = false;
    reporter.report(where, what, remedy);
  }
}
