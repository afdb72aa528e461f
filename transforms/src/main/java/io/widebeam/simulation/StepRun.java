package io.widebeam.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.state.State;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.reflect.DoFnInvoker;
import org.apache.beam.sdk.transforms.reflect.DoFnInvokers;
import org.apache.beam.sdk.transforms.reflect.DoFnSignature;
import org.apache.beam.sdk.transforms.reflect.DoFnSignatures;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.GlobalWindow;
import org.apache.beam.sdk.transforms.windowing.PaneInfo;
import org.apache.beam.sdk.util.SerializableUtils;
import org.apache.beam.sdk.util.UserCodeException;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.OutputBuilder;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.Row;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.WindowedValues;
import org.joda.time.Duration;
import org.joda.time.Instant;

/** One ParDo of a {@link GraphRun}: its instances, and its keys' states and timers. */
final class StepRun extends GraphRun.Target implements GraphRun.Origin {
  private static final int INSTANCES = 2;

  private static final PipelineOptions OPTIONS = PipelineOptionsFactory.create();

  /** The states and timers of all keys. */
  record Cells(Map<Coded, KeyCells> byKey) {
    Cells copy() {
      Map<Coded, KeyCells> copied = new LinkedHashMap<>();
      byKey.forEach((key, cells) -> copied.put(key, cells.copy()));
      return new Cells(copied);
    }

    long keysWithState() {
      return byKey.values().stream().filter(KeyCells::hasState).count();
    }
  }

  private final String name;
  private final byte[] serializedFn;
  private final DoFnSignature signature;
  private final TupleTag<?> mainTag;
  private final Map<TupleTag<?>, PCollection<?>> outputs;
  private final GraphRun graph;
  private final Interference interference;
  @Nullable private final Coder<Object> keyCoder;
  private final List<Instance> instances = new ArrayList<>();
  private Cells cells = new Cells(new LinkedHashMap<>());

  @SuppressWarnings("unchecked")
  StepRun(
      String name,
      ParDo.MultiOutput<?, ?> parDo,
      PCollection<?> input,
      Map<TupleTag<?>, PCollection<?>> outputs,
      GraphRun graph,
      Interference interference) {
    super(input.getCoder());
    this.name = name;
    this.serializedFn = SerializableUtils.serializeToByteArray(parDo.getFn());
    this.signature = DoFnSignatures.getSignature(parDo.getFn().getClass());
    this.mainTag = parDo.getMainOutputTag();
    this.outputs = Map.copyOf(outputs);
    this.graph = graph;
    this.interference = interference;
    this.keyCoder =
        signature.isStateful() ? ((KvCoder<Object, ?>) input.getCoder()).getKeyCoder() : null;
  }

  String name() {
    return name;
  }

  Cells cells() {
    return cells;
  }

  /** New instances, which have seen no watermark. */
  void start() {
    instances.clear();
    for (int i = 0; i < INSTANCES; i++) {
      instances.add(new Instance());
    }
  }

  void restore(Cells image) {
    cells = image;
    start();
  }

  @Override
  void deliver(Object element, Instant timestamp) {
    Object processed = interference.element(name, element);
    if (processed == null) {
      return;
    }
    if (keyCoder == null) {
      instances.get(graph.random().nextInt(INSTANCES)).process(processed, timestamp, null, null);
      return;
    }
    Object key = ((KV<?, ?>) processed).getKey();
    Coded encoded = new Coded(Coded.encode(keyCoder, key));
    instanceOf(encoded).process(processed, timestamp, key, encoded);
  }

  private Instance instanceOf(Coded key) {
    return instances.get(Math.floorMod(key.hashCode(), INSTANCES));
  }

  @Override
  public Instant outgoingWatermark() {
    Instant earliest = BoundedWindow.TIMESTAMP_MAX_VALUE;
    for (Instance instance : instances) {
      earliest = GraphRun.min(earliest, instance.watermark);
      for (Due due : instance.due) {
        earliest = GraphRun.min(earliest, due.time);
      }
    }
    return earliest;
  }

  boolean canMoveWatermark() {
    Instant incoming = incomingWatermark(graph.habits().likeFlink());
    return instances.stream().anyMatch(instance -> instance.watermark.isBefore(incoming));
  }

  /** Of one instance that may. */
  void moveWatermark() {
    Instant incoming = incomingWatermark(graph.habits().likeFlink());
    List<Instance> behind =
        instances.stream().filter(instance -> instance.watermark.isBefore(incoming)).toList();
    behind.get(graph.random().nextInt(behind.size())).moveWatermark(incoming);
  }

  boolean canFire() {
    return instances.stream().anyMatch(instance -> !instance.due.isEmpty());
  }

  void fireOne() {
    List<Instance> ready = instances.stream().filter(instance -> !instance.due.isEmpty()).toList();
    Instance instance = ready.get(graph.random().nextInt(ready.size()));
    instance.fire(graph.random().nextInt(instance.due.size()));
  }

  /** A timer whose time has come. */
  private record Due(Coded key, String timerId, Instant time) {}

  /** One copy of the DoFn, with its share of the keys. */
  private final class Instance {
    private final DoFn<Object, Object> fn;
    private final DoFnInvoker<Object, Object> invoker;
    private final List<Due> due = new ArrayList<>();
    private Instant watermark = GraphRun.BEGINNING;

    @SuppressWarnings("unchecked")
    Instance() {
      fn = (DoFn<Object, Object>) SerializableUtils.deserializeFromByteArray(serializedFn, name);
      invoker = DoFnInvokers.invokerFor(fn);
      invoker.invokeSetup(new Arguments(this, null, null, null, GraphRun.BEGINNING));
    }

    void process(
        Object element, Instant timestamp, @Nullable Object key, @Nullable Coded encodedKey) {
      bundle(
          timestamp,
          () ->
              invoker.invokeProcessElement(
                  new Arguments(this, element, key, encodedKey, timestamp)));
    }

    /** Every element and every timer is a bundle of its own. */
    private void bundle(Instant timestamp, Runnable work) {
      Arguments arguments = new Arguments(this, null, null, null, timestamp);
      try {
        if (signature.startBundle() != null) {
          invoker.invokeStartBundle(arguments);
        }
        work.run();
        if (signature.finishBundle() != null) {
          invoker.invokeFinishBundle(arguments);
        }
      } catch (UserCodeException e) {
        throw e.getCause() instanceof RuntimeException cause ? cause : e;
      }
    }

    void moveWatermark(Instant to) {
      watermark = to;
      if (keyCoder == null) {
        return;
      }
      cells.byKey.forEach(
          (key, own) -> {
            if (instanceOf(key) == this) {
              own.timers().forEach((id, time) -> addIfDue(key, id, time));
            }
          });
      if (graph.habits().likeFlink()) {
        due.sort(Comparator.comparing(Due::time));
        while (!due.isEmpty()) {
          fire(0);
        }
      }
    }

    private void addIfDue(Coded key, String timerId, Instant time) {
      Due timer = new Due(key, timerId, time);
      if (time.isBefore(watermark) && !due.contains(timer)) {
        due.add(timer);
      }
    }

    void fire(int at) {
      Due timer = due.remove(at);
      KeyCells own = cells.byKey.get(timer.key);
      if (!timer.time.equals(own.timers().get(timer.timerId))) {
        return; // It has been set to another time since.
      }
      own.timers().remove(timer.timerId);
      Object key = Coded.decode(keyCoder, timer.key.bytes());
      bundle(
          timer.time,
          () ->
              invoker.invokeOnTimer(
                  timer.timerId, "", new Arguments(this, null, key, timer.key, timer.time)));
    }
  }

  /** What a DoFn's methods ask for. */
  private final class Arguments extends DoFnInvoker.BaseArgumentProvider<Object, Object> {
    private final Instance instance;
    @Nullable private final Object element;
    @Nullable private final Object key;
    @Nullable private final Coded encodedKey;
    private final Instant timestamp;
    private final Map<String, Object> bound = new HashMap<>();

    Arguments(
        Instance instance,
        @Nullable Object element,
        @Nullable Object key,
        @Nullable Coded encodedKey,
        Instant timestamp) {
      this.instance = instance;
      this.element = element;
      this.key = key;
      this.encodedKey = encodedKey;
      this.timestamp = timestamp;
    }

    @Override
    public Object element(DoFn<Object, Object> doFn) {
      return element;
    }

    @Override
    public Object key() {
      return key;
    }

    @Override
    public Instant timestamp(DoFn<Object, Object> doFn) {
      return timestamp;
    }

    @Override
    public TimeDomain timeDomain(DoFn<Object, Object> doFn) {
      return TimeDomain.EVENT_TIME;
    }

    @Override
    public BoundedWindow window() {
      return GlobalWindow.INSTANCE;
    }

    @Override
    public PaneInfo paneInfo(DoFn<Object, Object> doFn) {
      return PaneInfo.NO_FIRING;
    }

    @Override
    public PipelineOptions pipelineOptions() {
      return OPTIONS;
    }

    @Override
    public DoFn.OutputReceiver<Object> outputReceiver(DoFn<Object, Object> doFn) {
      return receiver(mainTag);
    }

    @Override
    public DoFn.MultiOutputReceiver taggedOutputReceiver(DoFn<Object, Object> doFn) {
      return new DoFn.MultiOutputReceiver() {
        @Override
        public <T> DoFn.OutputReceiver<T> get(TupleTag<T> tag) {
          return receiver(tag);
        }

        @Override
        public <T> DoFn.OutputReceiver<Row> getRowReceiver(TupleTag<T> tag) {
          throw new UnsupportedOperationException("rows with a schema are not simulated");
        }
      };
    }

    private <T> DoFn.OutputReceiver<T> receiver(TupleTag<?> tag) {
      PCollection<?> output = outputs.get(tag);
      if (output == null) {
        throw new IllegalArgumentException(name + " has no output " + tag);
      }
      return new DoFn.OutputReceiver<>() {
        @Override
        public OutputBuilder<T> builder(T value) {
          return WindowedValues.<T>builder()
              .setValue(value)
              .setTimestamp(timestamp)
              .setWindow(GlobalWindow.INSTANCE)
              .setPaneInfo(PaneInfo.NO_FIRING)
              .setReceiver(emitted -> output(emitted.getValue(), emitted.getTimestamp()));
        }

        @Override
        public void output(T value) {
          output(value, timestamp);
        }

        private void output(T value, Instant time) {
          graph.send(output, value, time);
        }
      };
    }

    @Override
    public State state(String stateId, boolean alwaysFetched) {
      return (State)
          bound.computeIfAbsent(
              stateId,
              id ->
                  cells()
                      .bind(
                          id,
                          (StateSpec<?>) declared(signature.stateDeclarations().get(id).field()),
                          value -> interference.state(name, id, value)));
    }

    @Override
    public Timer timer(String timerId) {
      TimerSpec spec = (TimerSpec) declared(signature.timerDeclarations().get(timerId).field());
      if (spec.getTimeDomain() != TimeDomain.EVENT_TIME) {
        throw new UnsupportedOperationException(
            name + ": only event-time timers are simulated, and " + timerId + " is none");
      }
      return new EventTimer(this, timerId);
    }

    private KeyCells cells() {
      return cells.byKey.computeIfAbsent(encodedKey, none -> new KeyCells());
    }

    private Object declared(java.lang.reflect.Field field) {
      try {
        field.setAccessible(true);
        return field.get(instance.fn);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public String getErrorContext() {
      return "the simulator, in " + name;
    }
  }

  private static final class EventTimer implements Timer {
    private final Arguments owner;
    private final String id;

    EventTimer(Arguments owner, String id) {
      this.owner = owner;
      this.id = id;
    }

    @Override
    public void set(Instant time) {
      owner.cells().timers().put(id, time);
      owner.instance.addIfDue(owner.encodedKey, id, time);
    }

    @Override
    public void clear() {
      owner.cells().timers().remove(id);
    }

    @Override
    public Timer withOutputTimestamp(Instant time) {
      return this;
    }

    @Override
    public Timer withNoOutputTimestamp() {
      return this;
    }

    @Override
    public void setRelative() {
      throw new UnsupportedOperationException("relative timers are not simulated");
    }

    @Override
    public Timer offset(Duration offset) {
      throw new UnsupportedOperationException("relative timers are not simulated");
    }

    @Override
    public Timer align(Duration period) {
      throw new UnsupportedOperationException("relative timers are not simulated");
    }

    @Override
    public Instant getCurrentRelativeTime() {
      return owner.instance.watermark;
    }
  }
}
