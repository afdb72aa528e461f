package io.widebeam.flow;

import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Lays a view's documents out as the rows of a table: the root's columns under their own names,
 * those of lookups with the lookup's path before them, and one row for each element of the view's
 * arrays.
 */
final class FlatTables {
  /** What Postgres has room for; MySQL has for one more. */
  private static final int LONGEST_NAME_BYTES = 63;

  private final Function<TableRef, TableDescription> tables;
  private final ViewTree.Reporter reporter;
  private final List<Column> columns = new ArrayList<>();
  private final List<UnwoundArray> arrays = new ArrayList<>();

  /** The array of each level of the chain. */
  private final List<ViewTree> unwound = new ArrayList<>();

  /** Where each column's name comes from: databases differ in whether upper case counts. */
  private final Map<String, String> origins = new HashMap<>();

  private boolean correct = true;

  private FlatTables(Function<TableRef, TableDescription> tables, ViewTree.Reporter reporter) {
    this.tables = tables;
    this.reporter = reporter;
  }

  /**
   * The table for a view's documents; empty if there is none, which is reported.
   *
   * @param tables describes the view's tables, which are all there
   */
  static Optional<FlatTable> of(
      View view,
      ViewTree root,
      String name,
      Function<TableRef, TableDescription> tables,
      ViewTree.Reporter reporter) {
    FlatTables layout = new FlatTables(tables, reporter);
    layout.origins.put(view.versionField().toLowerCase(Locale.ROOT), "the version of a row");
    List<String> key = view.key().isEmpty() ? tables.apply(root.table()).primaryKey() : view.key();
    layout.addHiddenKey(root, key);
    layout.add(root, 0, List.of(), "");
    if (!layout.arrays.isEmpty()) {
      layout.checkName(root, FlatTable.ROW_KEY, "the key of a row");
    }
    if (!layout.correct) {
      return Optional.empty();
    }
    return Optional.of(
        new FlatTable(
            name,
            layout.columns,
            key.stream().map(column -> fieldName(column, root)).toList(),
            layout.arrays,
            view.versionField()));
  }

  /**
   * Adds a node's columns and those below it.
   *
   * @param level how many arrays are around the node
   * @param path from the document, or from the innermost array's element, to the node's row
   * @param prefix of the columns' names
   */
  private void add(ViewTree node, int level, List<String> path, String prefix) {
    fields(node, tables.apply(node.table()))
        .forEach(
            (field, type) -> {
              List<String> fieldPath = below(path, field);
              boolean hidden =
                  columns.stream()
                      .anyMatch(other -> other.level() == level && other.path().equals(fieldPath));
              // A merged row's fields give way to those that are there.
              if (!hidden) {
                addColumn(node, prefix + field, type, level, fieldPath);
              }
            });
    // Merged rows first: they are part of this one.
    Stream.concat(
            node.lookups().stream().filter(lookup -> lookup.path().isEmpty()),
            node.lookups().stream().filter(lookup -> !lookup.path().isEmpty()))
        .forEach(lookup -> addLookup(lookup, level, path, prefix));
  }

  /** Documents may leave their key out, but a table's rows have it. */
  private void addHiddenKey(ViewTree root, List<String> key) {
    for (ColumnDefinition column : tables.apply(root.table()).definitions()) {
      if (key.contains(column.name()) && !NodeRows.shows(column.name(), root.options())) {
        addColumn(root, column.name(), column.type(), 0, List.of(column.name()));
      }
    }
  }

  /** The fields of a node's rows, with what they hold, in order. */
  static Map<String, ColumnType> fields(ViewTree node, TableDescription table) {
    Map<String, ColumnType> types = new HashMap<>();
    table.definitions().forEach(column -> types.put(fieldName(column.name(), node), column.type()));
    node.options()
        .computed()
        .forEach((field, expression) -> types.put(field, typeOf(expression, table)));
    Map<String, ColumnType> fields = new LinkedHashMap<>();
    for (String field : NodeRows.shownFields(table.columns(), node.options())) {
      fields.put(field, types.getOrDefault(field, ColumnType.text(0)));
    }
    return fields;
  }

  /** What SQL expressions know of the fields of a node's rows. */
  static Map<String, SqlType> sqlTypes(ViewTree node, TableDescription table) {
    Map<String, SqlType> types = new HashMap<>();
    table.types().forEach((column, type) -> types.put(fieldName(column, node), type));
    node.options()
        .computed()
        .forEach(
            (field, expression) ->
                types.put(
                    field,
                    expression instanceof NodeOptions.Sql sql
                        ? compile(sql, table).type()
                        : SqlType.OTHER));
    return types;
  }

  private static CompiledExpression compile(NodeOptions.Sql sql, TableDescription table) {
    return NodeRows.expressions(table.id().name(), table.sqlColumns()).compile(sql.text());
  }

  /** How documents call a column, or would if they had it. */
  private static String fieldName(String column, ViewTree node) {
    return NodeRows.shows(column, node.options())
        ? node.options().rename().getOrDefault(column, column)
        : column;
  }

  private static ColumnType typeOf(NodeOptions.Expression expression, TableDescription table) {
    if (!(expression instanceof NodeOptions.Sql sql)) {
      return ColumnType.text(0);
    }
    return columnType(compile(sql, table).kind());
  }

  /** What holds every value of that kind. */
  static ColumnType columnType(SqlType.Kind kind) {
    return switch (kind) {
      case BOOLEAN -> ColumnType.of(Kind.BOOLEAN);
      case INTEGER -> ColumnType.of(Kind.INT64);
      case DECIMAL -> ColumnType.decimal(0, 0);
      case DOUBLE -> ColumnType.of(Kind.FLOAT64);
      case TEXT -> ColumnType.text(0);
      case DATE -> ColumnType.of(Kind.DATE);
      case DATETIME -> ColumnType.of(Kind.TIMESTAMP);
      case BYTES -> ColumnType.binary(0);
      case OTHER -> ColumnType.of(Kind.JSON);
    };
  }

  private void addLookup(ViewTree lookup, int level, List<String> path, String prefix) {
    List<String> lookupPath = new ArrayList<>(path);
    lookupPath.addAll(lookup.path());
    String lookupPrefix =
        lookup.path().isEmpty() ? prefix : prefix + String.join("_", lookup.path()) + "_";
    switch (lookup.embedding()) {
      case ROOT -> throw new IllegalArgumentException("a root is nobody's lookup");
      case MERGED, OBJECT -> add(lookup, level, lookupPath, lookupPrefix);
      case ARRAY -> {
        if (arrays.size() > level) {
          ViewTree other = unwound.get(level);
          report(
              lookup.part(),
              "a flat table cannot unwind both `"
                  + other.table()
                  + "` and `"
                  + lookup.table()
                  + "`: its rows would be every pair of their rows",
              "write them to two tables, with a view each");
          return;
        }
        List<String> key = tables.apply(lookup.table()).primaryKey();
        for (String column : key) {
          if (!NodeRows.shows(column, lookup.options())) {
            report(
                lookup.part(),
                "the rows of a flat table are told apart by `"
                    + column
                    + "` of `"
                    + lookup.table()
                    + "`, which is left out",
                "keep the column; it may be renamed");
          }
        }
        arrays.add(
            new UnwoundArray(
                lookupPath, key.stream().map(column -> fieldName(column, lookup)).toList()));
        unwound.add(lookup);
        add(lookup, level + 1, List.of(), lookupPrefix);
      }
    }
  }

  private void addColumn(
      ViewTree node, String name, ColumnType type, int level, List<String> path) {
    if (checkName(node, name, "`" + path.get(path.size() - 1) + "` of `" + node.table() + "`")) {
      columns.add(new Column(name, type, level, path));
    }
  }

  private boolean checkName(ViewTree node, String name, String origin) {
    String other = origins.putIfAbsent(name.toLowerCase(Locale.ROOT), origin);
    if (other != null) {
      report(
          node.part(),
          "two columns of the flat table would be called `"
              + name
              + "`: "
              + other
              + ", and "
              + origin,
          "rename one of them, or choose another path");
      return false;
    }
    if (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME_BYTES) {
      report(
          node.part(),
          "the column name `" + name + "` is longer than databases allow",
          "choose a shorter path, or rename the column");
      return false;
    }
    return true;
  }

  private void report(String part, String what, String remedy) {
    correct = false;
    reporter.report(part, what, remedy);
  }

  private static List<String> below(List<String> path, String field) {
    List<String> longer = new ArrayList<>(path);
    longer.add(field);
    return longer;
  }
}
