package io.widebeam.sql;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.impl.ScalarFunctionImpl;
import org.apache.calcite.sql.SqlAggFunction;
import org.apache.calcite.sql.SqlBasicFunction;
import org.apache.calcite.sql.SqlBasicTypeNameSpec;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlOperatorBinding;
import org.apache.calcite.sql.SqlOperatorTable;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.fun.SqlLibrary;
import org.apache.calcite.sql.fun.SqlLibraryOperatorTableFactory;
import org.apache.calcite.sql.fun.SqlLibraryOperators;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlReturnTypeInference;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeTransforms;
import org.apache.calcite.sql.util.SqlOperatorTables;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * The functions that expressions may call: Calcite's standard and MySQL ones, and here those of
 * MySQL that Calcite lacks or understands otherwise. A function is added as a {@link #REWRITES
 * rewrite} into others, or as a {@link #OWN method} of {@link MySqlRuntime}.
 */
final class MySqlFunctions {
  /** Writes a call in other words, before types are known. */
  @FunctionalInterface
  interface Rewrite {
    SqlNode apply(List<SqlNode> operands, SqlParserPos at);
  }

  private record Rewriting(int fewest, int most, Rewrite rewrite) {}

  /** As many digits as MySQL's {@code div_precision_increment} adds to a quotient's scale. */
  static final int DIVISION_DIGITS = 4;

  /** {@code /}: exact numbers give an exact quotient, and nothing is divided by zero. */
  static final SqlFunction DIVIDE =
      SqlBasicFunction.create("DIVIDE", MySqlFunctions::quotient, OperandTypes.NUMERIC_NUMERIC);

  static final SqlFunction DIVIDE_DOUBLE =
      own(
          "DIVIDE_DOUBLE",
          ReturnTypes.DOUBLE_FORCE_NULLABLE,
          "divideDouble",
          SqlTypeName.DOUBLE,
          SqlTypeName.DOUBLE);

  static final SqlFunction DIVIDE_DECIMAL =
      own(
          "DIVIDE_DECIMAL",
          MySqlFunctions::quotient,
          "divideDecimal",
          SqlTypeName.DECIMAL,
          SqlTypeName.DECIMAL,
          SqlTypeName.INTEGER);

  static final SqlFunction TEXT_OF_DECIMAL =
      own("TEXT_OF_DECIMAL", text(), "textOfDecimal", SqlTypeName.DECIMAL);
  static final SqlFunction TEXT_OF_DOUBLE =
      own("TEXT_OF_DOUBLE", text(), "textOfDouble", SqlTypeName.DOUBLE);
  static final SqlFunction TEXT_OF_BOOLEAN =
      own("TEXT_OF_BOOLEAN", text(), "textOfBoolean", SqlTypeName.BOOLEAN);
  static final SqlFunction TEXT_OF_DATETIME =
      own("TEXT_OF_DATETIME", text(), "textOfDatetime", SqlTypeName.TIMESTAMP);

  private static final SqlFunction FORMAT_DATETIME =
      own("FORMAT_DATETIME", text(), "formatDatetime", SqlTypeName.TIMESTAMP, SqlTypeName.VARCHAR);
  private static final SqlFunction PARSE_DATE =
      own(
          "PARSE_MYSQL_DATE",
          ReturnTypes.DATE.andThen(SqlTypeTransforms.FORCE_NULLABLE),
          "parseDate",
          SqlTypeName.VARCHAR,
          SqlTypeName.VARCHAR);
  private static final SqlFunction PARSE_DATETIME =
      own(
          "PARSE_MYSQL_DATETIME",
          datetime(),
          "parseDatetime",
          SqlTypeName.VARCHAR,
          SqlTypeName.VARCHAR);
  private static final SqlFunction DAYS_BETWEEN =
      own("DAYS_BETWEEN", whole(), "daysBetween", SqlTypeName.TIMESTAMP, SqlTypeName.TIMESTAMP);
  private static final SqlFunction SECONDS_OF =
      own("SECONDS_OF", whole(), "secondsOf", SqlTypeName.TIMESTAMP);
  private static final SqlFunction OF_SECONDS =
      own("OF_SECONDS", datetime(), "ofSeconds", SqlTypeName.DECIMAL);
  private static final SqlFunction BYTE_LENGTH =
      own("BYTE_LENGTH", whole(), "byteLength", SqlTypeName.VARCHAR);
  private static final SqlFunction SEPARATED =
      own(
          "SEPARATED",
          text(),
          "separated",
          SqlTypeName.VARCHAR,
          SqlTypeName.VARCHAR,
          SqlTypeName.VARCHAR);
  private static final SqlFunction SUBSTRING_INDEX =
      own(
          "SUBSTRING_INDEX",
          text(),
          "substringIndex",
          SqlTypeName.VARCHAR,
          SqlTypeName.VARCHAR,
          SqlTypeName.INTEGER);

  /** All of the own functions; Calcite finds them by name. */
  private static final List<SqlFunction> OWN =
      List.of(
          DIVIDE,
          DIVIDE_DOUBLE,
          DIVIDE_DECIMAL,
          TEXT_OF_DECIMAL,
          TEXT_OF_DOUBLE,
          TEXT_OF_BOOLEAN,
          TEXT_OF_DATETIME,
          FORMAT_DATETIME,
          PARSE_DATE,
          PARSE_DATETIME,
          DAYS_BETWEEN,
          SECONDS_OF,
          OF_SECONDS,
          BYTE_LENGTH,
          SEPARATED,
          SUBSTRING_INDEX);

  /** Functions of MySQL's that Calcite files under other databases. */
  private static final List<SqlOperator> BORROWED =
      List.of(
          SqlLibraryOperators.LPAD,
          SqlLibraryOperators.RPAD,
          SqlLibraryOperators.LTRIM,
          SqlLibraryOperators.RTRIM,
          SqlLibraryOperators.GREATEST,
          SqlLibraryOperators.LEAST);

  /** By name, what MySQL calls otherwise than Calcite or means otherwise. */
  private static final Map<String, Rewriting> REWRITES = new HashMap<>();

  static {
    rewrite(
        "IF",
        3,
        3,
        (operands, at) ->
            SqlCase.createSwitched(
                at,
                null,
                SqlNodeList.of(operands.get(0)),
                SqlNodeList.of(operands.get(1)),
                operands.get(2)));
    rewrite("LPAD", 2, 3, (operands, at) -> nullOfNull(SqlLibraryOperators.LPAD, operands, at));
    rewrite("RPAD", 2, 3, (operands, at) -> nullOfNull(SqlLibraryOperators.RPAD, operands, at));
    rewrite("IFNULL", 2, 2, SqlStdOperatorTable.COALESCE);
    rewrite("ISNULL", 1, 1, SqlStdOperatorTable.IS_NULL);
    rewrite("LCASE", 1, 1, SqlStdOperatorTable.LOWER);
    rewrite("UCASE", 1, 1, SqlStdOperatorTable.UPPER);
    rewrite("POW", 2, 2, SqlStdOperatorTable.POWER);
    rewrite("CEIL", 1, 1, SqlStdOperatorTable.CEIL);
    rewrite("MID", 3, 3, SqlStdOperatorTable.SUBSTRING);
    rewrite("SUBSTR", 2, 3, SqlStdOperatorTable.SUBSTRING);
    rewrite(
        "LENGTH", 1, 1, (operands, at) -> BYTE_LENGTH.createCall(at, text(operands.get(0), at)));
    rewrite(
        "LOCATE",
        2,
        2,
        (operands, at) ->
            SqlStdOperatorTable.POSITION.createCall(at, operands.get(0), operands.get(1)));
    rewrite("CONCAT", 1, Integer.MAX_VALUE, MySqlFunctions::concat);
    rewrite("CONCAT_WS", 2, Integer.MAX_VALUE, MySqlFunctions::concatWithSeparator);
    rewrite(
        "DATE_FORMAT",
        2,
        2,
        (operands, at) ->
            FORMAT_DATETIME.createCall(at, datetime(operands.get(0), at), operands.get(1)));
    rewrite("STR_TO_DATE", 2, 2, MySqlFunctions::stringToDate);
    rewrite("DATE", 1, 1, (operands, at) -> cast(operands.get(0), SqlTypeName.DATE, -1, at));
    rewrite(
        "DATEDIFF",
        2,
        2,
        (operands, at) ->
            DAYS_BETWEEN.createCall(
                at, datetime(operands.get(0), at), datetime(operands.get(1), at)));
    rewrite("DATE_ADD", 2, 2, SqlStdOperatorTable.PLUS);
    rewrite("ADDDATE", 2, 2, SqlStdOperatorTable.PLUS);
    rewrite("DATE_SUB", 2, 2, SqlStdOperatorTable.MINUS);
    rewrite("SUBDATE", 2, 2, SqlStdOperatorTable.MINUS);
    rewrite("DAY", 1, 1, SqlStdOperatorTable.DAYOFMONTH);
    rewrite("WEEK", 1, 1, MySqlFunctions::week);
    // Of times before 1970, Calcite's is that of the day after.
    rewrite(
        "LAST_DAY",
        1,
        1,
        (operands, at) ->
            SqlStdOperatorTable.LAST_DAY.createCall(
                at, cast(operands.get(0), SqlTypeName.DATE, -1, at)));
    // Calcite's names of NULL and of times before 1970 are wrong.
    rewrite("DAYNAME", 1, 1, (operands, at) -> formatted(operands.get(0), "%W", at));
    rewrite("MONTHNAME", 1, 1, (operands, at) -> formatted(operands.get(0), "%M", at));
    rewrite("WEEKDAY", 1, 1, MySqlFunctions::weekday);
    rewrite(
        "TIMESTAMPDIFF",
        3,
        3,
        (operands, at) ->
            SqlStdOperatorTable.TIMESTAMP_DIFF.createCall(
                at, operands.get(0), datetime(operands.get(1), at), datetime(operands.get(2), at)));
    rewrite(
        "UNIX_TIMESTAMP",
        1,
        1,
        (operands, at) -> SECONDS_OF.createCall(at, datetime(operands.get(0), at)));
    rewrite("FROM_UNIXTIME", 1, 1, OF_SECONDS);
    rewrite("%", 2, 2, MySqlFunctions::remainder);
    rewrite("MOD", 2, 2, MySqlFunctions::remainder);
    rewrite("/", 2, 2, DIVIDE);
  }

  /** Their values change without a change of the row, so that rows would not follow them. */
  static final Set<String> UNSTEADY =
      Set.of(
          "NOW",
          "SYSDATE",
          "CURDATE",
          "CURTIME",
          "CURRENT_DATE",
          "CURRENT_TIME",
          "CURRENT_TIMESTAMP",
          "LOCALTIME",
          "LOCALTIMESTAMP",
          "UTC_DATE",
          "UTC_TIME",
          "UTC_TIMESTAMP",
          "RAND",
          "RAND_INTEGER",
          "UUID",
          "CURRENT_USER",
          "SESSION_USER",
          "SYSTEM_USER",
          "USER");

  static final SqlOperatorTable TABLE =
      SqlOperatorTables.chain(
          SqlOperatorTables.of(OWN),
          SqlOperatorTables.of(BORROWED),
          SqlLibraryOperatorTableFactory.INSTANCE.getOperatorTable(
              SqlLibrary.STANDARD, SqlLibrary.MYSQL));

  /** Names for suggestions. */
  static final Set<String> NAMES = names();

  private MySqlFunctions() {}

  static boolean isRewritten(String name) {
    return REWRITES.containsKey(name.toUpperCase(Locale.ROOT));
  }

  /** The call in other words; null if the function takes another number of operands. */
  static SqlNode rewrite(String name, List<SqlNode> operands, SqlParserPos at) {
    Rewriting rewriting = REWRITES.get(name.toUpperCase(Locale.ROOT));
    return operands.size() < rewriting.fewest() || operands.size() > rewriting.most()
        ? null
        : rewriting.rewrite().apply(operands, at);
  }

  private static RelDataType quotient(SqlOperatorBinding binding) {
    RelDataType left = binding.getOperandType(0);
    RelDataType right = binding.getOperandType(1);
    RelDataTypeFactory types = binding.getTypeFactory();
    boolean approximate =
        SqlTypeName.APPROX_TYPES.contains(left.getSqlTypeName())
            || SqlTypeName.APPROX_TYPES.contains(right.getSqlTypeName());
    RelDataType type =
        approximate
            ? types.createSqlType(SqlTypeName.DOUBLE)
            : types.createSqlType(
                SqlTypeName.DECIMAL,
                SqlType.MAX_PRECISION,
                Math.max(0, left.getScale()) + DIVISION_DIGITS);
    return types.createTypeWithNullability(type, true);
  }

  private static Set<String> names() {
    Set<String> names = new TreeSet<>();
    for (SqlOperator operator : TABLE.getOperatorList()) {
      if (operator instanceof SqlFunction
          && !(operator instanceof SqlAggFunction)
          && !OWN.contains(operator)
          && Character.isLetter(operator.getName().charAt(0))) {
        names.add(operator.getName());
      }
    }
    REWRITES.keySet().stream()
        .filter(name -> Character.isLetter(name.charAt(0)))
        .forEach(names::add);
    names.add("SUBSTRING_INDEX");
    names.removeAll(UNSTEADY);
    return names;
  }

  private static void rewrite(String name, int fewest, int most, SqlOperator operator) {
    rewrite(name, fewest, most, (operands, at) -> operator.createCall(at, operands));
  }

  private static void rewrite(String name, int fewest, int most, Rewrite rewrite) {
    REWRITES.put(name, new Rewriting(fewest, most, rewrite));
  }

  private static SqlFunction own(
      String name, SqlReturnTypeInference type, String method, SqlTypeName... operands) {
    Method found =
        Arrays.stream(MySqlRuntime.class.getMethods())
            .filter(candidate -> candidate.getName().equals(method))
            .findFirst()
            .orElseThrow();
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        type,
        InferTypes.RETURN_TYPE,
        OperandTypes.operandMetadata(
            Arrays.stream(operands).map(SqlTypeName::getFamily).toList(),
            types -> Arrays.stream(operands).map(operand -> parameter(operand, types)).toList(),
            index -> "operand" + index,
            index -> false),
        ScalarFunctionImpl.create(found));
  }

  /** What operands are cast to. */
  private static RelDataType parameter(SqlTypeName type, RelDataTypeFactory types) {
    return switch (type) {
      case DECIMAL -> types.createSqlType(type, SqlType.MAX_PRECISION, SqlType.DEFAULT_SCALE);
      case TIMESTAMP -> types.createSqlType(type, 3);
      default -> types.createSqlType(type);
    };
  }

  private static SqlReturnTypeInference text() {
    return ReturnTypes.VARCHAR.andThen(SqlTypeTransforms.FORCE_NULLABLE);
  }

  private static SqlReturnTypeInference whole() {
    return ReturnTypes.BIGINT_FORCE_NULLABLE;
  }

  private static SqlReturnTypeInference datetime() {
    return ReturnTypes.explicit(SqlTypeName.TIMESTAMP, 3).andThen(SqlTypeTransforms.FORCE_NULLABLE);
  }

  static SqlNode text(SqlNode operand, SqlParserPos at) {
    return cast(operand, SqlTypeName.VARCHAR, -1, at);
  }

  private static SqlNode datetime(SqlNode operand, SqlParserPos at) {
    return cast(operand, SqlTypeName.TIMESTAMP, 3, at);
  }

  private static SqlNode cast(SqlNode operand, SqlTypeName type, int precision, SqlParserPos at) {
    return SqlStdOperatorTable.CAST.createCall(
        at, operand, new SqlDataTypeSpec(new SqlBasicTypeNameSpec(type, precision, at), at));
  }

  /** Null of null, also for a function around it: to that, Calcite gives an empty text. */
  private static SqlNode nullOfNull(SqlOperator function, List<SqlNode> operands, SqlParserPos at) {
    return SqlCase.createSwitched(
        at,
        null,
        SqlNodeList.of(SqlStdOperatorTable.IS_NULL.createCall(at, operands.get(0))),
        SqlNodeList.of(SqlLiteral.createNull(at)),
        function.createCall(at, operands));
  }

  /** One null makes all of it null; values of other types are taken as their texts. */
  private static SqlNode concat(List<SqlNode> operands, SqlParserPos at) {
    List<SqlNode> texts = new ArrayList<>();
    operands.forEach(operand -> texts.add(text(operand, at)));
    return texts.stream()
        .reduce((left, right) -> SqlStdOperatorTable.CONCAT.createCall(at, left, right))
        .orElseThrow();
  }

  /** Leaves out what is null; Calcite's has a separator at the end where the last one is. */
  private static SqlNode concatWithSeparator(List<SqlNode> operands, SqlParserPos at) {
    SqlNode separator = text(operands.get(0), at);
    SqlNode joined =
        operands.stream()
            .skip(1)
            .map(operand -> text(operand, at))
            .reduce((left, right) -> SEPARATED.createCall(at, separator, left, right))
            .orElseThrow();
    // Of nothing but nulls there is an empty text, but for a separator that is null itself.
    SqlNode empty =
        SqlStdOperatorTable.SUBSTRING.createCall(
            at,
            separator,
            SqlLiteral.createExactNumeric("1", at),
            SqlLiteral.createExactNumeric("0", at));
    return SEPARATED.createCall(at, empty, empty, joined);
  }

  /** A date, or a date and time if the format has a time of day in it, or is not known yet. */
  private static SqlNode stringToDate(List<SqlNode> operands, SqlParserPos at) {
    boolean date =
        operands.get(1) instanceof SqlLiteral literal
            && SqlTypeFamily.CHARACTER.getTypeNames().contains(literal.getTypeName())
            && !MySqlDates.hasTime(literal.getValueAs(String.class));
    return (date ? PARSE_DATE : PARSE_DATETIME)
        .createCall(at, text(operands.get(0), at), operands.get(1));
  }

  /** Null where the divisor is zero. */
  private static SqlNode remainder(List<SqlNode> operands, SqlParserPos at) {
    SqlNode zero = SqlLiteral.createExactNumeric("0", at);
    return SqlStdOperatorTable.MOD.createCall(
        at, operands.get(0), SqlStdOperatorTable.NULLIF.createCall(at, operands.get(1), zero));
  }

  /** Weeks begin on Sundays, where Calcite's are ISO's. */
  private static SqlNode week(List<SqlNode> operands, SqlParserPos at) {
    return cast(formatted(operands.get(0), "%U", at), SqlTypeName.BIGINT, -1, at);
  }

  private static SqlNode formatted(SqlNode time, String format, SqlParserPos at) {
    return FORMAT_DATETIME.createCall(
        at, datetime(time, at), SqlLiteral.createCharString(format, at));
  }

  /** Monday is 0. */
  private static SqlNode weekday(List<SqlNode> operands, SqlParserPos at) {
    SqlNode sundayIsOne = SqlStdOperatorTable.DAYOFWEEK.createCall(at, operands);
    SqlNode shifted =
        SqlStdOperatorTable.PLUS.createCall(
            at, sundayIsOne, SqlLiteral.createExactNumeric("5", at));
    return SqlStdOperatorTable.MOD.createCall(at, shifted, SqlLiteral.createExactNumeric("7", at));
  }
}
