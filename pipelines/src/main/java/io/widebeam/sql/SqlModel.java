package io.widebeam.sql;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.calcite.sql.JoinConditionType;
import org.apache.calcite.sql.JoinType;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlJoin;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlOrderBy;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlWith;
import org.apache.calcite.sql.parser.SqlParserPos;

/**
 * A dbt model: one {@code SELECT} over tables that are joined, or over another model, grouped or
 * not. What is said here of a model follows from its text alone; {@link #bind} holds it against the
 * columns of what it reads.
 */
public final class SqlModel {

  /** How a table is named. */
  public enum Naming {
    /** By its name as in any SQL. */
    TABLE,
    /** As another model: {@code {{ ref('name') }}}. */
    REF,
    /** As a table of a source: {@code {{ source('qualifier', 'name') }}}. */
    SOURCE
  }

  /**
   * Something that is read.
   *
   * @param alias what the model calls it
   * @param qualifier what stands before the name: a schema, or a connection; empty for nothing
   * @param required whether rows without a match are left out, as an {@code INNER JOIN} does
   * @param line where it is named, from 1
   * @param column where in the line, from 1
   */
  public record Relation(
      String alias,
      Naming naming,
      String qualifier,
      String name,
      boolean required,
      int line,
      int column) {
    public Relation {
      Objects.requireNonNull(alias, "alias");
      Objects.requireNonNull(naming, "naming");
      Objects.requireNonNull(qualifier, "qualifier");
      Objects.requireNonNull(name, "name");
    }
  }

  /**
   * A column of the result as it is written.
   *
   * @param name null where there is none, as of {@code *}
   */
  record Item(@Nullable String name, SqlNode value) {}

  private final String file;
  private final ModelTemplate template;
  private final MySqlText text;
  private final List<SqlMistake> mistakes;
  private final List<Relation> relations = new ArrayList<>();
  private final List<SqlNode> conditions = new ArrayList<>();
  private final List<Item> items = new ArrayList<>();
  private final List<SqlNode> groupKeys = new ArrayList<>();
  @Nullable private SqlNode where;
  @Nullable private SqlNode having;
  private boolean grouping;

  private SqlModel(String file) {
    this.file = file;
    this.mistakes = new ArrayList<>();
    this.template = ModelTemplate.of(file, mistakes);
    this.text = new MySqlText(template.sql(), List.of(), SqlExpressions.PARSER);
  }

  /**
   * Reads a model.
   *
   * @throws SqlException if it is none that is supported; names every mistake
   */
  public static SqlModel parse(String file) {
    SqlModel model = new SqlModel(file);
    // Where templating cannot be read, the SQL around it cannot be either.
    if (model.mistakes.isEmpty()) {
      if (model.template.sql().isBlank()) {
        model.report(0, "there is no SELECT", "a model is one SELECT");
      } else {
        model.read();
      }
    }
    if (!model.mistakes.isEmpty()) {
      throw new SqlException(ModelTemplate.sorted(model.mistakes));
    }
    return model;
  }

  /** Whether the model is for others to build on and has no table of its own. */
  public boolean isEphemeral() {
    return template.ephemeral();
  }

  /** What the model's table is to be called, if not like the model. */
  public Optional<String> alias() {
    return template.alias();
  }

  /** Whether the rows are groups. */
  public boolean isGrouping() {
    return grouping;
  }

  /** What is read: the root first, then what is joined to it. */
  public List<Relation> relations() {
    return List.copyOf(relations);
  }

  /**
   * Holds the model against what it reads.
   *
   * @param columns of each relation
   * @param tables whether the relations are tables, rather than the one a model or a view
   * @throws SqlException if something is not there, or is not supported; names every mistake
   */
  public BoundModel bind(
      List<List<SqlColumn>> columns, boolean tables, SqlExpressions.Suggester suggester) {
    return new ModelBinder(this, columns, tables, suggester).bind();
  }

  List<Item> items() {
    return items;
  }

  List<SqlNode> groupKeys() {
    return groupKeys;
  }

  /** The {@code ON} of each relation; null for the root's. */
  List<SqlNode> conditions() {
    return conditions;
  }

  @Nullable
  SqlNode where() {
    return where;
  }

  @Nullable
  SqlNode having() {
    return having;
  }

  /** The text in which nodes have their positions. */
  String parsedText() {
    return text.text();
  }

  /** A mistake at a position of the text as it was parsed. */
  SqlMistake mistake(int line, int column, String what, String remedy) {
    int[] at = text.original(line, column);
    return new SqlMistake(at[0], at[1], what, remedy);
  }

  SqlMistake mistake(SqlNode node, String what, String remedy) {
    SqlParserPos at = node.getParserPosition();
    return mistake(at.getLineNum(), at.getColumnNum(), what, remedy);
  }

  static SqlMistake mistakeAt(String text, int offset, String what, String remedy) {
    int line = 1 + (int) text.substring(0, offset).chars().filter(c -> c == '\n').count();
    return new SqlMistake(line, offset - text.lastIndexOf('\n', offset - 1), what, remedy);
  }

  private void report(int offset, String what, String remedy) {
    mistakes.add(mistakeAt(file, offset, what, remedy));
  }

  private void report(SqlNode node, String what, String remedy) {
    mistakes.add(mistake(node, what, remedy));
  }

  private void read() {
    SqlNode statement;
    try {
      statement = text.parseStatement();
    } catch (MySqlText.Unreadable e) {
      mistakes.add(
          new SqlMistake(
              e.line,
              e.column,
              "not an SQL statement: " + SqlExpressions.whatIsUnreadable(e),
              "texts stand in 'single quotes', and names that are SQL's own words in"
                  + " `backticks`"));
      return;
    }
    if (statement instanceof SqlOrderBy ordered) {
      if (!ordered.orderList.isEmpty()) {
        report(
            ordered.orderList,
            "ORDER BY is not supported: a table's rows have no order",
            "leave it out, and order the rows when reading them");
      }
      SqlNode limit = ordered.fetch == null ? ordered.offset : ordered.fetch;
      if (limit != null) {
        report(limit, "LIMIT is not supported", "leave it out, and limit the rows when reading");
      }
      statement = ordered.query;
    }
    if (statement instanceof SqlWith with) {
      report(
          with,
          "WITH is not supported",
          "write the query behind it into a file of its own, materialized='ephemeral', and name it"
              + " by {{ ref('…') }}");
    } else if (statement.isA(SqlKind.SET_QUERY)) {
      report(
          ((SqlCall) statement).operand(1),
          statement.getKind() + " is not supported",
          "write a model for each of the queries");
    } else if (statement instanceof SqlSelect select) {
      read(select);
    } else {
      report(statement, "a model is a SELECT, not " + statement.getKind(), "write a SELECT");
    }
  }

  private void read(SqlSelect select) {
    if (select.getFrom() == null) {
      report(select, "there is no FROM", "name the table to read");
      return;
    }
    if (!select.getWindowList().isEmpty()) {
      report(
          select.getWindowList(), "a window function is not supported", "group the rows instead");
    }
    if (select.getQualify() != null) {
      report(select.getQualify(), "QUALIFY is not supported", "leave it out");
    }
    readFrom(select.getFrom());
    Set<String> aliases = new HashSet<>();
    for (Relation relation : relations) {
      if (!aliases.add(relation.alias().toLowerCase(Locale.ROOT))) {
        mistakes.add(
            new SqlMistake(
                relation.line(),
                relation.column(),
                "two tables are called `" + relation.alias() + "`",
                "give one another name: " + relation.name() + " AS other"));
      }
    }
    ModelShape shape = new ModelShape(this, mistakes);
    boolean aggregates = false;
    for (SqlNode item : select.getSelectList()) {
      Item read = item(item);
      items.add(read);
      aggregates |= shape.check(read.value(), true);
    }
    if (select.getWhere() != null) {
      where = select.getWhere();
      shape.check(where, false);
    }
    for (SqlNode condition : conditions) {
      if (condition != null) {
        shape.check(condition, false);
      }
    }
    if (select.getHaving() != null) {
      having = select.getHaving();
      shape.check(having, true);
    }
    SqlNodeList groups = select.getGroup();
    if (groups != null) {
      for (SqlNode group : groups) {
        if (group.getKind() == SqlKind.ROLLUP
            || group.getKind() == SqlKind.CUBE
            || group.getKind() == SqlKind.GROUPING_SETS) {
          report(
              group,
              group.getKind().toString().replace('_', ' ') + " is not supported",
              "write a model for each of the groupings");
        } else if (group instanceof SqlNodeList) {
          report(group, "GROUP BY takes expressions", "leave the brackets out");
        } else {
          groupKeys.add(group);
          shape.check(group, false);
        }
      }
    }
    grouping = groups != null || having != null || aggregates || select.isDistinct();
    if (select.isDistinct()) {
      if (groups != null || having != null || aggregates) {
        report(select, "DISTINCT of groups is not supported", "leave it out");
      }
      items.forEach(item -> groupKeys.add(item.value()));
    }
  }

  private Item item(SqlNode node) {
    if (node.getKind() == SqlKind.AS) {
      SqlCall as = (SqlCall) node;
      return new Item(((SqlIdentifier) as.operand(1)).getSimple(), as.operand(0));
    }
    if (node instanceof SqlIdentifier name) {
      return new Item(name.isStar() ? null : name.names.get(name.names.size() - 1), node);
    }
    if (!ModelShape.isWindow(node)) {
      report(node, "the column has no name", "give it one: ... AS name");
    }
    return new Item(null, node);
  }

  private void readFrom(SqlNode from) {
    if (!(from instanceof SqlJoin join)) {
      addRelation(from, false, null);
      return;
    }
    readFrom(join.getLeft());
    String remedy = "write LEFT JOIN ... ON ..., or INNER JOIN ... ON ...";
    JoinType type = join.getJoinType();
    SqlNode on = join.getConditionType() == JoinConditionType.ON ? join.getCondition() : null;
    SqlNode right = join.getRight();
    if (type == JoinType.COMMA) {
      report(right, "a comma between tables is not supported", remedy);
    } else if (type != JoinType.LEFT && type != JoinType.INNER) {
      report(
          right,
          type + " JOIN is not supported",
          type == JoinType.RIGHT ? "write the tables the other way round, with LEFT JOIN" : remedy);
    } else if (join.isNatural()) {
      report(right, "NATURAL JOIN is not supported", remedy);
    } else if (join.getConditionType() == JoinConditionType.USING) {
      report(right, "USING is not supported", "write the condition: ON a.id = b.id");
    } else if (on == null) {
      report(right, "the join has no condition", "add one: ON a.id = b.id");
    }
    addRelation(right, type == JoinType.INNER, on);
  }

  private void addRelation(SqlNode node, boolean required, @Nullable SqlNode on) {
    SqlNode named = node;
    String alias = null;
    if (node.getKind() == SqlKind.AS) {
      SqlBasicCall as = (SqlBasicCall) node;
      if (as.operandCount() > 2) {
        report(node, "new names for a table's columns are not supported", "name them in SELECT");
      }
      named = as.operand(0);
      alias = ((SqlIdentifier) as.operand(1)).getSimple();
    }
    if (named.getKind() == SqlKind.TABLE_REF) {
      named = ((SqlCall) named).operand(0);
    }
    if (!(named instanceof SqlIdentifier name)) {
      if (named.isA(SqlKind.QUERY) || named.getKind() == SqlKind.WITH) {
        report(
            named,
            "a subquery is not supported",
            "write it into a file of its own, materialized='ephemeral', and name it by"
                + " {{ ref('…') }}");
      } else if (named instanceof SqlJoin) {
        report(named, "a join in brackets is not supported", "write the joins one after another");
      } else {
        report(named, named.getKind() + " in FROM is not supported", "name a table");
      }
      return;
    }
    int[] at =
        text.original(
            name.getParserPosition().getLineNum(), name.getParserPosition().getColumnNum());
    String last = name.names.get(name.names.size() - 1);
    String before = String.join(".", name.names.subList(0, name.names.size() - 1));
    ModelTemplate.Named meant =
        template
            .namedAt(offset(at[0], at[1]))
            .orElse(new ModelTemplate.Named(Naming.TABLE, before, last));
    relations.add(
        new Relation(
            alias == null ? last : alias,
            meant.naming(),
            meant.qualifier(),
            meant.name(),
            required,
            at[0],
            at[1]));
    conditions.add(on);
  }

  private int offset(int line, int column) {
    int start = 0;
    for (int i = 1; i < line; i++) {
      start = file.indexOf('\n', start) + 1;
    }
    return start + column - 1;
  }
}
