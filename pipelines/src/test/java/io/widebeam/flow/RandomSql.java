package io.widebeam.flow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Random expressions over some columns: what MySQL, H2 and models all know.
 *
 * <p>Left out is what MySQL and H2 understand differently or what depends on a database's settings:
 * texts that are compared with numbers, dates as texts, floating point, {@code UNIX_TIMESTAMP} of
 * fractions, and texts in another order than that of their characters.
 */
final class RandomSql {
  private static final int MAX_LIST = 3;

  /** What an expression's values are. */
  enum ValueType {
    INTEGER,
    DECIMAL,
    TEXT,
    DATETIME,
    DATE,
    BOOLEAN;

    boolean isNumber() {
      return this == INTEGER || this == DECIMAL;
    }
  }

  /**
   * An expression.
   *
   * @param text as a model has it
   * @param asked as H2 is asked: the same but where H2 understands something else by it
   * @param scale how many digits a number has behind the point; -1 if MySQL and Calcite do not
   *     agree on that
   * @param isConstant whether there is no column in it
   */
  record Sql(String text, String asked, ValueType type, int scale, boolean isConstant) {
    static Sql constant(ValueType type, String text) {
      int point = text.indexOf('.');
      int scale = type == ValueType.DECIMAL ? text.length() - point - 1 : 0;
      return new Sql(text, text, type, scale, true);
    }

    Sql scaled(int other) {
      return new Sql(text, asked, type, other, isConstant);
    }
  }

  private final Random random;
  private final List<Sql> columns;

  RandomSql(Random random, List<Sql> columns) {
    this.random = random;
    this.columns = List.copyOf(columns);
  }

  /** An expression of any type. */
  Sql any(int depth) {
    return of(columns.isEmpty() ? ValueType.INTEGER : anyOf(columns).type(), depth);
  }

  /** An expression in which there is a column; a column itself if it does not come to that. */
  Sql anyOfColumns(int depth) {
    Sql made = any(depth);
    return made.isConstant() && !columns.isEmpty() ? anyOf(columns) : made;
  }

  /** An expression of a type. */
  Sql of(ValueType type, int depth) {
    if (depth <= 0 || random.nextInt(3) == 0) {
      return leaf(type);
    }
    if (random.nextInt(4) == 0) {
      return choice(type, depth - 1);
    }
    return switch (type) {
      case INTEGER -> integer(depth - 1);
      case DECIMAL -> decimal(depth - 1);
      case TEXT -> text(depth - 1);
      case DATETIME -> datetime(depth - 1);
      case DATE -> date(depth - 1);
      case BOOLEAN -> call(ValueType.BOOLEAN, "(%s)", condition(depth - 1));
    };
  }

  private Sql leaf(ValueType type) {
    List<Sql> found = columns.stream().filter(column -> column.type() == type).toList();
    return found.isEmpty() || random.nextInt(6) == 0 ? literal(type) : anyOf(found);
  }

  private Sql literal(ValueType type) {
    return Sql.constant(
        type,
        switch (type) {
          case INTEGER -> String.valueOf(random.nextInt(6));
          case DECIMAL -> anyOf("1.5", "0.25", "10.00", "2.0");
          case TEXT -> anyOf("'a'", "'A'", "''", "'b c'", "'it''s'", "'ä'", "'10'");
          case DATETIME -> "TIMESTAMP '2024-02-2" + anyOf("8", "9") + " 10:00:00'";
          case DATE -> "DATE '2024-0" + anyOf("1", "3") + "-01'";
          case BOOLEAN -> anyOf("TRUE", "FALSE");
        });
  }

  /** One of several values of the type, whatever that is. */
  private Sql choice(ValueType type, int depth) {
    Sql a = of(type, depth);
    Sql b = of(type, depth);
    Sql made =
        switch (random.nextInt(8)) {
          case 0 -> call(type, "COALESCE(%s, %s)", a, b);
          case 1 -> call(type, "IFNULL(%s, %s)", a, b);
          case 2 -> call(type, "NULLIF(%s, %s)", a, b);
          // H2 has no IF.
          case 3 ->
              call(
                  type,
                  "IF(%s, %s, %s)",
                  "CASE WHEN %s THEN %s ELSE %s END",
                  condition(depth),
                  a,
                  b);
          case 4 -> call(type, "CASE WHEN %s THEN %s ELSE %s END", condition(depth), a, b);
          case 5 -> call(type, "CASE WHEN %s THEN %s END", condition(depth), a);
          case 6 -> {
            Sql of = any(depth);
            yield call(type, "CASE %s WHEN %s THEN %s ELSE %s END", of, literalLike(of), a, b);
          }
          default ->
              type == ValueType.BOOLEAN
                  ? a
                  : call(type, anyOf("GREATEST", "LEAST") + "(%s, %s)", a, b);
        };
    return scaledAs(made, Math.max(a.scale(), b.scale()), a, b);
  }

  private Sql literalLike(Sql other) {
    return literal(other.type());
  }

  private Sql integer(int depth) {
    return switch (random.nextInt(14)) {
      case 0, 1 ->
          call(
              ValueType.INTEGER,
              "(%s " + anyOf("+", "-", "*") + " %s)",
              of(ValueType.INTEGER, depth),
              of(ValueType.INTEGER, depth));
      // To H2, a division by zero is an error.
      case 2 ->
          call(
              ValueType.INTEGER,
              anyOf("MOD(%s, %s)", "(%s %% %s)"),
              "MOD(%s, NULLIF(%s, 0))",
              of(ValueType.INTEGER, depth),
              of(ValueType.INTEGER, depth));
      case 3 -> call(ValueType.INTEGER, "CHAR_LENGTH(%s)", of(ValueType.TEXT, depth));
      // Of bytes; H2's LENGTH is of characters.
      case 4 ->
          call(ValueType.INTEGER, "LENGTH(%s)", "OCTET_LENGTH(%s)", of(ValueType.TEXT, depth));
      case 5 ->
          call(
              ValueType.INTEGER,
              anyOf(
                      "YEAR",
                      "MONTH",
                      "DAYOFMONTH",
                      "DAY",
                      "HOUR",
                      "MINUTE",
                      "SECOND",
                      "QUARTER",
                      "DAYOFYEAR",
                      "DAYOFWEEK")
                  + "(%s)",
              of(ValueType.DATETIME, depth));
      // H2 has no WEEKDAY.
      case 6 ->
          call(
              ValueType.INTEGER,
              "WEEKDAY(%s)",
              "MOD(DAYOFWEEK(%s) + 5, 7)",
              of(ValueType.DATETIME, depth));
      // H2 has another order of arguments, and a unit.
      case 7 ->
          call(
              ValueType.INTEGER,
              "DATEDIFF(%s, %s)",
              "DATEDIFF(DAY, %2$s, %1$s)",
              of(ValueType.DATETIME, depth),
              of(ValueType.DATETIME, depth));
      // H2 counts the hours' beginnings that are between, MySQL whole hours.
      case 8 -> {
        String unit = anyOf("HOUR", "DAY", "MINUTE");
        yield call(
            ValueType.INTEGER,
            "TIMESTAMPDIFF(" + unit + ", %s, %s)",
            "WHOLE_UNITS('" + unit + "S', %s, %s)",
            of(ValueType.DATETIME, depth),
            of(ValueType.DATETIME, depth));
      }
      case 9 -> call(ValueType.INTEGER, anyOf("ABS", "-") + "(%s)", of(ValueType.INTEGER, depth));
      case 10 -> call(ValueType.INTEGER, "SIGN(%s)", of(ValueType.DECIMAL, depth));
      case 11 -> call(ValueType.INTEGER, "LOCATE('" + anyOf("a", "A", "b") + "', %s)", text());
      case 12 -> call(ValueType.INTEGER, "CAST(%s AS SIGNED)", "CAST(%s AS BIGINT)", decimal());
      default -> call(ValueType.INTEGER, "MONTH(%s)", of(ValueType.DATE, depth));
    };
  }

  private Sql text() {
    return leaf(ValueType.TEXT);
  }

  private Sql decimal() {
    return leaf(ValueType.DECIMAL);
  }

  private Sql decimal(int depth) {
    Sql number = of(random.nextBoolean() ? ValueType.DECIMAL : ValueType.INTEGER, depth);
    Sql own = of(ValueType.DECIMAL, depth);
    int longer = Math.max(number.scale(), own.scale());
    return switch (random.nextInt(9)) {
      case 0 ->
          scaledAs(
              call(ValueType.DECIMAL, "(%s " + anyOf("+", "-") + " %s)", own, number),
              longer,
              own,
              number);
      case 1 ->
          scaledAs(
              call(ValueType.DECIMAL, "(%s * %s)", own, number),
              own.scale() + number.scale(),
              own,
              number);
      case 2 -> quotient(own, number);
      case 3 -> quotient(leaf(ValueType.INTEGER), own);
      case 4 ->
          call(
                  ValueType.DECIMAL,
                  anyOf("ROUND(%s, 1)", "TRUNCATE(%s, 1)", "ROUND(%s)", "ROUND(%s, -1)"),
                  own)
              .scaled(-1);
      case 5 -> call(ValueType.DECIMAL, anyOf("FLOOR", "CEIL", "CEILING") + "(%s)", own).scaled(-1);
      case 6 -> call(ValueType.DECIMAL, anyOf("ABS", "-") + "(%s)", own).scaled(own.scale());
      case 7 -> call(ValueType.DECIMAL, "CAST(%s AS DECIMAL(20, 4))", number).scaled(4);
      default -> call(ValueType.DECIMAL, "CAST(%s AS DECIMAL(12, 1))", own).scaled(1);
    };
  }

  /**
   * The quotient has four digits more than the dividend and is NULL where the divisor is zero,
   * where H2 cuts between integers, fails at zeros and has another number of digits.
   */
  Sql quotient(Sql dividend, Sql divisor) {
    if (dividend.scale() < 0) {
      return dividend;
    }
    int scale = dividend.scale() + 4;
    return call(
            ValueType.DECIMAL,
            "(%s / %s)",
            "CAST(ROUND(CAST(%s AS NUMERIC(60, 30)) / NULLIF(%s, 0), "
                + scale
                + ") AS NUMERIC(60, "
                + scale
                + "))",
            dividend,
            divisor)
        .scaled(scale);
  }

  private Sql text(int depth) {
    Sql own = of(ValueType.TEXT, depth);
    return switch (random.nextInt(13)) {
      case 0, 1 -> concat(own, textual(depth));
      // H2's has no separator behind an empty text.
      case 2 ->
          call(
              ValueType.TEXT, "CONCAT_WS('-', %s, %s)", "JOINED('-', %s, %s)", own, textual(depth));
      case 3 -> call(ValueType.TEXT, anyOf("UPPER", "LOWER", "UCASE", "LCASE") + "(%s)", own);
      case 4 -> call(ValueType.TEXT, anyOf("LEFT", "RIGHT") + "(%s, 2)", own);
      case 5 ->
          call(
              ValueType.TEXT,
              anyOf("SUBSTRING(%s, 2)", "SUBSTRING(%s, 1, 1)", "SUBSTR(%s, 2, 3)"),
              own);
      case 6 -> call(ValueType.TEXT, anyOf("TRIM", "LTRIM", "RTRIM") + "(%s)", own);
      case 7 -> call(ValueType.TEXT, "REPLACE(%s, 'a', " + anyOf("'xy'", "''") + ")", own);
      case 8 -> call(ValueType.TEXT, anyOf("LPAD", "RPAD") + "(%s, 3, '*')", own);
      case 9 -> call(ValueType.TEXT, anyOf("REVERSE(%s)", "SUBSTRING_INDEX(%s, ' ', 1)"), own);
      case 10 -> call(ValueType.TEXT, "REPEAT(%s, 2)", own);
      case 11 ->
          call(
              ValueType.TEXT,
              anyOf("DAYNAME", "MONTHNAME") + "(%s)",
              of(ValueType.DATETIME, depth));
      default -> formatted(of(random.nextBoolean() ? ValueType.DATE : ValueType.DATETIME, depth));
    };
  }

  private Sql textual(int depth) {
    return of(random.nextBoolean() ? ValueType.TEXT : ValueType.INTEGER, depth);
  }

  /** A NULL makes all of it NULL, where H2's function leaves it out. */
  private Sql concat(Sql a, Sql b) {
    return call(
        ValueType.TEXT, "CONCAT(%s, %s)", "(CAST(%s AS VARCHAR) || CAST(%s AS VARCHAR))", a, b);
  }

  private Sql formatted(Sql time) {
    return call(
        ValueType.TEXT,
        "DATE_FORMAT(%s, %s)",
        time,
        Sql.constant(
            ValueType.TEXT, anyOf("'%Y%m%d'", "'%Y-%m'", "'%d.%m.%Y %H:%i:%s'", "'%y/%c/%e'")));
  }

  private Sql datetime(int depth) {
    Sql own = of(ValueType.DATETIME, depth);
    String interval =
        "INTERVAL '" + (1 + random.nextInt(3)) + "' " + anyOf("DAY", "HOUR", "MONTH", "MINUTE");
    return switch (random.nextInt(3)) {
      case 0 -> call(ValueType.DATETIME, "(%s " + anyOf("+", "-") + " " + interval + ")", own);
      // H2 has neither of the two.
      case 1 ->
          call(
              ValueType.DATETIME, "DATE_ADD(%s, " + interval + ")", "(%s + " + interval + ")", own);
      default ->
          call(
              ValueType.DATETIME, "DATE_SUB(%s, " + interval + ")", "(%s - " + interval + ")", own);
    };
  }

  private Sql date(int depth) {
    Sql time = of(ValueType.DATETIME, depth);
    return switch (random.nextInt(4)) {
      case 0 -> call(ValueType.DATE, "DATE(%s)", "CAST(%s AS DATE)", time);
      case 1 -> call(ValueType.DATE, "CAST(%s AS DATE)", time);
      case 2 -> call(ValueType.DATE, "LAST_DAY(%s)", time);
      default -> {
        Sql format = Sql.constant(ValueType.TEXT, "'%Y%m%d'");
        yield call(ValueType.DATE, "STR_TO_DATE(DATE_FORMAT(%s, %s), %2$s)", time, format);
      }
    };
  }

  /** A condition: true, false or unknown of a row. */
  Sql condition(int depth) {
    if (depth > 0 && random.nextInt(3) == 0) {
      Sql a = condition(depth - 1);
      Sql b = condition(depth - 1);
      return random.nextInt(3) == 0
          ? call(ValueType.BOOLEAN, "NOT (%s)", a)
          : call(ValueType.BOOLEAN, "(%s " + anyOf("AND", "OR") + " %s)", a, b);
    }
    Sql left = anyOfColumns(depth);
    Sql right = of(left.type(), depth);
    return switch (random.nextInt(9)) {
      case 0, 1 -> call(ValueType.BOOLEAN, "%s IS " + anyOf("", "NOT ") + "NULL", left);
      case 2 -> {
        Sql list = list(left.type());
        yield call(ValueType.BOOLEAN, "%s " + anyOf("", "NOT ") + "IN (%s)", left, list);
      }
      case 3 ->
          left.type() == ValueType.TEXT
              ? call(ValueType.BOOLEAN, "%s LIKE '" + anyOf("a%%", "%%b", "_", "%%a%%") + "'", left)
              : call(ValueType.BOOLEAN, "%s <> %s", left, right);
      case 4 ->
          left.type() == ValueType.BOOLEAN
              ? call(ValueType.BOOLEAN, "%s IS " + anyOf("", "NOT ") + anyOf("TRUE", "FALSE"), left)
              : call(
                  ValueType.BOOLEAN,
                  "%s " + anyOf("", "NOT ") + "BETWEEN %s AND %s",
                  left,
                  right,
                  literalLike(left));
      // As people write dates: H2 takes the text for one, too.
      case 5 ->
          left.type() == ValueType.DATE || left.type() == ValueType.DATETIME
              ? call(ValueType.BOOLEAN, "%s " + comparison() + " '2024-02-28'", left)
              : call(ValueType.BOOLEAN, "%s IS NOT NULL", left);
      default -> call(ValueType.BOOLEAN, "%s " + comparison() + " %s", left, right);
    };
  }

  private String comparison() {
    return anyOf("=", "=", "<>", "!=", "<", "<=", ">", ">=");
  }

  private Sql list(ValueType type) {
    List<Sql> literals = new ArrayList<>();
    for (int i = random.nextInt(MAX_LIST); i >= 0; i--) {
      literals.add(literal(type));
    }
    return Sql.constant(type, literals.stream().map(Sql::text).collect(Collectors.joining(", ")));
  }

  /** The same for H2. */
  static Sql call(ValueType type, String format, Sql... operands) {
    return call(type, format, format, operands);
  }

  static Sql call(ValueType type, String format, String asked, Sql... operands) {
    Object[] texts = Arrays.stream(operands).map(Sql::text).toArray();
    Object[] others = Arrays.stream(operands).map(Sql::asked).toArray();
    return new Sql(
        format.formatted(texts),
        asked.formatted(others),
        type,
        0,
        Arrays.stream(operands).allMatch(Sql::isConstant));
  }

  /** With a scale if the operands have one. */
  private static Sql scaledAs(Sql made, int scale, Sql a, Sql b) {
    return made.scaled(a.scale() < 0 || b.scale() < 0 ? -1 : scale);
  }

  @SafeVarargs
  private <T> T anyOf(T... values) {
    return values[random.nextInt(values.length)];
  }

  private <T> T anyOf(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
