package io.widebeam.flow;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Groups of a view's documents, with aggregates that are kept up to date.
 *
 * @param from the target of one of the flow's views, whose documents it reads; or a table, whose
 *     rows it reads
 * @param unwind the array whose elements it reads rather than whole documents, as a dotted path;
 *     arrays around it are unwound too
 * @param filter an SQL condition that a row must meet to count
 * @param groupBy SQL expressions that tell groups apart, by the field that shows them; none for one
 *     group of everything
 * @param aggregates {@code COUNT(*)}, or {@code COUNT}, {@code COUNT(DISTINCT …)}, {@code SUM},
 *     {@code AVG}, {@code MIN} or {@code MAX} of an SQL expression, by field
 * @param every how often groups that have changed are written; zero for at every change
 * @param to the collection or table to write to
 */
public record RollupDefinition(
    TableRef from,
    Optional<String> unwind,
    Optional<String> filter,
    Map<String, String> groupBy,
    Map<String, String> aggregates,
    Duration every,
    TableRef to) {

  /** How often groups are written if nothing is said. */
  public static final Duration DEFAULT_PERIOD = Duration.ofSeconds(1);

  public RollupDefinition {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(unwind, "unwind");
    Objects.requireNonNull(filter, "filter");
    groupBy = Collections.unmodifiableMap(new LinkedHashMap<>(groupBy));
    aggregates = Collections.unmodifiableMap(new LinkedHashMap<>(aggregates));
    Objects.requireNonNull(every, "every");
    Objects.requireNonNull(to, "to");
  }
}
