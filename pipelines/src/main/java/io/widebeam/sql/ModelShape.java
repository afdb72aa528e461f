package io.widebeam.sql;

import io.widebeam.rollup.Aggregate.Function;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlSelectKeyword;
import org.apache.calcite.sql.SqlWindow;
import org.apache.calcite.sql.util.SqlBasicVisitor;

/** What can be said of a model's expressions before their columns are known. */
final class ModelShape extends SqlBasicVisitor<Void> {
  private static final Map<String, Function> AGGREGATES =
      Map.of(
          "COUNT", Function.COUNT,
          "SUM", Function.SUM,
          "AVG", Function.AVG,
          "MIN", Function.MIN,
          "MAX", Function.MAX);

  private final SqlModel model;
  private final List<SqlMistake> mistakes;
  private boolean aggregatesAllowed;
  private boolean hasAggregate;
  private boolean insideAggregate;

  ModelShape(SqlModel model, List<SqlMistake> mistakes) {
    this.model = model;
    this.mistakes = mistakes;
  }

  /**
   * Looks an expression over.
   *
   * @param mayAggregate whether aggregates may be in it
   * @return whether there is one
   */
  boolean check(SqlNode expression, boolean mayAggregate) {
    aggregatesAllowed = mayAggregate;
    hasAggregate = false;
    insideAggregate = false;
    expression.accept(this);
    return hasAggregate;
  }

  static boolean isWindow(SqlNode node) {
    return node.getKind() == SqlKind.OVER || node instanceof SqlWindow;
  }

  /** The aggregate that a call is of; the arguments are yet to be looked at. */
  static Optional<Function> aggregate(SqlNode node) {
    if (!(node instanceof SqlCall call)) {
      return Optional.empty();
    }
    Function function = AGGREGATES.get(call.getOperator().getName().toUpperCase(Locale.ROOT));
    if (function != Function.COUNT) {
      return Optional.ofNullable(function);
    }
    boolean rows =
        call.operandCount() == 1 && call.operand(0) instanceof SqlIdentifier name && name.isStar();
    return Optional.of(
        rows ? Function.COUNT_ROWS : isDistinct(call) ? Function.COUNT_DISTINCT : Function.COUNT);
  }

  private static boolean isDistinct(SqlCall call) {
    return call.getFunctionQuantifier() != null
        && call.getFunctionQuantifier().symbolValue(SqlSelectKeyword.class)
            == SqlSelectKeyword.DISTINCT;
  }

  @Override
  public Void visit(SqlCall call) {
    if (call.isA(SqlKind.QUERY) || call.getKind() == SqlKind.WITH) {
      report(call, "a subquery is not supported", "join the table, or write a model of its own");
      return null;
    }
    if (isWindow(call)) {
      report(call, "a window function is not supported", "group the rows instead");
      return null;
    }
    String name = call.getOperator().getName();
    Optional<Function> function = aggregate(call);
    if (function.isEmpty()) {
      boolean other =
          ExpressionRules.isAggregate(call.getOperator())
              || call.getKind() == SqlKind.FILTER
              || call.getKind() == SqlKind.WITHIN_GROUP;
      if (other) {
        report(
            call,
            "the aggregate `" + name + "` is not supported",
            "there are: sum, count, count(distinct ...), avg, min, max");
        return null;
      }
      return super.visit(call);
    }
    if (insideAggregate) {
      report(call, "`" + name + "` is an aggregate inside an aggregate", "write two models");
      return null;
    }
    if (!aggregatesAllowed) {
      report(
          call,
          "`" + name + "` is an aggregate, which is known only after the rows are grouped",
          "compare it in HAVING");
      return null;
    }
    hasAggregate = true;
    if (function.get() == Function.COUNT_ROWS) {
      return null;
    }
    if (call.operandCount() != 1) {
      report(
          call,
          "`" + name + "` of " + call.operandCount() + " values is not supported",
          "give it one, as in: " + name + "(a), or concat(a, '-', b)");
      return null;
    }
    if (isDistinct(call)
        && function.get() != Function.COUNT_DISTINCT
        && function.get() != Function.MIN
        && function.get() != Function.MAX) {
      report(
          call, "`" + name + "(DISTINCT ...)` is not supported", "DISTINCT is for count, as it is");
      return null;
    }
    insideAggregate = true;
    call.operand(0).accept(this);
    insideAggregate = false;
    return null;
  }

  private void report(SqlNode node, String what, String remedy) {
    mistakes.add(model.mistake(node, what, remedy));
  }
}
