package io.widebeam.flow;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A root table, what is looked up for its rows, and where the documents go.
 *
 * @param from the root table
 * @param lookups the embedded tables, in the order of their fields
 * @param to the collection to write to; empty to leave the choice to whoever runs the flow, see
 *     {@link Flow#withDefaultTarget}
 * @param versionField the field that guards a document against older writes
 * @param options which rows and columns of the root table there are
 * @param key the columns that tell documents apart; empty for the primary key
 */
public record View(
    TableRef from,
    List<Lookup> lookups,
    Optional<TableRef> to,
    String versionField,
    NodeOptions options,
    List<String> key) {

  public static final String DEFAULT_VERSION_FIELD = "_version";

  public View {
    Objects.requireNonNull(from, "from");
    lookups = List.copyOf(lookups);
    Objects.requireNonNull(to, "to");
    Objects.requireNonNull(versionField, "versionField");
    Objects.requireNonNull(options, "options");
    key = List.copyOf(key);
  }

  /** A view with all rows and columns of its root table, by primary key. */
  public View(TableRef from, List<Lookup> lookups, Optional<TableRef> to, String versionField) {
    this(from, lookups, to, versionField, NodeOptions.NONE, List.of());
  }

  /** This view, written there. */
  View withTo(TableRef target) {
    return new View(from, lookups, Optional.of(target), versionField, options, key);
  }
}
