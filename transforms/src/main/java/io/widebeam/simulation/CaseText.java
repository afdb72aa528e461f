package io.widebeam.simulation;

import io.widebeam.simulation.Event.Transaction;
import io.widebeam.view.ViewNode;
import java.util.stream.Collectors;

/** A failing scenario for people. */
final class CaseText {
  private CaseText() {}

  static String of(Shrinker.Failing failing) {
    Scenario scenario = failing.scenario();
    StringBuilder text = new StringBuilder();
    text.append("tables\n");
    scenario.tables().stream()
        .filter(table -> scenario.views().stream().anyMatch(view -> reads(view, table)))
        .forEach(table -> text.append("  ").append(table).append('\n'));
    for (ViewNode view : scenario.views()) {
      text.append("view\n");
      appendNode(view, "  ", text);
    }
    for (Derived derived : scenario.derived()) {
      text.append("of view ").append(derived.view() + 1).append(", ").append(derived).append('\n');
    }
    text.append("what happened");
    if (scenario.duplicates() > 0) {
      text.append(" (some elements were delivered twice)");
    }
    text.append('\n');
    for (Event event : scenario.events()) {
      text.append("  ");
      if (event instanceof Transaction transaction && transaction.operations().size() > 1) {
        text.append("in one transaction: ");
      }
      text.append(event).append('\n');
    }
    return text.append(failing.failure().getMessage()).toString();
  }

  private static boolean reads(ViewNode node, Table table) {
    return node.table().equals(table.id())
        || node.lookups().stream().anyMatch(lookup -> reads(lookup, table));
  }

  private static void appendNode(ViewNode node, String indent, StringBuilder text) {
    text.append(indent).append(node.table());
    switch (node.embedding()) {
      case ROOT -> {}
      case OBJECT -> text.append(" as object ").append(String.join(".", node.path()));
      case ARRAY -> text.append(" as array ").append(String.join(".", node.path()));
      case MERGED -> text.append(" merged");
    }
    if (!node.relation().isEmpty()) {
      text.append(
          node.relation().stream()
              .map(join -> join.parent() + " = " + join.child())
              .collect(Collectors.joining(", ", " on ", "")));
    }
    if (!node.arrayKeys().equals(node.primaryKey())) {
      text.append(" by ").append(String.join(", ", node.arrayKeys()));
    }
    if (node.newest() > 0) {
      text.append(", the newest ").append(node.newest());
    }
    text.append('\n');
    node.lookups().forEach(lookup -> appendNode(lookup, indent + "  ", text));
  }
}
