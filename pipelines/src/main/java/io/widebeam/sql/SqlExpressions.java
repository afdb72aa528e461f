package io.widebeam.sql;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.calcite.DataContext;
import org.apache.calcite.config.CalciteConnectionConfig;
import org.apache.calcite.config.CalciteConnectionProperty;
import org.apache.calcite.config.Lex;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.jdbc.JavaTypeFactoryImpl;
import org.apache.calcite.linq4j.function.Function1;
import org.apache.calcite.plan.RelOptCluster;
import org.apache.calcite.plan.hep.HepPlanner;
import org.apache.calcite.plan.hep.HepProgram;
import org.apache.calcite.prepare.CalciteCatalogReader;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeSystem;
import org.apache.calcite.rel.type.RelDataTypeSystemImpl;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexExecutorImpl;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.runtime.CalciteContextException;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlOperatorTable;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.validate.SqlConformanceEnum;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorCatalogReader;
import org.apache.calcite.sql.validate.SqlValidatorImpl;
import org.apache.calcite.sql2rel.SqlToRelConverter;
import org.apache.calcite.sql2rel.StandardConvertletTable;

/**
 * Compiles SQL expressions over the columns of a row, by Apache Calcite: its parser, its
 * validation, its standard and MySQL functions, its code generation.
 *
 * <ul>
 *   <li>Names may stand in backticks, and upper and lower case are the same in names of columns and
 *       functions. A column may carry the name of its table.
 *   <li>Logic has three values: what is compared with NULL is unknown, and only what is true
 *       matches.
 *   <li>Texts are compared exactly, upper and lower case and spaces at the end included, whatever
 *       the column's collation.
 *   <li>Whole numbers are computed in 64 bits, and a value beyond them fails; decimals are exact. A
 *       quotient has four digits more behind the point than its dividend; by zero it is NULL.
 *   <li>Dates and datetimes are in UTC.
 *   <li>What changes without the row, as {@code NOW()}, is refused.
 * </ul>
 *
 * <p>Not thread-safe. Costs a few hundred milliseconds for the first expression in a process.
 */
public final class SqlExpressions {
  static final SqlParser.Config PARSER =
      SqlParser.config().withLex(Lex.MYSQL).withConformance(SqlConformanceEnum.MYSQL_5);

  private static final CalciteConnectionConfig NO_CASE =
      CalciteConnectionConfig.DEFAULT.set(CalciteConnectionProperty.CASE_SENSITIVE, "false");

  private static final RelDataTypeSystem TYPES = new Types();

  /** More than a flow has. */
  private static final int MAX_PROGRAMS = 2_000;

  /**
   * What has been compiled in this process: of a job's steps, every instance needs the same
   * expressions. Programs have no state of their own.
   */
  private static final Map<Source, Program> PROGRAMS =
      Collections.synchronizedMap(
          new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<Source, Program> eldest) {
              return size() > MAX_PROGRAMS;
            }
          });

  /** All that an expression's meaning depends on. */
  private record Source(String text, Scope scope, boolean condition) {}

  private record Program(RexNode rex, Function1<DataContext, Object[]> function) {}

  private final List<SqlColumn> columns;
  private final Scope scope;
  private final Suggester suggester;
  private final JavaTypeFactoryImpl types = new TypeFactory();
  private final RexBuilder rexBuilder = new RexBuilder(types);
  private final RelDataType rowType;
  private final Map<String, RexNode> columnByName = new HashMap<>();
  private final Map<String, RelDataType> typeByName = new HashMap<>();

  /** Finds remedies for names that are not there. */
  @FunctionalInterface
  public interface Suggester {
    /**
     * What to do about a name that is not there.
     *
     * @param wrong the name
     * @param kind what the names are, in the plural
     * @param names those that there are
     */
    String suggest(String wrong, String kind, Collection<String> names);
  }

  private SqlExpressions(Scope scope, Suggester suggester) {
    this.columns = scope.columns();
    this.scope = scope;
    this.suggester = suggester;
    RelDataTypeFactory.Builder row = types.builder();
    for (SqlColumn column : columns) {
      row.add(column.name(), calciteType(column.type()));
    }
    this.rowType = row.build();
    for (int i = 0; i < columns.size(); i++) {
      RelDataType type = rowType.getFieldList().get(i).getType();
      columnByName.put(columns.get(i).name(), rexBuilder.makeInputRef(type, i));
      typeByName.put(columns.get(i).name(), type);
    }
  }

  /** Expressions over these columns. */
  public static SqlExpressions over(List<SqlColumn> columns) {
    return over(new Scope(columns, "", false));
  }

  static SqlExpressions over(Scope scope) {
    return new SqlExpressions(
        scope, (wrong, kind, names) -> kind + ": " + String.join(", ", names));
  }

  /**
   * Expressions over the columns of joined tables: each is called by its table's name, a dot and
   * its own, and may be named without its table where no other has its name.
   */
  public static SqlExpressions overJoined(List<SqlColumn> columns) {
    return over(new Scope(columns, "", true));
  }

  /** These expressions, where columns may carry the name of this table. */
  public SqlExpressions ofTable(String name) {
    return new SqlExpressions(new Scope(columns, name, scope.qualified()), suggester);
  }

  /** These expressions, with remedies from elsewhere. */
  public SqlExpressions withSuggester(Suggester other) {
    return new SqlExpressions(scope, other);
  }

  /**
   * Compiles an expression of any type that BSON can hold.
   *
   * @throws SqlException if it is not one; names every mistake
   */
  public CompiledExpression compile(String text) {
    return expression(text, program(text, false));
  }

  /**
   * Compiles a condition.
   *
   * @throws SqlException if it is not one; names every mistake
   */
  public CompiledExpression compileCondition(String text) {
    return expression(text, program(text, true));
  }

  private CompiledExpression expression(String text, Program program) {
    return new CompiledExpression(text.strip(), columns, program.rex, program.function);
  }

  private Program program(String text, boolean condition) {
    Source source = new Source(text.strip(), scope, condition);
    Program known = PROGRAMS.get(source);
    if (known == null) {
      RexNode rex = checked(text);
      if (condition) {
        checkCondition(text, rex);
      }
      known = compiled(text, rex);
      PROGRAMS.put(source, known);
    }
    return known;
  }

  private static void checkCondition(String text, RexNode rex) {
    if (rex.getType().getSqlTypeName() != SqlTypeName.BOOLEAN) {
      throw mistake(
          SqlParserPos.ZERO,
          "`" + text.strip() + "` is not a condition: it is true or false of no row",
          "compare it with something, as in: " + text.strip() + " = 1");
    }
  }

  private RexNode checked(String expression) {
    MySqlText text = new MySqlText(expression, columns, PARSER);
    SqlNode parsed = parse(text);
    List<SqlMistake> mistakes = new ArrayList<>();
    SqlNode resolved = new ExpressionRules(scope, suggester, mistakes).resolve(parsed);
    if (!mistakes.isEmpty()) {
      throw new SqlException(mistakes.stream().map(mistake -> original(mistake, text)).toList());
    }
    try {
      return RexRules.apply(convert(resolved), rexBuilder);
    } catch (CalciteContextException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new SqlException(
          List.of(
              original(
                  new SqlMistake(
                      e.getPosLine(),
                      e.getPosColumn(),
                      message(cause),
                      "bring both to one type with CAST, or call another function"),
                  text)));
    } catch (SqlException e) {
      throw e;
    } catch (RuntimeException | AssertionError e) {
      // Calcite has its own bugs, which must not look like ours, nor like the database's.
      throw mistake(
          SqlParserPos.ZERO,
          "`" + expression.strip() + "` cannot be compiled: " + message(e),
          "write it in other words");
    }
  }

  private static SqlMistake original(SqlMistake mistake, MySqlText text) {
    int[] at = text.original(mistake.line(), mistake.column());
    return new SqlMistake(at[0], at[1], mistake.what(), mistake.remedy());
  }

  private static SqlNode parse(MySqlText text) {
    try {
      return text.parse();
    } catch (MySqlText.Unreadable e) {
      throw new SqlException(
          List.of(
              new SqlMistake(
                  e.line,
                  e.column,
                  "not an SQL expression: " + whatIsUnreadable(e),
                  "texts stand in 'single quotes', and names that are SQL's own words in"
                      + " `backticks`")));
    }
  }

  static String whatIsUnreadable(MySqlText.Unreadable e) {
    String message = message(e);
    int expected = message.indexOf("Was expecting");
    String what = (expected < 0 ? message : message.substring(0, expected)).strip();
    // The parser names its position in the message too.
    return what.replaceFirst(" at line \\d+, column \\d+\\.?$", "");
  }

  private RexNode convert(SqlNode expression) {
    SqlOperatorTable functions = MySqlFunctions.TABLE;
    CalciteCatalogReader noTables =
        new CalciteCatalogReader(CalciteSchema.createRootSchema(false), List.of(), types, NO_CASE);
    SqlValidator.Config rules =
        SqlValidator.Config.DEFAULT.withConformance(SqlConformanceEnum.MYSQL_5);
    SqlValidator validator = new Validator(functions, noTables, types, rules);
    SqlNode validated = validator.validateParameterizedExpression(expression, typeByName);
    RelOptCluster cluster =
        RelOptCluster.create(new HepPlanner(HepProgram.builder().build()), rexBuilder);
    return new SqlToRelConverter(
            null,
            validator,
            noTables,
            cluster,
            StandardConvertletTable.INSTANCE,
            SqlToRelConverter.config().withInSubQueryThreshold(Integer.MAX_VALUE))
        .convertExpression(validated, columnByName);
  }

  private Program compiled(String text, RexNode rex) {
    try {
      Program program =
          new Program(
              rex, RexExecutorImpl.getExecutable(rexBuilder, List.of(rex), rowType).getFunction());
      // Refuses what has no value in BSON.
      expression(text, program);
      return program;
    } catch (IllegalArgumentException e) {
      throw mistake(
          SqlParserPos.ZERO, message(e), "compute a number, a text, a date or a condition");
    } catch (RuntimeException | AssertionError e) {
      throw mistake(
          SqlParserPos.ZERO,
          "`" + text.strip() + "` cannot be compiled: " + message(e),
          "write it in other words");
    }
  }

  private RelDataType calciteType(SqlType type) {
    RelDataType plain =
        switch (type.kind()) {
          case BOOLEAN -> types.createSqlType(SqlTypeName.BOOLEAN);
          case INTEGER -> types.createSqlType(SqlTypeName.BIGINT);
          case DECIMAL -> types.createSqlType(SqlTypeName.DECIMAL, type.precision(), type.scale());
          case DOUBLE -> types.createSqlType(SqlTypeName.DOUBLE);
          case TEXT -> types.createSqlType(SqlTypeName.VARCHAR);
          case DATE -> types.createSqlType(SqlTypeName.DATE);
          case DATETIME -> types.createSqlType(SqlTypeName.TIMESTAMP, 3);
          case BYTES -> types.createSqlType(SqlTypeName.VARBINARY);
          case OTHER -> types.createSqlType(SqlTypeName.OTHER);
        };
    return types.createTypeWithNullability(plain, true);
  }

  static SqlException mistake(SqlParserPos at, String what, String remedy) {
    return new SqlException(List.of(mistakeAt(at, what, remedy)));
  }

  static SqlMistake mistakeAt(SqlParserPos at, String what, String remedy) {
    return new SqlMistake(
        Math.max(1, at.getLineNum()), Math.max(1, at.getColumnNum()), what, remedy);
  }

  private static String message(Throwable e) {
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    String first = message.lines().findFirst().orElse("").strip();
    return first.toLowerCase(Locale.ROOT).startsWith("while compiling") && e.getCause() != null
        ? message(e.getCause())
        : first;
  }

  /** Decimals as long as any database's, and texts that are not padded to equal lengths. */
  private static final class Types extends RelDataTypeSystemImpl {
    private static final int MAX_SCALE = 60;

    @Override
    public int getMaxPrecision(SqlTypeName type) {
      return type == SqlTypeName.DECIMAL ? SqlType.MAX_PRECISION : super.getMaxPrecision(type);
    }

    @Override
    public int getMaxScale(SqlTypeName type) {
      return type == SqlTypeName.DECIMAL ? MAX_SCALE : super.getMaxScale(type);
    }

    @Override
    public boolean shouldConvertRaggedUnionTypesToVarying() {
      return true;
    }

    @Override
    public java.math.RoundingMode roundingMode() {
      return java.math.RoundingMode.HALF_UP;
    }
  }

  private static final class TypeFactory extends JavaTypeFactoryImpl {
    TypeFactory() {
      super(TYPES);
    }

    @Override
    public Charset getDefaultCharset() {
      return StandardCharsets.UTF_8;
    }
  }

  private static final class Validator extends SqlValidatorImpl {
    Validator(
        SqlOperatorTable functions,
        SqlValidatorCatalogReader tables,
        RelDataTypeFactory types,
        Config config) {
      super(functions, tables, types, config);
    }
  }

  @Nullable
  static SqlColumn find(String name, List<SqlColumn> columns) {
    SqlColumn found = null;
    for (SqlColumn column : columns) {
      if (column.name().equals(name)) {
        return column;
      }
      if (found == null && column.name().equalsIgnoreCase(name)) {
        found = column;
      }
    }
    return found;
  }
}
