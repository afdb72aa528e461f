package io.widebeam.simulation;

import io.widebeam.view.ViewNode;
import java.util.List;

/**
 * Tables, views of them, and what happens.
 *
 * @param derived what is made of the views' documents
 * @param duplicates the share of elements that are delivered twice
 * @param elementsInCheckpoints whether elements may be under way at a checkpoint and are then part
 *     of it; else it waits until none is, as Flink's do
 */
public record Scenario(
    List<Table> tables,
    List<ViewNode> views,
    List<Derived> derived,
    List<Event> events,
    double duplicates,
    boolean elementsInCheckpoints) {
  public Scenario {
    tables = List.copyOf(tables);
    views = List.copyOf(views);
    derived = List.copyOf(derived);
    events = List.copyOf(events);
  }

  Scenario withEvents(List<Event> others) {
    return new Scenario(tables, views, derived, others, duplicates, elementsInCheckpoints);
  }

  Scenario withViews(List<ViewNode> others) {
    return new Scenario(tables, others, derived, events, duplicates, elementsInCheckpoints);
  }

  Scenario withDerived(List<Derived> others) {
    return new Scenario(tables, views, others, events, duplicates, elementsInCheckpoints);
  }

  Scenario withoutDuplicates() {
    return new Scenario(tables, views, derived, events, 0, elementsInCheckpoints);
  }

  Scenario withoutElementsInCheckpoints() {
    return new Scenario(tables, views, derived, events, duplicates, false);
  }

  /** How many rows are changed. */
  long operations() {
    return events.stream()
        .filter(Event.Transaction.class::isInstance)
        .mapToLong(event -> ((Event.Transaction) event).operations().size())
        .sum();
  }

  long crashes() {
    return events.stream().filter(Event.Crash.class::isInstance).count();
  }
}
