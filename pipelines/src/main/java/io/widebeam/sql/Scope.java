package io.widebeam.sql;

import java.util.List;

/**
 * The columns that names in expressions may mean.
 *
 * @param columns all of them; where they are of several tables, each under its table's name, a dot
 *     and its own
 * @param table by which name the one table may be called; empty for none
 * @param qualified whether the columns' names begin with those of their tables
 */
record Scope(List<SqlColumn> columns, String table, boolean qualified) {
  Scope {
    columns = List.copyOf(columns);
  }

  /** Every column that a name may mean: none, one, or several of which one has to be told. */
  List<SqlColumn> find(List<String> name) {
    SqlColumn whole = SqlExpressions.find(String.join(".", name), columns);
    if (whole != null) {
      return List.of(whole);
    }
    if (name.size() == 2 && name.get(0).equalsIgnoreCase(table)) {
      SqlColumn column = SqlExpressions.find(name.get(1), columns);
      return column == null ? List.of() : List.of(column);
    }
    if (qualified && name.size() == 1) {
      return columns.stream()
          .filter(column -> unqualified(column).equalsIgnoreCase(name.get(0)))
          .toList();
    }
    return List.of();
  }

  /** The names that a column can have, for remedies about one that is wrong. */
  List<String> names(String wrong) {
    boolean ofTable = wrong.indexOf('.') >= 0;
    return columns.stream()
        .map(column -> qualified && !ofTable ? unqualified(column) : column.name())
        .distinct()
        .toList();
  }

  boolean hasName(String name) {
    return !find(List.of(name)).isEmpty();
  }

  private static String unqualified(SqlColumn column) {
    return column.name().substring(column.name().indexOf('.') + 1);
  }
}
