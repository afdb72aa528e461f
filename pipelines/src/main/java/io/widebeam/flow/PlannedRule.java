package io.widebeam.flow;

import io.widebeam.view.RowFunction;
import java.util.Objects;

/**
 * A rule over the rows of a rollup.
 *
 * @param rollup the rollup's name
 * @param when the condition, as people wrote it
 * @param matching answers a row for which the condition is true, and null for others
 */
public record PlannedRule(String name, String rollup, String when, RowFunction matching) {
  public PlannedRule {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(rollup, "rollup");
    Objects.requireNonNull(when, "when");
    Objects.requireNonNull(matching, "matching");
  }
}
