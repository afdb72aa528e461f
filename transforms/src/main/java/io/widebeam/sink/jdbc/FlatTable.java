package io.widebeam.sink.jdbc;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A table, and where in a document its columns' values are.
 *
 * <p>Without arrays, a document is one row, and the table's primary key is the document's key. With
 * a chain of arrays (an array of the document, an array in its elements, and so on) a document is
 * one row for each of the innermost elements; where an array is empty or missing there is one row
 * with nulls in the columns below, as a {@code LEFT JOIN} gives. Its elements' keys may then be
 * null, so the primary key is a column of its own, {@link #ROW_KEY}, with the keys as one text; the
 * document's key has an index.
 *
 * <p>The rows of groups are told apart in the same way, since a group's fields may be null: see
 * {@link #ofGroups}.
 *
 * @param name the table's name, after its schema's and a dot if it is not in the usual one
 * @param columns the columns, but for those that Widebeam adds: the version's and the row key's
 * @param documentKey the document's fields that make up its key, in the order of a composite key's
 *     fields; each has a column
 * @param arrays the chain of arrays to unwind; empty for one row for each document
 * @param versionColumn the column that guards a row against older writes
 * @param hasNullableKey whether fields of the document's key may be null
 */
public record FlatTable(
    String name,
    List<Column> columns,
    List<String> documentKey,
    List<UnwoundArray> arrays,
    String versionColumn,
    boolean hasNullableKey)
    implements Serializable {

  /** The primary key's column in a table of unwound documents. */
  public static final String ROW_KEY = "_key";

  /** The version's column if no other is chosen. */
  public static final String DEFAULT_VERSION_COLUMN = "_version";

  /**
   * A column.
   *
   * @param level 0 for a value of the document itself, 1 for one of an element of the first array
   *     of the chain, and so on
   * @param path the field names that lead to the value, from the document or the element
   */
  public record Column(String name, ColumnType type, int level, List<String> path)
      implements Serializable {
    public Column {
      Objects.requireNonNull(name, "name");
      Objects.requireNonNull(type, "type");
      path = List.copyOf(path);
      if (path.isEmpty()) {
        throw new IllegalArgumentException("column " + name + " needs a path");
      }
    }

    /** The column of a field of the document itself. */
    public static Column of(String name, ColumnType type) {
      return new Column(name, type, 0, List.of(name));
    }
  }

  /**
   * An array to unwind.
   *
   * @param path the field names that lead to it, from the document, or from an element of the array
   *     before it in the chain
   * @param elementKey the fields that tell an element from the others of its array
   */
  public record UnwoundArray(List<String> path, List<String> elementKey) implements Serializable {
    public UnwoundArray {
      path = List.copyOf(path);
      elementKey = List.copyOf(elementKey);
      if (path.isEmpty() || elementKey.isEmpty()) {
        throw new IllegalArgumentException("an array to unwind needs a path and an element key");
      }
    }
  }

  public FlatTable {
    Objects.requireNonNull(name, "name");
    columns = List.copyOf(columns);
    documentKey = List.copyOf(documentKey);
    arrays = List.copyOf(arrays);
    Objects.requireNonNull(versionColumn, "versionColumn");
    Set<String> names = new HashSet<>();
    names.add(versionColumn);
    if (hasNullableKey && !arrays.isEmpty()) {
      throw new IllegalArgumentException("table " + name + " unwinds documents without a key");
    }
    if (hasNullableKey || !arrays.isEmpty()) {
      names.add(ROW_KEY);
    }
    for (Column column : columns) {
      if (!names.add(column.name())) {
        throw new IllegalArgumentException("table " + name + " has two columns " + column.name());
      }
      if (column.level() > arrays.size()) {
        throw new IllegalArgumentException("column " + column.name() + " is in no array");
      }
    }
    if (documentKey.isEmpty() && !hasNullableKey) {
      throw new IllegalArgumentException("table " + name + " needs a key");
    }
    for (String field : documentKey) {
      if (columns.stream().noneMatch(column -> isKeyField(column, field))) {
        throw new IllegalArgumentException(
            "table " + name + " has no column for the key field " + field);
      }
    }
  }

  /** A table whose documents' keys are never null. */
  public FlatTable(
      String name,
      List<Column> columns,
      List<String> documentKey,
      List<UnwoundArray> arrays,
      String versionColumn) {
    this(name, columns, documentKey, arrays, versionColumn, false);
  }

  /**
   * A table of groups, each one row.
   *
   * @param groupFields the fields that tell groups apart; none for one group of everything
   */
  public static FlatTable ofGroups(String name, List<Column> columns, List<String> groupFields) {
    return new FlatTable(name, columns, groupFields, List.of(), DEFAULT_VERSION_COLUMN, true);
  }

  /** A table of whole documents, each one row. */
  public static FlatTable of(String name, List<Column> columns, List<String> documentKey) {
    return new FlatTable(name, columns, documentKey, List.of(), DEFAULT_VERSION_COLUMN);
  }

  /** Whether a document may be several rows. */
  public boolean isUnwound() {
    return !arrays.isEmpty();
  }

  /** Whether the primary key is {@link #ROW_KEY}, rather than the document's key itself. */
  public boolean hasRowKey() {
    return isUnwound() || hasNullableKey;
  }

  /** The columns of the document's key, in key order. */
  public List<Column> documentKeyColumns() {
    return documentKey.stream().map(field -> columns.get(indexOfKeyField(field))).toList();
  }

  /** The columns that are indexed and never null. */
  List<Column> indexedColumns() {
    return hasNullableKey ? List.of() : documentKeyColumns();
  }

  /** The names of the primary key's columns. */
  public List<String> primaryKey() {
    return hasRowKey()
        ? List.of(ROW_KEY)
        : documentKeyColumns().stream().map(Column::name).toList();
  }

  /** This table with more columns at its end. */
  public FlatTable withColumns(List<Column> more) {
    List<Column> all = new ArrayList<>(columns);
    all.addAll(more);
    return withOnly(all);
  }

  /** This table with other columns. */
  FlatTable withOnly(List<Column> others) {
    return new FlatTable(name, others, documentKey, arrays, versionColumn, hasNullableKey);
  }

  /** Which of the columns hold the document's key, in key order. */
  int[] documentKeyIndexes() {
    return documentKey.stream().mapToInt(this::indexOfKeyField).toArray();
  }

  private int indexOfKeyField(String field) {
    return IntStream.range(0, columns.size())
        .filter(i -> isKeyField(columns.get(i), field))
        .findFirst()
        .orElseThrow();
  }

  private static boolean isKeyField(Column column, String field) {
    return column.level() == 0 && column.path().size() == 1 && column.path().get(0).equals(field);
  }
}
