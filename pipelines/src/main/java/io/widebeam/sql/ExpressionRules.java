package io.widebeam.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlFunctionCategory;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlSyntax;
import org.apache.calcite.sql.SqlUnresolvedFunction;
import org.apache.calcite.sql.SqlUserDefinedTypeNameSpec;
import org.apache.calcite.sql.SqlUtil;
import org.apache.calcite.sql.SqlWindow;
import org.apache.calcite.sql.fun.SqlLikeOperator;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlShuttle;
import org.apache.calcite.sql.validate.SqlNameMatchers;

/**
 * Looks over a parsed expression before its types are known: finds its columns and functions, says
 * what is not there or not supported, and writes in other words what Calcite understands otherwise
 * than MySQL.
 */
final class ExpressionRules extends SqlShuttle {
  private static final Set<String> INTEGERS =
      Set.of("SIGNED", "UNSIGNED", "INT", "INT2", "INT4", "INT8", "MEDIUMINT", "SERIAL");

  private final Scope scope;
  private final SqlExpressions.Suggester suggester;
  private final List<SqlMistake> mistakes;

  ExpressionRules(Scope scope, SqlExpressions.Suggester suggester, List<SqlMistake> mistakes) {
    this.scope = scope;
    this.suggester = suggester;
    this.mistakes = mistakes;
  }

  SqlNode resolve(SqlNode expression) {
    return expression.accept(this);
  }

  @Override
  public SqlNode visit(SqlIdentifier name) {
    String simple = name.names.get(name.names.size() - 1);
    if (name.isStar()) {
      report(name, "`*` is all columns, and not the value of one", "name a column");
      return name;
    }
    if (name.isSimple()
        && MySqlFunctions.UNSTEADY.contains(simple.toUpperCase(Locale.ROOT))
        && !scope.hasName(simple)) {
      reportUnsteady(name, simple);
      return name;
    }
    List<SqlColumn> meant = scope.find(name.names);
    String written = String.join(".", name.names);
    if (meant.isEmpty()) {
      report(
          name,
          (scope.table().isEmpty() ? "there is" : "table `" + scope.table() + "` has")
              + " no column `"
              + written
              + "`",
          suggester.suggest(written, "columns", scope.names(written)));
      return name;
    }
    if (meant.size() > 1) {
      String all = meant.stream().map(SqlColumn::name).collect(Collectors.joining(" or "));
      report(name, "the column `" + written + "` may be " + all, "write which of them is meant");
      return name;
    }
    SqlParserPos at = name.getParserPosition();
    // In quotes, since there are functions that are called without brackets: USER.
    return new SqlIdentifier(List.of(meant.get(0).name()), null, at, List.of(at.withQuoting(true)));
  }

  @Override
  public SqlNode visit(SqlDynamicParam parameter) {
    report(parameter, "`?` stands for a value that nobody gives", "write the value itself");
    return parameter;
  }

  /** Types by MySQL's names, and texts of any length where none is said. */
  @Override
  public SqlNode visit(SqlDataTypeSpec type) {
    SqlParserPos at = type.getParserPosition();
    if (type.getTypeNameSpec() instanceof SqlUserDefinedTypeNameSpec named) {
      String name = named.getTypeName().toString().toUpperCase(Locale.ROOT);
      if (INTEGERS.contains(name)) {
        return typeSpec(SqlTypeName.BIGINT, -1, at);
      }
      if (name.equals("DATETIME")) {
        return typeSpec(SqlTypeName.TIMESTAMP, 3, at);
      }
      if (name.equals("TEXT")) {
        return typeSpec(SqlTypeName.VARCHAR, -1, at);
      }
      report(
          type,
          "there is no type `" + named.getTypeName() + "` to cast to",
          "types: CHAR, SIGNED, DECIMAL(p, s), DOUBLE, DATE, DATETIME, BOOLEAN");
    } else if (type.getTypeNameSpec() instanceof SqlBasicTypeNameSpec basic) {
      String name = basic.getTypeName().toString().toUpperCase(Locale.ROOT);
      if (name.equals("CHAR")) {
        return typeSpec(SqlTypeName.VARCHAR, basic.getPrecision(), at);
      }
      if (Set.of("INTEGER", "SMALLINT", "TINYINT").contains(name)) {
        return typeSpec(SqlTypeName.BIGINT, -1, at);
      }
      if (name.equals("TIMESTAMP") && basic.getPrecision() < 0) {
        return typeSpec(SqlTypeName.TIMESTAMP, 3, at);
      }
    }
    return type;
  }

  private static SqlDataTypeSpec typeSpec(SqlTypeName type, int precision, SqlParserPos at) {
    return new SqlDataTypeSpec(new SqlBasicTypeNameSpec(type, precision, at), at);
  }

  @Override
  @Nullable
  public SqlNode visit(SqlCall call) {
    SqlOperator operator = call.getOperator();
    if (call.isA(SqlKind.QUERY) || call.getKind() == SqlKind.WITH) {
      report(call, "a subquery is not supported", "look the table up, and filter its rows");
      return call;
    }
    if (call.getKind() == SqlKind.OVER || call instanceof SqlWindow) {
      report(
          call,
          "a window function is not supported",
          "an expression has the columns of one row and no others");
      return call;
    }
    if (MySqlFunctions.UNSTEADY.contains(operator.getName().toUpperCase(Locale.ROOT))
        || operator.isDynamicFunction()
        || !operator.isDeterministic()) {
      reportUnsteady(call, operator.getName());
      return call;
    }
    if (isAggregate(operator)) {
      report(
          call,
          "`" + operator.getName() + "` is an aggregate, which is not supported here",
          "an expression has the columns of one row and no others");
      return call;
    }
    if (MySqlFunctions.isRewritten(operator.getName())) {
      return rewrite(call);
    }
    if (operator instanceof SqlLikeOperator && call.operandCount() == 2) {
      return like(call);
    }
    if (operator instanceof SqlUnresolvedFunction && overloads(operator, null).isEmpty()) {
      report(
          call,
          "there is no function `" + operator.getName() + "`",
          suggester.suggest(operator.getName(), "functions", MySqlFunctions.NAMES));
      // Its operands may have mistakes of their own.
      call.getOperandList().forEach(operand -> accept(operand));
      return call;
    }
    return super.visit(call);
  }

  private SqlNode rewrite(SqlCall call) {
    List<SqlNode> operands = new ArrayList<>();
    for (SqlNode operand : call.getOperandList()) {
      operands.add(accept(operand));
    }
    SqlNode rewritten =
        MySqlFunctions.rewrite(call.getOperator().getName(), operands, call.getParserPosition());
    if (rewritten == null) {
      report(
          call,
          "`"
              + call.getOperator().getName()
              + "` does not take "
              + operands.size()
              + (operands.size() == 1 ? " argument" : " arguments"),
          "look it up in MySQL's manual");
      return call;
    }
    return rewritten;
  }

  /** MySQL's patterns have an escape character without saying so. */
  private SqlNode like(SqlCall call) {
    SqlNode text = accept(call.operand(0));
    SqlNode pattern = accept(call.operand(1));
    boolean escapes =
        SqlUtil.isLiteral(pattern, true)
            && ((SqlLiteral) pattern).getTypeName() == SqlTypeName.CHAR
            && ((SqlLiteral) pattern).getValueAs(String.class).contains("\\");
    SqlParserPos at = call.getParserPosition();
    return escapes
        ? call.getOperator().createCall(at, text, pattern, SqlLiteral.createCharString("\\", at))
        : call.getOperator().createCall(at, text, pattern);
  }

  private SqlNode accept(@Nullable SqlNode operand) {
    return operand == null ? null : operand.accept(this);
  }

  static boolean isAggregate(SqlOperator operator) {
    if (!(operator instanceof SqlUnresolvedFunction)) {
      return operator.isAggregator();
    }
    int aggregates = overloads(operator, SqlAggFunction.class).size();
    return aggregates > 0
        && aggregates == overloads(operator, null).size()
        && !MySqlFunctions.isRewritten(operator.getName());
  }

  private static List<SqlOperator> overloads(SqlOperator operator, @Nullable Class<?> type) {
    List<SqlOperator> found = new ArrayList<>();
    SqlIdentifier name = new SqlIdentifier(operator.getName(), SqlParserPos.ZERO);
    for (SqlFunctionCategory category :
        List.of(
            SqlFunctionCategory.USER_DEFINED_FUNCTION,
            SqlFunctionCategory.SYSTEM,
            SqlFunctionCategory.STRING,
            SqlFunctionCategory.NUMERIC,
            SqlFunctionCategory.TIMEDATE)) {
      for (SqlSyntax syntax : List.of(SqlSyntax.FUNCTION, SqlSyntax.FUNCTION_ID)) {
        MySqlFunctions.TABLE.lookupOperatorOverloads(
            name, category, syntax, found, SqlNameMatchers.withCaseSensitive(false));
      }
    }
    if (type != null) {
      found.removeIf(candidate -> !type.isInstance(candidate));
    }
    return found;
  }

  private void reportUnsteady(SqlNode node, String name) {
    report(
        node,
        "`" + name + "` changes without the row, so the document would not follow it",
        "compare with a value that is written down, or filter when reading the documents");
  }

  private void report(SqlNode node, String what, String remedy) {
    mistakes.add(SqlExpressions.mistakeAt(node.getParserPosition(), what, remedy));
  }
}
