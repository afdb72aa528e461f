package io.widebeam.join;

import io.widebeam.change.Change;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.state.MapState;
import org.apache.beam.sdk.state.ReadableState;
import org.apache.beam.sdk.state.ReadableStates;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.transforms.DoFn.MultiOutputReceiver;
import org.apache.beam.sdk.transforms.DoFn.OutputReceiver;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.OutputBuilder;
import org.apache.beam.sdk.values.Row;
import org.apache.beam.sdk.values.TupleTag;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Runs the stages of a view in memory under a scheduler of its own, which picks the next delivery
 * at random among all that are under way: messages overtake one another even on one key, and some
 * are delivered twice. States go through their coders. Nothing is held back but the watermark.
 */
final class Simulation {
  private static final Instant LOAD = Instant.ofEpochMilli(1_000_000);

  private final Random random;
  private final double duplicates;
  private final JoinPlan plan;
  private final RouteFn route;
  private final List<StageRun> stages = new ArrayList<>();
  private final Map<BsonValue, DocumentChange> last = new LinkedHashMap<>();
  private final List<DocumentChange> emitted = new ArrayList<>();
  private final int few;
  private Instant now = LOAD;

  Simulation(ViewNode root, long seed, double duplicates) {
    this.random = new Random(seed);
    this.duplicates = duplicates;
    // Both ways of keeping subscribers, and the change from one to the other.
    this.few = random.nextInt(4);
    this.plan = JoinPlan.of(root);
    this.route = new RouteFn(plan);
    route.setUp();
    for (Stage stage : plan.stages()) {
      stages.add(new StageRun(stage));
    }
  }

  /** Takes a change in; it is on its way afterwards. */
  void accept(Change change) {
    if (!change.snapshot()) {
      now = now.plus(Duration.standardSeconds(1));
    }
    route.process(change, new Outputs());
    if (random.nextDouble() < duplicates) {
      route.process(change, new Outputs());
    }
  }

  /** Delivers some of what is under way. */
  void deliver(int messages) {
    for (int i = 0; i < messages; i++) {
      List<StageRun> busy = stages.stream().filter(stage -> !stage.pending.isEmpty()).toList();
      if (busy.isEmpty()) {
        return;
      }
      busy.get(random.nextInt(busy.size())).deliverOne();
    }
  }

  /** Lets the watermark pass, stage by stage, as a runner does. */
  void advanceWatermark() {
    for (StageRun stage : stages) {
      stage.drain();
      stage.release();
    }
  }

  /** Lets the watermark pass so far that all tombstones are forgotten. */
  void forget() {
    advanceWatermark();
    now = now.plus(AssembleFn.TOMBSTONES).plus(Duration.standardSeconds(1));
    for (StageRun stage : stages) {
      stage.forget();
    }
  }

  List<DocumentChange> emitted() {
    return emitted;
  }

  /** The number of keys with any state left. */
  long keysWithState() {
    return stages.stream().mapToLong(StageRun::keysWithState).sum();
  }

  /** What the target holds, if it applies every change unless it has a newer one. */
  Map<BsonValue, BsonDocument> target() {
    Map<BsonValue, BsonDocument> documents = new HashMap<>();
    last.forEach(
        (key, change) -> {
          if (change.after() != null) {
            documents.put(
                key,
                new BsonDocument(
                    change.after().entrySet().stream()
                        .map(e -> new org.bson.BsonElement(e.getKey(), e.getValue()))
                        .toList()));
          }
        });
    return documents;
  }

  private final class StageRun {
    private final Stage stage;
    private final List<KV<JoinKey, Message>> pending = new ArrayList<>();
    private final Map<JoinKey, Cells> cells = new HashMap<>();
    private final List<LookupFn> lookups = new ArrayList<>();
    private final List<AssembleFn> assemblies = new ArrayList<>();

    StageRun(Stage stage) {
      this.stage = stage;
      for (int instance = 0; instance < 2; instance++) {
        LookupFn lookup = new LookupFn(plan, few);
        lookup.setUp();
        lookups.add(lookup);
        AssembleFn assembly = new AssembleFn(plan, true, 0);
        assembly.setUp();
        assemblies.add(assembly);
      }
    }

    void deliverOne() {
      int at = random.nextInt(pending.size());
      KV<JoinKey, Message> element = pending.get(at);
      if (random.nextDouble() >= duplicates) {
        pending.set(at, pending.get(pending.size() - 1));
        pending.remove(pending.size() - 1);
      }
      Cells own = cells.computeIfAbsent(element.getKey(), key -> new Cells());
      int instance = Math.floorMod(element.getKey().hashCode(), 2);
      switch (stage.kind()) {
        case LOOKUP ->
            lookups
                .get(instance)
                .process(
                    element,
                    now,
                    own.rows,
                    own.subscribers,
                    own.release,
                    own.forget,
                    new Outputs());
        case ASSEMBLE ->
            assemblies
                .get(instance)
                .process(element, now, own.assembly, own.release, own.forget, new Outputs());
      }
    }

    void drain() {
      while (!pending.isEmpty()) {
        deliverOne();
      }
    }

    void release() {
      cells.forEach(
          (key, own) -> {
            if (own.release.at != null) {
              own.release.at = null;
              int instance = Math.floorMod(key.hashCode(), 2);
              switch (stage.kind()) {
                case LOOKUP ->
                    lookups.get(instance).release(key, own.rows, own.subscribers, new Outputs());
                case ASSEMBLE -> assemblies.get(instance).release(key, own.assembly, new Outputs());
              }
            }
          });
    }

    void forget() {
      cells.forEach(
          (key, own) -> {
            if (own.forget.at != null && !own.forget.at.isAfter(now)) {
              own.forget.at = null;
              switch (stage.kind()) {
                case LOOKUP -> lookups.get(0).forget(now, own.rows, own.subscribers);
                case ASSEMBLE -> assemblies.get(0).forget(now, own.assembly);
              }
            }
          });
    }

    long keysWithState() {
      return cells.values().stream().filter(Cells::hasState).count();
    }
  }

  /** One key's state. */
  private static final class Cells {
    final Value<LookupState> rows = new Value<>(new LookupState.StateCoder());
    final Entries<LookupState.Subscriber, LookupState.Subscribed> subscribers = new Entries<>();
    final Value<AssemblyState> assembly = new Value<>(new AssemblyState.StateCoder());
    final Alarm release = new Alarm();
    final Alarm forget = new Alarm();

    boolean hasState() {
      return rows.encoded != null || assembly.encoded != null || !subscribers.map.isEmpty();
    }
  }

  private static final class Value<T> implements ValueState<T> {
    private final Coder<T> coder;
    @Nullable private byte[] encoded;

    Value(Coder<T> coder) {
      this.coder = coder;
    }

    @Override
    public void write(T value) {
      try {
        encoded = CoderUtils.encodeToByteArray(coder, value);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    @Override
    @Nullable
    public T read() {
      try {
        return encoded == null ? null : CoderUtils.decodeFromByteArray(coder, encoded);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public ValueState<T> readLater() {
      return this;
    }

    @Override
    public void clear() {
      encoded = null;
    }
  }

  private static final class Entries<K, V> implements MapState<K, V> {
    private final Map<K, V> map = new HashMap<>();

    @Override
    public void put(K key, V value) {
      map.put(key, value);
    }

    @Override
    public ReadableState<V> computeIfAbsent(K key, Function<? super K, ? extends V> function) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void remove(K key) {
      map.remove(key);
    }

    @Override
    public ReadableState<V> get(K key) {
      return ReadableStates.immediate(map.get(key));
    }

    @Override
    public ReadableState<V> getOrDefault(K key, V value) {
      return ReadableStates.immediate(map.getOrDefault(key, value));
    }

    @Override
    public ReadableState<Iterable<K>> keys() {
      return ReadableStates.immediate(map.keySet());
    }

    @Override
    public ReadableState<Iterable<V>> values() {
      return ReadableStates.immediate(map.values());
    }

    @Override
    public ReadableState<Iterable<Map.Entry<K, V>>> entries() {
      return ReadableStates.immediate(map.entrySet());
    }

    @Override
    public ReadableState<Boolean> isEmpty() {
      return ReadableStates.immediate(map.isEmpty());
    }

    @Override
    public void clear() {
      map.clear();
    }
  }

  private static final class Alarm implements Timer {
    @Nullable private Instant at;

    @Override
    public void set(Instant time) {
      at = time;
    }

    @Override
    public void setRelative() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void clear() {
      at = null;
    }

    @Override
    public Timer offset(Duration offset) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Timer align(Duration period) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Timer withOutputTimestamp(Instant time) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Timer withNoOutputTimestamp() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Instant getCurrentRelativeTime() {
      throw new UnsupportedOperationException();
    }
  }

  private final class Outputs implements MultiOutputReceiver {
    @Override
    public <T> OutputReceiver<T> get(TupleTag<T> tag) {
      return new OutputReceiver<>() {
        @Override
        public OutputBuilder<T> builder(T value) {
          throw new UnsupportedOperationException();
        }

        @Override
        @SuppressWarnings("unchecked")
        public void output(T value) {
          if (value instanceof DocumentChange document) {
            emit(document);
          } else {
            send(tag, (KV<JoinKey, Message>) value);
          }
        }
      };
    }

    @Override
    public <T> OutputReceiver<Row> getRowReceiver(TupleTag<T> tag) {
      throw new UnsupportedOperationException();
    }

    private void send(TupleTag<?> tag, KV<JoinKey, Message> element) {
      for (StageRun stage : stages) {
        if (stage.stage.tag().equals(tag)) {
          stage.pending.add(element);
          return;
        }
      }
      throw new AssertionError("nobody takes " + tag);
    }

    private void emit(DocumentChange document) {
      emitted.add(document);
      DocumentChange before = last.get(document.key());
      if (before != null && document.version() <= before.version()) {
        throw new AssertionError("the version of " + document.key() + " did not grow");
      }
      last.put(document.key(), document);
    }
  }
}
