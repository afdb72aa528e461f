package io.widebeam.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.runners.TransformHierarchy;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.joda.time.Instant;

/**
 * Runs a Beam graph in memory under a scheduler of its own, which picks what happens next at random
 * among all that may: an element is delivered, the watermark of one instance of a step moves on, a
 * timer fires. Elements overtake one another even on one key, and some are delivered twice, as the
 * model allows. Elements and states go through their coders.
 *
 * <p>Every step has several instances, each with a share of the keys and a watermark of its own. A
 * watermark stays behind the elements that are under way to its step, as on the runners.
 *
 * <p>The graph may have {@link SimulatedRead}, {@code ParDo} without side inputs, {@code Flatten}
 * and {@link SimulatedWrite}, all in the global window.
 */
final class GraphRun {
  static final Instant BEGINNING = BoundedWindow.TIMESTAMP_MIN_VALUE;

  /**
   * How the scheduler behaves, and what runners may do either way.
   *
   * @param duplicates the share of elements that are delivered once more
   * @param likeFlink whether a watermark comes after the elements that were sent before it, and all
   *     timers whose time it has passed fire at once; else, as on the direct runner, it follows the
   *     oldest element that is under way, and timers fire one by one, between other things
   */
  record Habits(double duplicates, boolean likeFlink) {}

  /** What has been checkpointed: all states and timers, and all elements under way. */
  record Image(Map<StepRun, StepRun.Cells> cells, Map<Target, List<InFlight>> pending) {}

  record InFlight(byte[] element, Instant timestamp) {}

  /** Where elements are under way to. */
  abstract static sealed class Target permits StepRun, Sink {
    final Coder<Object> coder;
    final Set<Origin> origins = new LinkedHashSet<>();
    List<InFlight> pending = new ArrayList<>();

    @SuppressWarnings("unchecked")
    Target(Coder<?> coder) {
      this.coder = (Coder<Object>) coder;
    }

    abstract void deliver(Object element, Instant timestamp);

    /** No element with a smaller time will come any more. */
    final Instant incomingWatermark(boolean behindElements) {
      Instant earliest = BoundedWindow.TIMESTAMP_MAX_VALUE;
      for (Origin origin : origins) {
        earliest = min(earliest, origin.outgoingWatermark());
      }
      Instant latest = earliest;
      for (InFlight element : pending) {
        if (element.timestamp.isBefore(latest)) {
          earliest = behindElements ? BEGINNING : min(earliest, element.timestamp);
        }
      }
      return earliest;
    }
  }

  /** Where elements come from. */
  sealed interface Origin permits StepRun, Source {
    Instant outgoingWatermark();
  }

  private static final class Source implements Origin {
    private Instant watermark = BEGINNING;

    @Override
    public Instant outgoingWatermark() {
      return watermark;
    }
  }

  private static final class Sink extends Target {
    private Consumer<Object> emitted = value -> {};
    private Consumer<Object> written = value -> {};

    Sink(Coder<?> coder) {
      super(coder);
    }

    @Override
    void deliver(Object element, Instant timestamp) {
      written.accept(element);
    }
  }

  private final Random random;
  private final Habits habits;
  private final List<Target> targets = new ArrayList<>();
  private final List<StepRun> steps = new ArrayList<>();
  private final Map<PCollection<?>, Source> sources = new HashMap<>();
  private final Map<PCollection<?>, Sink> sinks = new HashMap<>();
  private final Map<PCollection<?>, List<Target>> consumers = new HashMap<>();

  GraphRun(Pipeline pipeline, Random random, Habits habits, Interference interference) {
    this.random = random;
    this.habits = habits;
    Map<PCollection<?>, List<PCollection<?>>> flattens = new HashMap<>();
    Map<PCollection<?>, List<Target>> readers = new HashMap<>();
    Map<PCollection<?>, Origin> producers = new HashMap<>();
    pipeline.traverseTopologically(
        new Pipeline.PipelineVisitor.Defaults() {
          @Override
          public void visitPrimitiveTransform(TransformHierarchy.Node node) {
            PTransform<?, ?> transform = node.getTransform();
            if (transform instanceof SimulatedRead) {
              Source source = new Source();
              PCollection<?> output = only(node.getOutputs());
              sources.put(output, source);
              producers.put(output, source);
            } else if (transform instanceof Flatten.PCollections) {
              for (PCollection<?> input : node.getInputs().values()) {
                flattens
                    .computeIfAbsent(input, none -> new ArrayList<>())
                    .add(only(node.getOutputs()));
              }
            } else if (transform instanceof ParDo.MultiOutput<?, ?> parDo
                && parDo.getSideInputs().isEmpty()) {
              PCollection<?> input = only(node.getInputs());
              StepRun step =
                  new StepRun(
                      stepName(node), parDo, input, node.getOutputs(), GraphRun.this, interference);
              steps.add(step);
              targets.add(step);
              readers.computeIfAbsent(input, none -> new ArrayList<>()).add(step);
              node.getOutputs().values().forEach(output -> producers.put(output, step));
            } else if (transform instanceof SimulatedWrite) {
              PCollection<?> input = only(node.getInputs());
              Sink sink = new Sink(input.getCoder());
              targets.add(sink);
              sinks.put(input, sink);
              readers.computeIfAbsent(input, none -> new ArrayList<>()).add(sink);
            } else {
              throw new UnsupportedOperationException(
                  "the simulator cannot run " + node.getFullName() + ", a " + transform);
            }
          }
        });
    for (PCollection<?> output : producers.keySet()) {
      List<Target> reached = new ArrayList<>();
      reach(output, readers, flattens, reached);
      consumers.put(output, reached);
      reached.forEach(target -> target.origins.add(producers.get(output)));
    }
    steps.forEach(StepRun::start);
  }

  private static void reach(
      PCollection<?> collection,
      Map<PCollection<?>, List<Target>> readers,
      Map<PCollection<?>, List<PCollection<?>>> flattens,
      List<Target> reached) {
    reached.addAll(readers.getOrDefault(collection, List.of()));
    for (PCollection<?> into : flattens.getOrDefault(collection, List.of())) {
      reach(into, readers, flattens, reached);
    }
  }

  private static PCollection<?> only(Map<?, PCollection<?>> collections) {
    return collections.values().iterator().next();
  }

  /** Without the name of the primitive that every ParDo ends in. */
  private static String stepName(TransformHierarchy.Node node) {
    return node.getFullName().replaceFirst("/ParMultiDo\\([^)]*\\)$", "");
  }

  Habits habits() {
    return habits;
  }

  Random random() {
    return random;
  }

  /** Calls for every element of the collection when it is emitted, and when it arrives. */
  @SuppressWarnings("unchecked")
  <T> void listen(PCollection<T> collection, Consumer<T> emitted, Consumer<T> written) {
    Sink sink = sinks.get(collection);
    sink.emitted = value -> emitted.accept((T) value);
    sink.written = value -> written.accept((T) value);
  }

  /** The source of this collection gives an element out. */
  <T> void read(PCollection<T> collection, T element, Instant timestamp) {
    send(collection, element, timestamp);
  }

  /** The source of this collection moves its watermark. */
  void watermark(PCollection<?> collection, Instant watermark) {
    Source source = sources.get(collection);
    source.watermark = max(source.watermark, watermark);
  }

  void send(PCollection<?> collection, Object element, Instant timestamp) {
    for (Target target : consumers.get(collection)) {
      if (target instanceof Sink sink) {
        sink.emitted.accept(element);
      }
      target.pending.add(new InFlight(Coded.encode(target.coder, element), timestamp));
    }
  }

  /** Lets one thing happen, if anything may. Returns whether it did. */
  boolean step() {
    // Deliveries are most of what happens; the rest gets its share.
    return switch (random.nextInt(8)) {
      case 0, 1 -> moveWatermark() || fire() || deliver();
      case 2 -> fire() || deliver() || moveWatermark();
      default -> deliver() || fire() || moveWatermark();
    };
  }

  /** Lets happen whatever may. */
  void run() {
    while (step()) {}
  }

  /** Delivers all elements that are under way, and what they cause, with no watermark moved. */
  void deliverAll() {
    while (deliver()) {}
  }

  private boolean deliver() {
    Target target = any(targets, candidate -> !candidate.pending.isEmpty());
    if (target == null) {
      return false;
    }
    List<InFlight> pending = target.pending;
    int at = random.nextInt(pending.size());
    InFlight element = pending.get(at);
    if (random.nextDouble() >= habits.duplicates) {
      pending.set(at, pending.get(pending.size() - 1));
      pending.remove(pending.size() - 1);
    }
    target.deliver(Coded.decode(target.coder, element.element), element.timestamp);
    return true;
  }

  private boolean moveWatermark() {
    StepRun step = any(steps, StepRun::canMoveWatermark);
    if (step == null) {
      return false;
    }
    step.moveWatermark();
    return true;
  }

  private boolean fire() {
    StepRun step = any(steps, StepRun::canFire);
    if (step == null) {
      return false;
    }
    step.fireOne();
    return true;
  }

  @Nullable
  private <T> T any(List<? extends T> candidates, Predicate<T> fit) {
    int from = random.nextInt(Math.max(candidates.size(), 1));
    for (int i = 0; i < candidates.size(); i++) {
      T candidate = candidates.get((from + i) % candidates.size());
      if (fit.test(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  /** A consistent cut. */
  Image checkpoint() {
    Map<StepRun, StepRun.Cells> cells = new HashMap<>();
    steps.forEach(step -> cells.put(step, step.cells().copy()));
    Map<Target, List<InFlight>> pending = new HashMap<>();
    targets.forEach(target -> pending.put(target, new ArrayList<>(target.pending)));
    return new Image(cells, pending);
  }

  /** All is as it was at the cut, but the watermarks, which begin anew. */
  void restore(Image image) {
    steps.forEach(step -> step.restore(image.cells.get(step).copy()));
    targets.forEach(target -> target.pending = new ArrayList<>(image.pending.get(target)));
    sources.values().forEach(source -> source.watermark = BEGINNING);
  }

  /** How many keys have any state, by step; without the steps that have none. */
  Map<String, Long> keysWithState() {
    Map<String, Long> keys = new HashMap<>();
    for (StepRun step : steps) {
      long count = step.cells().keysWithState();
      if (count > 0) {
        keys.put(step.name(), count);
      }
    }
    return keys;
  }

  static Instant min(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  static Instant max(Instant a, Instant b) {
    return a.isAfter(b) ? a : b;
  }
}
