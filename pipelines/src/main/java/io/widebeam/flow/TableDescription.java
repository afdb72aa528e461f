package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlType;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A table as it is in its database.
 *
 * @param columns all columns, in table order
 * @param primaryKey the primary key's columns, in key order; empty if there is none
 * @param rows how many rows it has: counted if there are few, else the database's estimate
 * @param wholeRowsBefore whether the log has the whole row before each update and delete, and not
 *     only its key
 * @param types what SQL expressions know of the columns; what is not here is {@link SqlType#OTHER}
 * @param uniqueKeys the columns of each unique index that no NULL can be in, the primary key apart
 * @param definitions the columns with their types, in table order; empty if nobody has asked
 */
public record TableDescription(
    TableId id,
    List<String> columns,
    List<String> primaryKey,
    long rows,
    boolean wholeRowsBefore,
    Map<String, SqlType> types,
    List<List<String>> uniqueKeys,
    List<ColumnDefinition> definitions) {
  public TableDescription {
    Objects.requireNonNull(id, "id");
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
    types = Map.copyOf(types);
    uniqueKeys = uniqueKeys.stream().map(List::copyOf).toList();
    definitions = List.copyOf(definitions);
  }

  /** A table whose columns' types are not known, with no unique keys but the primary one. */
  public TableDescription(
      TableId id,
      List<String> columns,
      List<String> primaryKey,
      long rows,
      boolean wholeRowsBefore) {
    this(id, columns, primaryKey, rows, wholeRowsBefore, Map.of(), List.of());
  }

  /** A table without its columns' definitions. */
  public TableDescription(
      TableId id,
      List<String> columns,
      List<String> primaryKey,
      long rows,
      boolean wholeRowsBefore,
      Map<String, SqlType> types,
      List<List<String>> uniqueKeys) {
    this(id, columns, primaryKey, rows, wholeRowsBefore, types, uniqueKeys, List.of());
  }

  /** This description, with its columns' definitions. */
  TableDescription withDefinitions(List<ColumnDefinition> defined) {
    return new TableDescription(
        id, columns, primaryKey, rows, wholeRowsBefore, types, uniqueKeys, defined);
  }

  /** The columns as SQL expressions know them. */
  List<SqlColumn> sqlColumns() {
    return columns.stream()
        .map(column -> new SqlColumn(column, types.getOrDefault(column, SqlType.OTHER)))
        .toList();
  }
}
