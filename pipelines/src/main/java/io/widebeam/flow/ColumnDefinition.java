package io.widebeam.flow;

import io.widebeam.sink.jdbc.ColumnType;
import java.util.Objects;
import java.util.Optional;

/**
 * A column as its database defines it.
 *
 * @param type what its values are, in words that every database has a type for
 * @param initial what rows have in it that were there before it, as text, where that is a constant
 */
public record ColumnDefinition(String name, ColumnType type, Optional<String> initial) {
  public ColumnDefinition {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(initial, "initial");
  }

  /** A column that older rows have null in. */
  public ColumnDefinition(String name, ColumnType type) {
    this(name, type, Optional.empty());
  }
}
