package io.widebeam.runner.cli;

import io.widebeam.change.TableId;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.flow.PlannedRollup;
import io.widebeam.flow.TableDescription;
import io.widebeam.notify.Channel;
import io.widebeam.notify.Event;
import io.widebeam.rollup.Aggregate;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.JoinColumn;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Draws a planned flow as text: its sources, then each view's tree. */
final class PlanText {
  private final StringBuilder text = new StringBuilder();
  private final PlannedFlow flow;

  private PlanText(PlannedFlow flow) {
    this.flow = flow;
  }

  static String of(PlannedFlow flow) {
    PlanText plan = new PlanText(flow);
    plan.line(flow.name());
    flow.sources().forEach(plan::source);
    flow.views().forEach(plan::view);
    if (!flow.channels().isEmpty()) {
      plan.line("");
    }
    flow.channels().forEach(plan::channel);
    plan.line("");
    plan.line(
        flow.deadLetters()
            .map(target -> "dead letters to " + target.database() + "." + target.collection())
            .orElse("the first dead letter ends the flow"));
    return plan.text.toString();
  }

  private void source(PlannedSource source) {
    line("");
    line("read " + source.connection() + ", once for all its tables");
    for (TableDescription table : source.tables()) {
      line(String.format(Locale.ROOT, "  %-28s %,12d rows", table.id().name(), table.rows()));
    }
  }

  private void view(PlannedView view) {
    line("");
    line("join, one document for each " + key(view.root()) + " of " + name(view.root().table()));
    line(name(view.root().table()) + "  by " + key(view.root()) + rows(view.root()));
    children(view.root().lookups(), "");
    view.target()
        .ifPresent(
            target -> {
              line("");
              line("write " + target(target));
            });
    flow.rollupsOf(view).forEach(this::rollup);
  }

  private void rollup(PlannedRollup rollup) {
    List<String> groups = rollup.aggregation().groupFields();
    line("");
    line(
        groups.isEmpty()
            ? "roll up to one row"
            : "roll up, one row for each " + String.join(", ", groups));
    for (Aggregate aggregate : rollup.aggregation().aggregates()) {
      line("  " + aggregate.field() + "  " + name(aggregate.function()));
    }
    String often =
        rollup.period().isZero() ? "at every change" : "every " + seconds(rollup.period());
    line("write " + groups(rollup.target()) + " " + often);
    flow.rulesOf(rollup)
        .forEach(rule -> line("tell when " + rule.name() + ": " + oneLine(rule.when())));
  }

  private static String oneLine(String sql) {
    return sql.strip().replaceAll("\\s+", " ");
  }

  private void channel(Channel channel) {
    line(
        "tell "
            + channel
            + " of "
            + channel.events().stream().map(Event::label).collect(Collectors.joining(", ")));
  }

  private static String name(Aggregate.Function function) {
    return switch (function) {
      case COUNT_ROWS -> "count of rows";
      case COUNT -> "count";
      case COUNT_DISTINCT -> "count of different values";
      case SUM -> "sum";
      case AVG -> "average";
      case MIN -> "least";
      case MAX -> "greatest";
    };
  }

  private static String seconds(Duration period) {
    return new BigDecimal(period.toMillis()).movePointLeft(3).stripTrailingZeros().toPlainString()
        + " s";
  }

  private static String groups(PlannedTarget target) {
    return target instanceof PlannedTarget.Mongo mongo
        ? mongo.database() + "." + mongo.collection()
        : target.name();
  }

  private static String target(PlannedTarget target) {
    if (target instanceof PlannedTarget.Jdbc jdbc) {
      FlatTable table = jdbc.table();
      return table.isUnwound()
          ? table.name()
              + ", one row for each of "
              + table.arrays().stream()
                  .map(array -> String.join(".", array.path()))
                  .collect(Collectors.joining(" and their "))
          : table.name() + ", one row for each document";
    }
    PlannedTarget.Mongo mongo = (PlannedTarget.Mongo) target;
    return mongo.database() + "." + mongo.collection();
  }

  private void children(List<ViewNode> nodes, String indent) {
    for (int i = 0; i < nodes.size(); i++) {
      boolean last = i == nodes.size() - 1;
      ViewNode node = nodes.get(i);
      line(
          indent
              + (last ? "└─ " : "├─ ")
              + embedding(node)
              + "  "
              + name(node.table())
              + join(node)
              + rows(node));
      children(node.lookups(), indent + (last ? "   " : "│  "));
    }
  }

  private static String embedding(ViewNode node) {
    String path = String.join(".", node.path());
    return switch (node.embedding()) {
      case ROOT -> "";
      case OBJECT -> path + " {}";
      case ARRAY -> path + (node.newest() == 0 ? " []" : " [the newest " + node.newest() + "]");
      case MERGED -> "(merged)";
    };
  }

  private static String join(ViewNode node) {
    return node.relation().stream()
        .map(PlanText::equality)
        .collect(Collectors.joining(" and ", "  on ", ""));
  }

  private static String equality(JoinColumn column) {
    String parent = ViewNode.publicName(column.parent());
    String child = ViewNode.publicName(column.child());
    return parent.equals(child) ? parent : parent + " = " + child;
  }

  private static String key(ViewNode node) {
    return node.primaryKey().stream().map(ViewNode::publicName).collect(Collectors.joining(", "));
  }

  /** What is made of the table's rows, if they are not taken as they are. */
  private static String rows(ViewNode node) {
    return node.rows() == null ? "" : "  (" + node.rows() + ")";
  }

  private static String name(TableId table) {
    return table.source() + "." + table.name();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
