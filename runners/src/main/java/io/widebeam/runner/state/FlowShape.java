package io.widebeam.runner.state;

import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.PlannedRollup;
import io.widebeam.flow.TableDescription;
import io.widebeam.rollup.Aggregate;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What of a flow its state depends on, as lines for people: the tables that were read, and how the
 * views join them. Addresses, users and passwords may change, so they are no part of it.
 *
 * @param lines in an order that does not change
 */
record FlowShape(List<String> lines) {
  FlowShape {
    lines = List.copyOf(lines);
  }

  static FlowShape of(PlannedFlow flow) {
    List<String> lines = new ArrayList<>();
    for (PlannedSource source : flow.sources()) {
      lines.add(
          source.tables().stream()
              .map(TableDescription::id)
              .map(id -> id.namespace() + "." + id.name())
              .sorted()
              .collect(Collectors.joining(", ", "source " + source.connection() + ": ", "")));
    }
    for (PlannedView view : flow.views()) {
      String name = "view " + view.name();
      lines.add(view.target().map(target -> name + in(target)).orElse(name));
      addNode(view.root(), name + ": ", lines);
      view.row().ifPresent(row -> lines.add(name + " writes " + describe(row)));
    }
    for (PlannedRollup rollup : flow.rollups()) {
      lines.add(
          "rollup "
              + rollup.name()
              + in(rollup.target())
              + " of "
              + rollup.view()
              + " by "
              + names(rollup.aggregation().groupFields())
              + ": "
              + rollup.aggregation().aggregates().stream()
                  .map(FlowShape::describe)
                  .collect(Collectors.joining(", "))
              + " over "
              + describe(rollup.aggregation().rows()));
    }
    return new FlowShape(lines);
  }

  private static String in(PlannedTarget target) {
    return target instanceof PlannedTarget.Mongo mongo
        ? " in " + mongo.database() + ", versions in " + mongo.versionField()
        : "";
  }

  private static String describe(Aggregate aggregate) {
    return aggregate.field()
        + " "
        + aggregate.function().name().toLowerCase(Locale.ROOT)
        + (aggregate.scale() < 0 ? "" : " to " + aggregate.scale() + " decimals");
  }

  private static void addNode(ViewNode node, String prefix, List<String> lines) {
    StringBuilder line = new StringBuilder(prefix);
    line.append(node.embedding().name().toLowerCase(Locale.ROOT)).append(' ');
    if (!node.path().isEmpty()) {
      line.append(String.join(".", node.path())).append(' ');
    }
    line.append(node.table()).append(" by ").append(names(node.primaryKey()));
    if (!node.relation().isEmpty()) {
      line.append(
          node.relation().stream()
              .map(
                  join ->
                      ViewNode.publicName(join.parent())
                          + " = "
                          + ViewNode.publicName(join.child()))
              .collect(Collectors.joining(" and ", " on ", "")));
    }
    if (!node.arrayKeys().equals(node.primaryKey())) {
      line.append(" ordered by ").append(names(node.arrayKeys()));
    }
    if (node.newest() > 0) {
      line.append(", the newest ").append(node.newest());
    }
    if (node.rows() != null) {
      line.append(", rows ").append(describe(node.rows()));
    }
    lines.add(line.toString());
    for (ViewNode lookup : node.lookups()) {
      addNode(lookup, prefix + node.table().name() + " > ", lines);
    }
  }

  /** A function that does not describe itself is told by its class. */
  private static String describe(Object rows) {
    String text = rows.toString();
    String type = rows.getClass().getName();
    return text.startsWith(type + "@") ? type : text;
  }

  private static String names(List<String> columns) {
    return columns.stream().map(ViewNode::publicName).collect(Collectors.joining(", "));
  }

  /** For people: what is in one of the two and not in the other. */
  String differencesTo(FlowShape other) {
    List<String> differences = new ArrayList<>();
    lines.stream()
        .filter(line -> !other.lines.contains(line))
        .forEach(line -> differences.add("  state: " + line));
    other.lines.stream()
        .filter(line -> !lines.contains(line))
        .forEach(line -> differences.add("  now:   " + line));
    return differences.isEmpty() ? "  the order of its parts" : String.join("\n", differences);
  }
}
