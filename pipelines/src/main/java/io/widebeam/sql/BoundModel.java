package io.widebeam.sql;

import io.widebeam.rollup.Aggregate;
import java.util.List;
import java.util.Optional;

/**
 * A model that is held against what it reads: which columns it needs of it, and expressions over
 * them that {@link SqlExpressions} compiles.
 *
 * @param joins how each relation but the root is joined, in their order
 * @param used for each relation, the columns that anything but joins needs
 * @param rootFilters conditions over the root table's own columns
 * @param columns the columns of the rows that filters, and the expressions below, are over. Of
 *     tables they are {@code alias.column}
 * @param filters conditions that a row must meet
 * @param grouping how rows are grouped; empty if they are not
 * @param outputs the columns of the result, over rows, or over groups if there are any
 */
public record BoundModel(
    List<Join> joins,
    List<List<String>> used,
    List<String> rootFilters,
    List<SqlColumn> columns,
    List<String> filters,
    Optional<Grouping> grouping,
    List<Output> outputs) {

  /**
   * How a relation is joined.
   *
   * @param parent the relation that it is joined to, 0 for the root
   * @param filters conditions over its own columns
   */
  public record Join(int parent, List<Pair> pairs, List<String> filters) {}

  /** Columns that must be equal. */
  public record Pair(String parent, String child) {}

  /**
   * A column of a result.
   *
   * @param expression over the input's columns
   * @param copied the one column that the expression is; empty if it is more than that
   */
  public record Output(String name, String expression, SqlType type, Optional<String> copied) {}

  /**
   * How rows become groups.
   *
   * @param keys what rows of a group have in common
   * @param measures what is computed of a group's rows
   * @param having conditions over keys and measures that a group must meet
   */
  public record Grouping(List<Output> keys, List<Measure> measures, List<String> having) {

    /** The columns of a group. */
    public List<SqlColumn> columns() {
      return java.util.stream.Stream.concat(
              keys.stream().map(key -> new SqlColumn(key.name(), key.type())),
              measures.stream().map(one -> new SqlColumn(one.aggregate().field(), one.type())))
          .toList();
    }
  }

  /**
   * An aggregate.
   *
   * @param expression what of each row goes in; empty where rows are counted
   * @param copied the one column that the result is a value of; empty if it is computed
   */
  public record Measure(
      Aggregate aggregate, String expression, SqlType type, Optional<String> copied) {}
}
