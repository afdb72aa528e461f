package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A view on its way into a flow: begun by {@link Flow#readFrom}, ended by {@link #writeTo}. */
public final class ViewBuilder {
  private final Flow flow;
  private final TableRef from;
  private final List<Lookup> lookups = new ArrayList<>();
  private String versionField = View.DEFAULT_VERSION_FIELD;
  private NodeOptions options = NodeOptions.NONE;
  private List<String> key = List.of();

  ViewBuilder(Flow flow, TableRef from) {
    this.flow = flow;
    this.from = from;
  }

  /**
   * Embeds the rows of a table.
   *
   * @param table {@code connection.table}
   * @param options {@link Lookup#path}, {@link Lookup#object} or {@link Lookup#array}, and at least
   *     one {@link Lookup#on}; {@link Lookup#columns}, {@link Lookup#exclude}, {@link
   *     Lookup#rename}, {@link Lookup#filter(String)} and {@link Lookup#computed(String, String)}
   */
  public ViewBuilder lookup(String table, Lookup.Option... options) {
    lookups.add(Lookup.of(table, options));
    return this;
  }

  /** Has only these columns of the root table, in this order. */
  public ViewBuilder columns(String... columns) {
    options = options.withColumns(List.of(columns));
    return this;
  }

  /** Leaves out these columns of the root table. */
  public ViewBuilder exclude(String... columns) {
    options = options.withExclude(List.of(columns));
    return this;
  }

  /** Calls a column of the root table otherwise. */
  public ViewBuilder rename(String column, String field) {
    options = options.withRename(column, field);
    return this;
  }

  /**
   * Has only those rows of the root table for which a condition is true. Of several conditions, all
   * must be.
   *
   * @param sql an SQL condition over the table's columns
   */
  public ViewBuilder filter(String sql) {
    options = options.withFilter(new NodeOptions.Sql(sql));
    return this;
  }

  /** As {@link #filter(String)}, in Java. */
  public ViewBuilder filter(RowCondition condition) {
    options = options.withFilter(new NodeOptions.JavaCondition(condition));
    return this;
  }

  /**
   * Adds a field to each document.
   *
   * @param sql an SQL expression over the root table's columns
   */
  public ViewBuilder computed(String field, String sql) {
    options = options.withComputed(field, new NodeOptions.Sql(sql));
    return this;
  }

  /** As {@link #computed(String, String)}, in Java. */
  public ViewBuilder computed(String field, RowValue value) {
    options = options.withComputed(field, new NodeOptions.JavaValue(value));
    return this;
  }

  /** Tells documents apart by these columns, which a unique index has, not by the primary key. */
  public ViewBuilder key(String... columns) {
    key = List.of(columns);
    return this;
  }

  /** Names the field that guards a document against older writes. */
  public ViewBuilder version(String field) {
    versionField = field;
    return this;
  }

  /**
   * Ends the view.
   *
   * @param collection {@code connection.collection}
   */
  public Flow writeTo(String collection) {
    return flow.view(
        new View(
            from, lookups, Optional.of(TableRef.parse(collection)), versionField, options, key));
  }

  /** Ends the view without a target; see {@link Flow#withDefaultTarget}. */
  public Flow writeToDefaultTarget() {
    return flow.view(new View(from, lookups, Optional.empty(), versionField, options, key));
  }
}
