package io.widebeam.simulation;

import io.widebeam.change.TableId;
import io.widebeam.document.DocumentChange;
import io.widebeam.simulation.Database.RowChange;
import io.widebeam.simulation.Event.Checkpoint;
import io.widebeam.simulation.Event.Crash;
import io.widebeam.simulation.Event.Quiet;
import io.widebeam.simulation.Event.Start;
import io.widebeam.simulation.Event.Transaction;
import io.widebeam.simulation.SimulationFailure.Kind;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.apache.beam.sdk.values.PCollection;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * One run of a scenario, in an order of things that its seed decides.
 *
 * <p>Holds against {@link ViewOracle} whatever the target has when all is quiet; and at all times
 * that nothing is emitted while the sources hold back, that versions only grow, and that every
 * change's {@code before} is what was emitted last.
 */
final class Simulation {
  private static final long FIRST_MILLIS = 1_000_000;
  private static final long SECOND_MILLIS = 1_000;

  /** Beyond the time for which the stages remember what was deleted. */
  private static final long LONG_MILLIS = 2 * 3_600_000;

  /** Steps travel in bytes, so that those that ask for the world have to find it. */
  private static final ThreadLocal<Simulation> CURRENT = new ThreadLocal<>();

  private final Scenario scenario;
  private final Random random;
  private final Interference interference;
  private final Database database;
  private final GraphRun graph;
  private final Map<String, Reader> readers = new TreeMap<>();
  private final List<OutputRun> outputs = new ArrayList<>();
  private final List<Image> checkpoints = new ArrayList<>();

  /** How many things happen between two events, at most. */
  private final int stride;

  /** Not before a period is over is all quiet. */
  private final long longestPeriodMillis;

  private long now = FIRST_MILLIS;
  private long transactions;
  private boolean undisturbed = true;

  private record Image(
      GraphRun.Image graph,
      Map<String, Reader.Position> positions,
      List<Map<BsonValue, DocumentChange>> emitted) {}

  private Simulation(ViewGraph composed, Scenario scenario, long seed, Interference interference) {
    this.scenario = scenario;
    this.random = new Random(seed);
    this.interference = interference;
    this.database = new Database(scenario.tables());
    this.stride = random.nextInt(4) == 0 ? 200 : 1 + random.nextInt(30);

    this.longestPeriodMillis =
        scenario.derived().stream()
            .mapToLong(one -> one instanceof Derived.Groups groups ? groups.period().toMillis() : 0)
            .max()
            .orElse(0);

    // Of the runners, Flink is the one that goes back to checkpoints.
    this.graph =
        new GraphRun(
            composed.pipeline(),
            random,
            new GraphRun.Habits(
                scenario.duplicates(), scenario.crashes() > 0 || random.nextBoolean()),
            interference);
    composed
        .changes()
        .forEach(
            (source, output) ->
                readers.put(
                    source,
                    new Reader(
                        output,
                        scenario.tables().stream()
                            .map(Table::id)
                            .filter(table -> table.source().equals(source))
                            .toList(),
                        database,
                        graph,
                        random,
                        interference)));
    for (int i = 0; i < scenario.views().size(); i++) {
      listen(composed.documents().get(i), new OutputRun(scenario.views().get(i), null));
    }
    for (int i = 0; i < scenario.derived().size(); i++) {
      Derived derived = scenario.derived().get(i);
      ViewNode view = scenario.views().get(derived.view());
      listen(composed.derived().get(i), new OutputRun(view, derived));
    }
  }

  private void listen(PCollection<DocumentChange> changes, OutputRun run) {
    outputs.add(run);
    graph.listen(changes, run::emitted, run::written);
  }

  /** The one that the calling step is run by. */
  static Simulation current() {
    return CURRENT.get();
  }

  long nowMillis() {
    return now;
  }

  /** The keys that a rollup's target has. */
  List<BsonDocument> groups(int derived) {
    return outputs.get(scenario.views().size() + derived).target.documents().keySet().stream()
        .map(BsonValue::asDocument)
        .toList();
  }

  /**
   * Runs a scenario in the order of this seed. Returns what is wrong, if anything is.
   *
   * @param graph the graph of the scenario's views
   */
  static Optional<SimulationFailure> run(
      ViewGraph graph, Scenario scenario, long seed, Interference interference) {
    Simulation simulation = new Simulation(graph, scenario, seed, interference);
    CURRENT.set(simulation);
    try {
      simulation.run();
      return Optional.empty();
    } catch (SimulationFailure failure) {
      return Optional.of(failure);
    } catch (RuntimeException failure) {
      return Optional.of(new SimulationFailure(failure));
    } finally {
      CURRENT.remove();
    }
  }

  /**
   * What the target of the only view has at the end of the scenario.
   *
   * @throws SimulationFailure if anything is not as it must be
   */
  static Target targetOf(ViewGraph graph, Scenario scenario, long seed) {
    Simulation simulation = new Simulation(graph, scenario, seed, Interference.NONE);
    simulation.play();
    return simulation.outputs.get(0).target;
  }

  /**
   * Runs the scenario, then deletes all rows.
   *
   * @throws SimulationFailure if anything is not as it must be
   */
  private void run() {
    play();
    deleteAll();
  }

  private void play() {
    for (Event event : scenario.events()) {
      happen(event);
      for (int i = random.nextInt(stride + 1); i > 0; i--) {
        advance();
      }
    }
    quiet("at the end");
  }

  private void happen(Event event) {
    if (event instanceof Transaction transaction) {
      commit(transaction);
    } else if (event instanceof Start) {
      readers.values().forEach(reader -> reader.start(now));
    } else if (event instanceof Checkpoint) {
      checkpoint();
    } else if (event instanceof Crash crash) {
      crash(crash);
    } else if (event instanceof Quiet) {
      quiet("when quiet");
    }
  }

  private void commit(Transaction transaction) {
    now += SECOND_MILLIS;
    boolean started = readers.values().stream().anyMatch(Reader::hasStarted);
    Map<String, List<RowChange>> changes = new TreeMap<>();
    for (Event.Operation operation : transaction.operations()) {
      changes
          .computeIfAbsent(operation.table().source(), source -> new ArrayList<>())
          .addAll(database.apply(operation));
    }
    if (started) {
      undisturbed = false;
      transactions++;
      changes.forEach(
          (source, rows) -> {
            if (readers.containsKey(source)) {
              readers.get(source).append(rows, transactions, now);
            }
          });
    }
  }

  /** Lets a source read or a step do something. */
  private void advance() {
    if (random.nextInt(3) == 0) {
      List<Reader> all = List.copyOf(readers.values());
      if (all.get(random.nextInt(all.size())).read(now)) {
        return;
      }
    }
    graph.step();
  }

  private void checkpoint() {
    if (!scenario.elementsInCheckpoints()) {
      graph.deliverAll();
    }
    Map<String, Reader.Position> positions = new HashMap<>();
    readers.forEach((source, reader) -> positions.put(source, reader.position()));
    if (positions.containsValue(null)) {
      return;
    }
    checkpoints.add(
        new Image(
            graph.checkpoint(),
            positions,
            outputs.stream().map(output -> Map.copyOf(output.lastEmitted)).toList()));
  }

  private void crash(Crash crash) {
    int back = crash.last() ? 1 : 2;
    if (checkpoints.size() < back) {
      return;
    }
    undisturbed = false;
    now += SECOND_MILLIS;
    if (!crash.last()) {
      checkpoints.remove(checkpoints.size() - 1);
    }
    Image image = checkpoints.get(checkpoints.size() - 1);
    graph.restore(image.graph);
    long floor =
        1 + readers.values().stream().mapToLong(Reader::highestSequence).max().orElseThrow();
    readers.forEach((source, reader) -> reader.resume(image.positions.get(source), floor, now));
    for (int i = 0; i < outputs.size(); i++) {
      outputs.get(i).lastEmitted = new HashMap<>(image.emitted.get(i));
      if (!scenario.elementsInCheckpoints()) {
        outputs.get(i).target.forgetDeletes();
      }
    }
  }

  private void quiet(String when) {
    settle();
    Map<TableId, List<BsonDocument>> rows = database.allRows();
    for (OutputRun output : outputs) {
      output.check(when, output.expected(new ViewOracle(rows).documents(output.root)));
      output.askJudge(when, rows);
    }
  }

  private void settle() {
    now += SECOND_MILLIS;
    List<Reader> all = List.copyOf(readers.values());
    boolean read = true;
    while (read) {
      read = false;
      for (Reader reader : all) {
        while (reader.read(now)) {
          read = true;
          for (int i = random.nextInt(stride + 1); i > 0; i--) {
            graph.step();
          }
        }
      }
    }
    now += SECOND_MILLIS + longestPeriodMillis;
    all.stream().filter(Reader::isLive).forEach(reader -> reader.idle(now));
    graph.run();
  }

  private void deleteAll() {
    if (readers.values().stream().noneMatch(Reader::hasStarted)) {
      return;
    }
    for (Table table : scenario.tables()) {
      for (BsonDocument row : List.copyOf(database.rows(table.id()))) {
        commit(new Transaction(List.of(new Event.Delete(table.id(), table.keyOf(row)))));
        for (int i = random.nextInt(stride + 1); i > 0; i--) {
          advance();
        }
      }
    }
    quiet("when all rows are deleted");
    now += LONG_MILLIS;
    settle();
    Map<String, Long> left = graph.keysWithState();
    // The one group of everything has a row even when there is nothing.
    left.entrySet().removeIf(step -> step.getValue() == 1 && isOfEverything(step.getKey()));
    if (!left.isEmpty()) {
      throw new SimulationFailure(
          Kind.STATE_LEFT, "keys that have state though all rows were deleted long ago: " + left);
    }
  }

  private boolean isOfEverything(String step) {
    for (int i = 0; i < scenario.derived().size(); i++) {
      if (step.equals(ViewGraph.derivedStep(i) + "/Aggregate")
          && scenario.derived().get(i) instanceof Derived.Groups groups
          && groups.aggregation().groupFields().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /** What a view emits, or what is made of that. */
  private final class OutputRun {
    private final ViewNode root;
    @Nullable private final Derived derived;
    private final Set<String> sources;
    private final Target target = new Target();
    private Map<BsonValue, DocumentChange> lastEmitted = new HashMap<>();

    /**
     * @param derived what it is that is made of the view's documents; null for these themselves
     */
    OutputRun(ViewNode root, @Nullable Derived derived) {
      this.root = root;
      this.derived = derived;
      this.sources = ViewGraph.sources(root);
    }

    /** Whether a step in between may have let one change of a key overtake another. */
    private boolean isMadeOfEmitted() {
      return derived instanceof Derived.Rows
          || (derived instanceof Derived.Groups groups && groups.row() != null);
    }

    private String what() {
      return derived == null ? "document" : derived instanceof Derived.Rows ? "row" : "group";
    }

    Map<BsonValue, BsonDocument> expected(Map<BsonValue, BsonDocument> documents) {
      if (derived == null) {
        return documents;
      }
      Map<BsonValue, BsonDocument> expected = DerivedOracle.of(derived, documents);
      if (derived instanceof Derived.Groups groups
          && groups.aggregation().groupFields().isEmpty()
          && !target.documents().containsKey(new BsonDocument())
          && documents.values().stream().noneMatch(groups::hasRows)) {
        // Whether there was ever a row, which the group's row needs to come, the rows do not tell.
        expected.clear();
      }
      return expected;
    }

    void written(DocumentChange change) {
      target.write(derived == null ? change : byValue(change));
    }

    private static DocumentChange byValue(DocumentChange change) {
      BsonDocument after = Target.copy(change.after());
      return new DocumentChange(
          DerivedOracle.byValue(change.key()),
          change.before(),
          after == null
              ? null
              : new RawBsonDocument(DerivedOracle.byValue(after), new BsonDocumentCodec()),
          change.existed(),
          change.certain(),
          change.version(),
          change.commitMillis());
    }

    void emitted(DocumentChange change) {
      // What a checkpoint has on its way to the last step goes on at once.
      boolean mayBeOfCheckpoint = isMadeOfEmitted() && scenario.elementsInCheckpoints();
      for (String source : mayBeOfCheckpoint ? Set.<String>of() : sources) {
        if (!readers.get(source).isLive() && interference.holdsWhenResuming()) {
          throw new SimulationFailure(
              Kind.NOT_HELD,
              what() + " " + change.key() + " was emitted while source " + source + " held back");
        }
      }
      if (isMadeOfEmitted()) {
        return;
      }
      BsonValue key = derived == null ? change.key() : DerivedOracle.byValue(change.key());
      DocumentChange last = lastEmitted.put(key, change);
      if (last != null && last.version() >= change.version()) {
        throw new SimulationFailure(
            Kind.VERSION,
            "the version of "
                + what()
                + " "
                + change.key()
                + " did not grow: "
                + last.version()
                + ", then "
                + change.version());
      }
      BsonDocument before = last == null ? null : Target.copy(last.after());
      if (!Objects.equals(before, Target.copy(change.before()))) {
        throw new SimulationFailure(
            Kind.BEFORE,
            what()
                + " "
                + change.key()
                + " was emitted as\n  "
                + json(before)
                + "\nand then with another `before`:\n  "
                + json(change.before()));
      }
    }

    void check(String when, Map<BsonValue, BsonDocument> expected) {
      Map<BsonValue, BsonDocument> found = target.documents();
      if (!found.equals(expected)) {
        throw new SimulationFailure(Kind.DIFFERENCE, differences(when, expected, found));
      }
      if (undisturbed
          && !isMadeOfEmitted()
          && scenario.duplicates() == 0
          && readers.values().stream().allMatch(Reader::isLive)
          && target.writes() != expected.size()) {
        throw new SimulationFailure(
            Kind.WRITES,
            "the load wrote "
                + expected.size()
                + " "
                + what()
                + "s "
                + target.writes()
                + " times instead of once each");
      }
    }

    void askJudge(String when, Map<TableId, List<BsonDocument>> rows) {
      if (derived != null && derived.judge() != null) {
        derived
            .judge()
            .judge(rows, target.documents())
            .ifPresent(
                wrong -> {
                  throw new SimulationFailure(Kind.DIFFERENCE, when + ", " + wrong);
                });
      }
    }

    private String differences(
        String when, Map<BsonValue, BsonDocument> expected, Map<BsonValue, BsonDocument> found) {
      Map<BsonValue, BsonDocument> all = new LinkedHashMap<>(expected);
      found.forEach(all::putIfAbsent);
      StringBuilder text =
          new StringBuilder("the target differs from the ")
              .append(derived instanceof Derived.Groups ? "grouping " : "join ")
              .append(when);
      all.keySet()
          .forEach(
              key -> {
                if (!Objects.equals(expected.get(key), found.get(key))) {
                  text.append('\n')
                      .append(what())
                      .append(' ')
                      .append(new BsonDocument("_id", key).toJson())
                      .append("\n  expected ")
                      .append(json(expected.get(key)))
                      .append("\n  found    ")
                      .append(json(found.get(key)));
                }
              });
      return text.toString();
    }

    private static String json(@Nullable BsonDocument document) {
      return document == null ? "nothing" : document.toJson();
    }
  }
}
