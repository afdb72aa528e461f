package io.widebeam.simulation;

import io.widebeam.simulation.Event.Operation;
import io.widebeam.simulation.Event.Start;
import io.widebeam.simulation.Event.Transaction;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Makes a failing scenario small: leaves out events, operations, lookups and duplicates as long as
 * the rest still fails, in whatever order of things. Delta debugging (Zeller and Hildebrandt,
 * 2002).
 */
final class Shrinker {
  /** A scenario, the seed of an order of things in which it fails, and how it does. */
  record Failing(Scenario scenario, long seed, SimulationFailure failure) {}

  /** Without the events left out, the same seed means another order: try several. */
  private static final int ORDERS = 8;

  private static final int MAX_RUNS = 4_000;

  private final Interference interference;
  private Failing smallest;
  private ViewGraph graph;
  private int runs;

  private Shrinker(Failing failing, Interference interference) {
    this.smallest = failing;
    this.interference = interference;
    this.graph = ViewGraph.of(failing.scenario);
  }

  static Failing shrink(Failing failing, Interference interference) {
    Shrinker shrinker = new Shrinker(failing, interference);
    long before;
    do {
      before = shrinker.size();
      shrinker.shrinkOnce();
    } while (shrinker.size() < before);
    return shrinker.smallest;
  }

  private long size() {
    Scenario scenario = smallest.scenario;
    return scenario.events().size()
        + scenario.operations()
        + scenario.derived().size()
        + scenario.views().stream().mapToLong(Shrinker::nodes).sum();
  }

  private static long nodes(ViewNode node) {
    return 1 + node.lookups().stream().mapToLong(Shrinker::nodes).sum();
  }

  private void shrinkOnce() {
    if (smallest.scenario.duplicates() > 0) {
      tryOut(smallest.scenario.withoutDuplicates());
    }
    if (smallest.scenario.elementsInCheckpoints()) {
      tryOut(smallest.scenario.withoutElementsInCheckpoints());
    }
    shrinkList(
        () -> smallest.scenario.derived(),
        derived -> smallest.scenario.withDerived(derived),
        derived -> true);
    shrinkViews();
    shrinkList(
        () -> smallest.scenario.events(),
        events -> smallest.scenario.withEvents(events),
        event -> !(event instanceof Start));
    shrinkViews();
    shrinkTransactions();
  }

  private interface Current<T> {
    List<T> get();
  }

  /** Leaves out runs of elements, long ones first. */
  private <T> void shrinkList(
      Current<T> current, Function<List<T>, Scenario> with, Predicate<T> may) {
    for (int length = Math.max(1, current.get().size() / 2); length > 0; length /= 2) {
      for (int from = current.get().size() - length; from >= 0; from -= length) {
        List<T> all = current.get();
        if (from + length > all.size()) {
          continue;
        }
        List<T> fewer = new ArrayList<>(all.subList(0, from));
        all.subList(from, from + length).stream().filter(may.negate()).forEach(fewer::add);
        fewer.addAll(all.subList(from + length, all.size()));
        if (fewer.size() < all.size()) {
          tryOut(with.apply(fewer));
        }
      }
    }
  }

  private void shrinkTransactions() {
    for (int i = 0; i < smallest.scenario.events().size(); i++) {
      int at = i;
      if (smallest.scenario.events().get(i) instanceof Transaction transaction
          && transaction.operations().size() > 1) {
        for (Operation operation : transaction.operations()) {
          List<Event> events = new ArrayList<>(smallest.scenario.events());
          List<Operation> fewer = new ArrayList<>(((Transaction) events.get(at)).operations());
          if (fewer.size() > 1 && fewer.remove(operation)) {
            events.set(at, new Transaction(fewer));
            tryOut(smallest.scenario.withEvents(events));
          }
        }
      }
    }
  }

  private void shrinkViews() {
    boolean smaller = true;
    while (smaller) {
      smaller = false;
      List<ViewNode> views = smallest.scenario.views();
      for (int i = 0; i < views.size() && !smaller; i++) {
        List<Scenario> candidates = new ArrayList<>();
        if (views.size() > 1) {
          candidates.add(withoutView(smallest.scenario, i));
        }
        if (!isJudged(i)) {
          for (ViewNode fewer : withOneLookupLess(views.get(i))) {
            candidates.add(smallest.scenario.withViews(without(views, i, Optional.of(fewer))));
          }
        }
        for (Scenario candidate : candidates) {
          if (tryOut(candidate)) {
            smaller = true;
            break;
          }
        }
      }
    }
  }

  /** Whether somebody who knows the whole view would find a smaller one wrong. */
  private boolean isJudged(int view) {
    return smallest.scenario.derived().stream()
        .anyMatch(derived -> derived.view() == view && derived.judge() != null);
  }

  private static Scenario withoutView(Scenario scenario, int index) {
    List<Derived> others = new ArrayList<>();
    for (Derived derived : scenario.derived()) {
      if (derived.view() != index) {
        others.add(derived.view() < index ? derived : derived.ofView(derived.view() - 1));
      }
    }
    return scenario
        .withDerived(others)
        .withViews(without(scenario.views(), index, Optional.empty()));
  }

  private static List<ViewNode> without(List<ViewNode> views, int i, Optional<ViewNode> instead) {
    List<ViewNode> others = new ArrayList<>(views);
    others.remove(i);
    instead.ifPresent(view -> others.add(i, view));
    return others;
  }

  /** The node without each of its lookups, one at a time, at every depth. */
  private static List<ViewNode> withOneLookupLess(ViewNode node) {
    List<ViewNode> smaller = new ArrayList<>();
    for (int i = 0; i < node.lookups().size(); i++) {
      smaller.add(withLookups(node, without(node.lookups(), i, Optional.empty())));
    }
    for (int i = 0; i < node.lookups().size(); i++) {
      for (ViewNode below : withOneLookupLess(node.lookups().get(i))) {
        smaller.add(withLookups(node, without(node.lookups(), i, Optional.of(below))));
      }
    }
    return smaller;
  }

  private static ViewNode withLookups(ViewNode node, List<ViewNode> lookups) {
    return new ViewNode(
        node.table(),
        node.primaryKey(),
        node.path(),
        node.embedding(),
        node.relation(),
        node.arrayKeys(),
        node.newest(),
        lookups,
        node.rows());
  }

  private boolean tryOut(Scenario scenario) {
    boolean sameGraph =
        scenario.views().equals(smallest.scenario.views())
            && scenario.derived().equals(smallest.scenario.derived())
            && (scenario.crashes() > 0) == (smallest.scenario.crashes() > 0);
    ViewGraph tried = sameGraph ? graph : ViewGraph.of(scenario);
    for (int order = 0; order < ORDERS && runs < MAX_RUNS; order++) {
      runs++;
      long seed = smallest.seed + order;
      Optional<SimulationFailure> failure = Simulation.run(tried, scenario, seed, interference);
      if (failure.isPresent() && failure.get().kind() == smallest.failure.kind()) {
        smallest = new Failing(scenario, seed, failure.get());
        graph = tried;
        return true;
      }
    }
    return false;
  }
}
