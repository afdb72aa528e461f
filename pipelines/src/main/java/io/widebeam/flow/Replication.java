package io.widebeam.flow;

import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

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

  /** Whether the name is a pattern for several. */
  static boolean isPattern(TableRef table) {
    return table.table().contains("*");
  }

  /** Whether the table is of those that the pattern stands for. */
  static boolean matches(TableRef pattern, String table) {
    StringBuilder expression = new StringBuilder();
    for (String part : pattern.table().split("\\*", -1)) {
      expression.append(expression.isEmpty() ? "" : "[^.]*");
      expression.append(part.isEmpty() ? "()" : Pattern.quote(part));
    }
    return table.matches(expression.toString());
  }
}
