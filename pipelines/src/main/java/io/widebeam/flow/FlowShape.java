package io.widebeam.flow;

import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.rollup.Aggregate;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What of a flow its state depends on, as lines for people: the tables that were read, and how the
 * views join them. Addresses, users and passwords may change, so they are no part of it.
 *
 * @param views the lines of each view and its rollups, by its name, in an order that does not
 *     change
 */
public record FlowShape(Map<String, List<String>> views) {
  public FlowShape {
    Map<String, List<String>> copied = new LinkedHashMap<>();
    views.forEach((view, lines) -> copied.put(view, List.copyOf(lines)));
    views = Collections.unmodifiableMap(copied);
  }

  public static FlowShape of(PlannedFlow flow) {
    Map<String, List<String>> views = new LinkedHashMap<>();
    for (PlannedView view : flow.views()) {
      views.put(view.name(), lines(view, flow));
    }
    return new FlowShape(views);
  }

  private static List<String> lines(PlannedView view, PlannedFlow flow) {
    List<String> lines = new ArrayList<>();
    String name = "view " + view.name();
    lines.add(view.target().map(target -> name + in(target)).orElse(name));
    addNode(view.root(), name + ": ", lines);
    view.row().ifPresent(row -> lines.add(name + " writes " + describe(row)));
    for (PlannedRollup rollup : flow.rollupsOf(view)) {
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
    return lines;
  }

  /** The views that the other shape does not have like this. */
  public Set<String> notIn(FlowShape other) {
    return views.keySet().stream()
        .filter(view -> !views.get(view).equals(other.views.get(view)))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Of each view a short text that is another if its lines are. */
  Map<String, String> checksums() {
    Map<String, String> checksums = new LinkedHashMap<>();
    views.forEach(
        (view, lines) ->
            checksums.put(
                view, "%08x".formatted(ConnectorSettings.checksum(String.join("\n", lines)))));
    return checksums;
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
  public String differencesTo(FlowShape other) {
    List<String> lines = lines();
    List<String> others = other.lines();
    return Stream.concat(
            lines.stream().filter(line -> !others.contains(line)).map(line -> "  state: " + line),
            others.stream().filter(line -> !lines.contains(line)).map(line -> "  now:   " + line))
        .collect(Collectors.joining("\n"));
  }

  private List<String> lines() {
    return views.values().stream().flatMap(List::stream).toList();
  }
}
