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
 */
public record View(
    TableRef from, List<Lookup> lookups, Optional<TableRef> to, String versionField) {

  public static final String DEFAULT_VERSION_FIELD = "_version";

  public View {
    Objects.requireNonNull(from, "from");
    lookups = List.copyOf(lookups);
    Objects.requireNonNull(to, "to");
    Objects.requireNonNull(versionField, "versionField");
  }
}
