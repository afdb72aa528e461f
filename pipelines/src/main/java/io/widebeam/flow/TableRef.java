package io.widebeam.flow;

import java.util.regex.Pattern;

/**
 * A table or a collection as a flow names it: {@code connection.table}. On Postgres a schema other
 * than {@code public} stands before the table: {@code connection.schema.table}.
 *
 * @param connection the name of a connection of the flow
 * @param table what follows the first dot; empty if there is none, which is a problem of the flow
 */
public record TableRef(String connection, String table) {
  public static TableRef parse(String text) {
    int dot = text.indexOf('.');
    return dot < 0
        ? new TableRef(text, "")
        : new TableRef(text.substring(0, dot), text.substring(dot + 1));
  }

  /** Whether the table's name has a {@code *} and so stands for any number of tables. */
  public boolean isPattern() {
    return table.contains("*");
  }

  /** Whether the name is this one's, or one that its pattern stands for. */
  public boolean matches(String name) {
    StringBuilder expression = new StringBuilder();
    for (String part : table.split("\\*", -1)) {
      expression.append(expression.isEmpty() ? "" : "[^.]*");
      expression.append(part.isEmpty() ? "()" : Pattern.quote(part));
    }
    return name.matches(expression.toString());
  }

  @Override
  public String toString() {
    return table.isEmpty() ? connection : connection + "." + table;
  }
}
