package io.widebeam.sql;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexExecutorImpl;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;

/** Replaces what Calcite computes otherwise than MySQL, once all types are known. */
final class RexRules extends RexShuttle {
  private final RexBuilder builder;

  private RexRules(RexBuilder builder) {
    this.builder = builder;
  }

  static RexNode apply(RexNode expression, RexBuilder builder) {
    return expression.accept(new RexRules(builder));
  }

  @Override
  public RexNode visitCall(RexCall call) {
    RexCall visited = (RexCall) super.visitCall(call);
    List<RexNode> operands = visited.getOperands();
    if (visited.getKind() == SqlKind.CAST
        && operands.get(0) instanceof RexLiteral literal
        && isText(literal.getType())
        && !literal.isNull()) {
      return constant(visited, literal);
    }
    if (visited.getOperator().equals(MySqlFunctions.DIVIDE)) {
      return divide(visited);
    }
    if (visited.getKind() == SqlKind.CAST && isText(visited.getType())) {
      SqlFunction text = textOf(operands.get(0).getType());
      if (text != null) {
        RexNode converted = builder.makeCall(visited.getType(), text, operands);
        return visited.getType().getPrecision() == RelDataType.PRECISION_NOT_SPECIFIED
            ? converted
            : builder.makeCast(visited.getType(), converted);
      }
    }
    if (SqlTypeName.INT_TYPES.contains(visited.getType().getSqlTypeName())) {
      SqlOperator checked = checked(visited);
      if (checked != null) {
        return builder.makeCall(visited.getType(), checked, operands);
      }
    }
    return visited;
  }

  /** A literal of another type, once and for all. */
  private RexNode constant(RexCall cast, RexLiteral literal) {
    List<RexNode> reduced = new ArrayList<>();
    new RexExecutorImpl(CompiledExpression.Row.none()).reduce(builder, List.of(cast), reduced);
    if (!(reduced.get(0) instanceof RexLiteral)) {
      throw SqlExpressions.mistake(
          SqlParserPos.ZERO,
          "'"
              + literal.getValueAs(String.class)
              + "' is no value of type "
              + cast.getType().getSqlTypeName(),
          "write one, as in: 12.50, '2024-02-29' or '2024-02-29 13:05:09'");
    }
    return reduced.get(0);
  }

  private RexNode divide(RexCall call) {
    RelDataType type = call.getType();
    RexNode left = call.getOperands().get(0);
    RexNode right = call.getOperands().get(1);
    if (SqlTypeName.APPROX_TYPES.contains(type.getSqlTypeName())) {
      return builder.makeCall(
          type,
          MySqlFunctions.DIVIDE_DOUBLE,
          List.of(cast(left, SqlTypeName.DOUBLE), cast(right, SqlTypeName.DOUBLE)));
    }
    return builder.makeCall(
        type,
        MySqlFunctions.DIVIDE_DECIMAL,
        List.of(
            decimal(left),
            decimal(right),
            builder.makeExactLiteral(BigDecimal.valueOf(type.getScale()))));
  }

  private RexNode decimal(RexNode number) {
    return number.getType().getSqlTypeName() == SqlTypeName.DECIMAL
        ? number
        : cast(number, SqlTypeName.DECIMAL);
  }

  private RexNode cast(RexNode number, SqlTypeName name) {
    RelDataType type = builder.getTypeFactory().createSqlType(name);
    return builder.makeCast(builder.getTypeFactory().createTypeWithNullability(type, true), number);
  }

  private static boolean isText(RelDataType type) {
    return SqlTypeName.CHAR_TYPES.contains(type.getSqlTypeName());
  }

  /** How a value of the type is written as MySQL writes it; null if Calcite does. */
  private static SqlFunction textOf(RelDataType type) {
    return switch (type.getSqlTypeName()) {
      case DECIMAL -> MySqlFunctions.TEXT_OF_DECIMAL;
      case FLOAT, REAL, DOUBLE -> MySqlFunctions.TEXT_OF_DOUBLE;
      case BOOLEAN -> MySqlFunctions.TEXT_OF_BOOLEAN;
      case TIMESTAMP -> MySqlFunctions.TEXT_OF_DATETIME;
      default -> null;
    };
  }

  /** The operator that fails where this one would overflow without a sound. */
  private static SqlOperator checked(RexCall call) {
    return switch (call.getKind()) {
      case PLUS -> SqlStdOperatorTable.CHECKED_PLUS;
      case MINUS -> SqlStdOperatorTable.CHECKED_MINUS;
      case TIMES -> SqlStdOperatorTable.CHECKED_MULTIPLY;
      case MINUS_PREFIX -> SqlStdOperatorTable.CHECKED_UNARY_MINUS;
      default -> null;
    };
  }
}
