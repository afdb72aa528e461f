package io.widebeam.flow;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Which rows and columns of its table the root or a lookup has, and how documents call them.
 *
 * @param columns the columns to have, in this order; empty for all
 * @param exclude the columns to leave out
 * @param rename what documents call a column, by column
 * @param filters conditions that a row must meet, all of them, to be there
 * @param computed fields that the table has no columns for, by name
 */
public record NodeOptions(
    List<String> columns,
    List<String> exclude,
    Map<String, String> rename,
    List<Expression> filters,
    Map<String, Expression> computed)
    implements Serializable {

  /** All rows and columns as they are. */
  public static final NodeOptions NONE =
      new NodeOptions(List.of(), List.of(), Map.of(), List.of(), Map.of());

  /** Something about one row. */
  public sealed interface Expression extends Serializable {}

  /** An SQL expression over the table's columns. */
  public record Sql(String text) implements Expression {
    public Sql {
      Objects.requireNonNull(text, "text");
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** A condition in Java. */
  public record JavaCondition(RowCondition condition) implements Expression {
    public JavaCondition {
      Objects.requireNonNull(condition, "condition");
    }

    @Override
    public String toString() {
      return "a Java function";
    }
  }

  /** A value in Java. */
  public record JavaValue(RowValue value) implements Expression {
    public JavaValue {
      Objects.requireNonNull(value, "value");
    }

    @Override
    public String toString() {
      return "a Java function";
    }
  }

  public NodeOptions {
    columns = List.copyOf(columns);
    exclude = List.copyOf(exclude);
    rename = Collections.unmodifiableMap(new LinkedHashMap<>(rename));
    filters = List.copyOf(filters);
    computed = Collections.unmodifiableMap(new LinkedHashMap<>(computed));
  }

  boolean isNone() {
    return equals(NONE);
  }

  NodeOptions withColumns(List<String> more) {
    return new NodeOptions(append(columns, more), exclude, rename, filters, computed);
  }

  NodeOptions withExclude(List<String> more) {
    return new NodeOptions(columns, append(exclude, more), rename, filters, computed);
  }

  NodeOptions withRename(String column, String field) {
    return new NodeOptions(columns, exclude, put(rename, column, field), filters, computed);
  }

  NodeOptions withFilter(Expression filter) {
    return new NodeOptions(columns, exclude, rename, append(filters, List.of(filter)), computed);
  }

  NodeOptions withComputed(String field, Expression value) {
    return new NodeOptions(columns, exclude, rename, filters, put(computed, field, value));
  }

  private static <T> List<T> append(List<T> list, List<T> more) {
    List<T> longer = new ArrayList<>(list);
    longer.addAll(more);
    return longer;
  }

  private static <T> Map<String, T> put(Map<String, T> map, String key, T value) {
    Map<String, T> larger = new LinkedHashMap<>(map);
    larger.put(key, value);
    return larger;
  }
}
