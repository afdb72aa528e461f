package io.widebeam.flow;

import java.util.List;
import java.util.Objects;

/**
 * Tables kept equal to those of a source, under the same names.
 *
 * @param from the tables, as {@code connection.table}; {@code *} stands for any characters but a
 *     dot
 * @param to the connection to write to
 */
public record Replication(List<TableRef> from, String to) {
  public Replication {
    from = List.copyOf(from);
    Objects.requireNonNull(to, "to");
  }
}
