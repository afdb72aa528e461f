package io.widebeam.runner.serve;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The columns of a table, or the fields of a collection, in order. */
public record TableShape(List<Column> columns) {
  /** What a column can be used for. */
  enum Kind {
    /** A date or a moment: can be the axis of daily sums. */
    DATE,
    /** A number with decimals. */
    DECIMAL,
    INTEGER,
    TEXT,
    /** Can be shown, and no more. */
    OTHER
  }

  /**
   * A column.
   *
   * @param key whether it is part of the key
   * @param own whether Widebeam added it, as the version's
   */
  record Column(String name, Kind kind, boolean key, boolean own) {
    boolean isNumber() {
      return kind == Kind.DECIMAL || kind == Kind.INTEGER;
    }
  }

  public TableShape {
    columns = List.copyOf(columns);
  }

  Optional<Column> find(String name) {
    return columns.stream().filter(column -> column.name().equals(name)).findFirst();
  }

  /** The days that a reader most likely means. */
  Optional<Column> date() {
    return first(column -> column.kind() == Kind.DATE);
  }

  /** What is most likely worth summing up: an amount rather than a count, and no key. */
  Optional<Column> number() {
    return columns.stream()
        .filter(column -> column.isNumber() && !column.key() && !column.own())
        .filter(column -> !looksLikeAnId(column))
        .min(Comparator.comparing(Column::kind));
  }

  /** What rows are most likely told apart by: a part of the key that is no day. */
  Optional<Column> group() {
    return first(column -> column.key() && canGroup(column))
        .or(() -> first(column -> canGroup(column) && looksLikeAnId(column)))
        .or(() -> first(column -> column.kind() == Kind.TEXT && !column.own()));
  }

  private static boolean canGroup(Column column) {
    return !column.own() && (column.kind() == Kind.INTEGER || column.kind() == Kind.TEXT);
  }

  private static boolean looksLikeAnId(Column column) {
    return column.name().equals("id") || column.name().endsWith("_id");
  }

  private Optional<Column> first(Predicate<Column> wanted) {
    return columns.stream().filter(wanted).findFirst();
  }
}
