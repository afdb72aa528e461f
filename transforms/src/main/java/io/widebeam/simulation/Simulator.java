package io.widebeam.simulation;

import io.widebeam.view.ViewNode;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Runs views over generated rows, without any database, and holds what the target has against the
 * join. A seed decides everything: the tables, the views if they are to be random too, what happens
 * to the rows, the order in which the steps work, what is delivered twice, and the crashes.
 */
public final class Simulator {
  /** Makes what is simulated. */
  @FunctionalInterface
  public interface Shape {
    /** The tables and views for a seed; the same for the same random numbers. */
    Views views(Random random);
  }

  /**
   * Views, the tables that they read, and what is made of their documents.
   *
   * @param tables with the columns that the views name, and perhaps others
   */
  public record Views(List<Table> tables, List<ViewNode> views, List<Derived> derived) {
    public Views {
      tables = List.copyOf(tables);
      views = List.copyOf(views);
      derived = List.copyOf(derived);
    }

    /** Views whose documents are only written. */
    public Views(List<Table> tables, List<ViewNode> views) {
      this(tables, views, List.of());
    }
  }

  /**
   * What came of one seed.
   *
   * @param operations how many rows were changed
   * @param crashes how often all but the target fell back to a checkpoint
   * @param failure what was wrong, if anything was
   */
  public record Outcome(
      long seed, long operations, long crashes, Optional<SimulationFailure> failure) {}

  private final Shape shape;
  private final Interference interference;

  private Simulator(Shape shape, Interference interference) {
    this.shape = shape;
    this.interference = interference;
  }

  /** Simulates views of every shape, of random tables. */
  public static Simulator ofRandomViews() {
    return of(RandomViews::of);
  }

  /** Simulates rollups of every shape, of random views. */
  public static Simulator ofRandomRollups() {
    return of(RandomRollups::of);
  }

  /** Simulates views of this shape. */
  public static Simulator of(Shape shape) {
    return new Simulator(shape, Interference.NONE);
  }

  /** The same, but spoiled. */
  public Simulator with(Interference other) {
    return new Simulator(shape, other);
  }

  /** Runs one seed. */
  public Outcome run(long seed) {
    Scenario scenario = scenario(seed);
    return new Outcome(
        seed,
        scenario.operations(),
        scenario.crashes(),
        Simulation.run(ViewGraph.of(scenario), scenario, seed, interference));
  }

  /**
   * The smallest case, for people, that fails as this seed does: tables, views, what happened, and
   * what was expected. Takes thousands of runs.
   */
  public String smallestCase(Outcome failed) {
    Scenario scenario = scenario(failed.seed());
    return CaseText.of(
        Shrinker.shrink(
            new Shrinker.Failing(scenario, failed.seed(), failed.failure().orElseThrow()),
            interference));
  }

  private Scenario scenario(long seed) {
    Random random = new Random(seed);
    Views views = shape.views(random);
    return RandomHistory.of(views, random);
  }
}
