package io.widebeam.flow;

import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlType;
import io.widebeam.view.ViewNode.Embedding;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The fields of a view's documents as columns of rows: those of objects under their dotted paths,
 * and those of an array's elements where the array is unwound.
 */
final class DocumentColumns {
  private final Function<TableRef, TableDescription> tables;
  private final String unwind;
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final List<List<String>> arrays = new ArrayList<>();
  private final List<String> allArrays = new ArrayList<>();
  private boolean unwound;

  /**
   * A column.
   *
   * @param level 0 for a field of the document itself, 1 for one of an element of the first array
   *     that is unwound, and so on
   * @param path the field names that lead to the value, from the document or the element
   */
  record Column(String name, SqlType sql, ColumnType type, int level, List<String> path)
      implements Serializable {
    Column {
      path = List.copyOf(path);
    }
  }

  private DocumentColumns(Function<TableRef, TableDescription> tables, String unwind) {
    this.tables = tables;
    this.unwind = unwind;
  }

  /**
   * The columns of a view's documents.
   *
   * @param unwind the array to unwind, and those around it
   * @param tables describes the view's tables, which are all there
   */
  static DocumentColumns of(
      ViewTree root, Optional<String> unwind, Function<TableRef, TableDescription> tables) {
    DocumentColumns documents = new DocumentColumns(tables, unwind.orElse(""));
    documents.unwound = unwind.isEmpty();
    documents.add(root, 0, List.of(), "");
    return documents;
  }

  List<Column> columns() {
    return List.copyOf(columns.values());
  }

  List<SqlColumn> sqlColumns() {
    return columns.values().stream()
        .map(column -> new SqlColumn(column.name(), column.sql()))
        .toList();
  }

  Column column(String name) {
    return columns.get(name);
  }

  /** The path to each array that is unwound, from the document or an element of the one before. */
  List<List<String>> arrays() {
    return arrays;
  }

  /** Whether the array to unwind is one. */
  boolean isUnwound() {
    return unwound;
  }

  /** All arrays that documents have, by their dotted paths. */
  List<String> allArrays() {
    return allArrays;
  }

  private void add(ViewTree node, int level, List<String> path, String prefix) {
    TableDescription table = tables.apply(node.table());
    Map<String, SqlType> sql = FlatTables.sqlTypes(node, table);
    FlatTables.fields(node, table)
        .forEach(
            (field, type) -> {
              List<String> fieldPath = new ArrayList<>(path);
              fieldPath.add(field);
              String name = prefix + field;
              SqlType known = sql.getOrDefault(field, SqlType.OTHER);
              // A merged row's fields give way to those that are there.
              columns.putIfAbsent(name, new Column(name, known, type, level, fieldPath));
            });
    Stream.concat(
            node.lookups().stream().filter(lookup -> lookup.path().isEmpty()),
            node.lookups().stream().filter(lookup -> !lookup.path().isEmpty()))
        .forEach(lookup -> addLookup(lookup, level, path, prefix));
  }

  private void addLookup(ViewTree lookup, int level, List<String> path, String prefix) {
    List<String> lookupPath = new ArrayList<>(path);
    lookupPath.addAll(lookup.path());
    if (lookup.path().isEmpty()) {
      add(lookup, level, lookupPath, prefix);
      return;
    }
    String name = prefix + String.join(".", lookup.path());
    if (lookup.embedding() != Embedding.ARRAY) {
      add(lookup, level, lookupPath, name + ".");
      return;
    }
    allArrays.add(name);
    unwound |= unwind.equals(name);
    if (unwind.equals(name) || unwind.startsWith(name + ".")) {
      arrays.add(lookupPath);
      add(lookup, level + 1, List.of(), name + ".");
    }
  }
}
