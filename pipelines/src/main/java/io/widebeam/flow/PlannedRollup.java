package io.widebeam.flow;

import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.rollup.Aggregation;
import io.widebeam.view.RowFunction;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Aggregates over the documents of a view, kept up to date.
 *
 * @param name what its steps are named after: its target
 * @param view the name of the view whose documents it reads
 * @param aggregation the groups and what is computed of them
 * @param period how often groups that have changed are written; zero for at every change
 * @param row makes the row that is written out of a group's row, a document of the group fields and
 *     the aggregates; without it, the group's row itself is written
 * @param target where the rows go. A MongoDB document's {@code _id} is a document of the group
 *     fields. A table is one {@linkplain io.widebeam.sink.jdbc.FlatTable#ofGroups of groups}, with
 *     a column for each group field
 */
public record PlannedRollup(
    String name,
    String view,
    Aggregation aggregation,
    Duration period,
    Optional<RowFunction> row,
    PlannedTarget target) {

  public PlannedRollup {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(view, "view");
    Objects.requireNonNull(aggregation, "aggregation");
    Objects.requireNonNull(period, "period");
    Objects.requireNonNull(row, "row");
    Objects.requireNonNull(target, "target");
    if (period.isNegative()) {
      throw new IllegalArgumentException("a period cannot be negative");
    }
  }

  /** The rollup of a view's documents, named after its target. */
  public static PlannedRollup of(
      PlannedFlow.PlannedView view,
      Aggregation aggregation,
      Duration period,
      Optional<RowFunction> row,
      PlannedTarget target) {
    return new PlannedRollup(target.label(), view.name(), aggregation, period, row, target);
  }
}
