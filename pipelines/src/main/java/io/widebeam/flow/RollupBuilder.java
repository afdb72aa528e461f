package io.widebeam.flow;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A rollup on its way into a flow: begun by {@link Flow#rollup}, ended by {@link #writeTo}. */
public final class RollupBuilder {
  private final Flow flow;
  private final TableRef from;
  private final Map<String, String> groupBy = new LinkedHashMap<>();
  private final Map<String, String> aggregates = new LinkedHashMap<>();
  private Optional<String> unwind = Optional.empty();
  private Optional<String> filter = Optional.empty();
  private Duration every = RollupDefinition.DEFAULT_PERIOD;

  RollupBuilder(Flow flow, TableRef from) {
    this.flow = flow;
    this.from = from;
  }

  /** Counts the elements of an array, not whole documents; without elements, there is no row. */
  public RollupBuilder unwind(String array) {
    unwind = Optional.of(array);
    return this;
  }

  /** Counts only the rows for which an SQL condition is true. */
  public RollupBuilder filter(String sql) {
    filter = Optional.of(sql);
    return this;
  }

  /** Groups by a field. */
  public RollupBuilder groupBy(String column) {
    return groupBy(column.replace('.', '_'), column);
  }

  /** Groups by the value of an SQL expression, shown as a field. */
  public RollupBuilder groupBy(String field, String sql) {
    groupBy.put(field, sql);
    return this;
  }

  /**
   * Computes a field of each group.
   *
   * @param sql {@code COUNT(*)}, or {@code COUNT}, {@code COUNT(DISTINCT …)}, {@code SUM}, {@code
   *     AVG}, {@code MIN} or {@code MAX} of an SQL expression
   */
  public RollupBuilder aggregate(String field, String sql) {
    aggregates.put(field, sql);
    return this;
  }

  /** Writes groups that have changed so often; {@link Duration#ZERO} for at every change. */
  public RollupBuilder every(Duration period) {
    every = period;
    return this;
  }

  /**
   * Ends the rollup.
   *
   * @param target {@code connection.collection} or {@code connection.table}
   */
  public Flow writeTo(String target) {
    return flow.rollup(
        new RollupDefinition(
            from, unwind, filter, groupBy, aggregates, every, TableRef.parse(target)));
  }
}
