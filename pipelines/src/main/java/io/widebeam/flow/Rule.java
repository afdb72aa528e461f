package io.widebeam.flow;

import java.util.Objects;

/**
 * Something to be told of when it comes true of a rollup's row.
 *
 * @param name letters, digits, {@code _} and {@code -}; no other rule of the flow has it
 * @param rollup what the rollup or grouping model writes, {@code connection.table} or the table's
 *     name alone
 * @param when an SQL condition over the fields of the row
 */
public record Rule(String name, String rollup, String when) {
  public Rule {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(rollup, "rollup");
    Objects.requireNonNull(when, "when");
  }
}
