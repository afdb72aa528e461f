package io.widebeam.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.state.BagState;
import org.apache.beam.sdk.state.CombiningState;
import org.apache.beam.sdk.state.MapState;
import org.apache.beam.sdk.state.MultimapState;
import org.apache.beam.sdk.state.OrderedListState;
import org.apache.beam.sdk.state.ReadableState;
import org.apache.beam.sdk.state.ReadableStates;
import org.apache.beam.sdk.state.SetState;
import org.apache.beam.sdk.state.StateBinder;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.state.WatermarkHoldState;
import org.apache.beam.sdk.transforms.Combine;
import org.apache.beam.sdk.transforms.CombineWithContext;
import org.apache.beam.sdk.transforms.windowing.TimestampCombiner;
import org.joda.time.Instant;

/**
 * One key's state and timers in one step. States are kept as their coders' bytes, so that every
 * access and every copy goes through the coders.
 */
final class KeyCells {
  /** By state id: what an absent state has no entry for. */
  private final Map<String, Object> states;

  private final Map<String, Instant> timers;

  KeyCells() {
    this(new LinkedHashMap<>(), new LinkedHashMap<>());
  }

  private KeyCells(Map<String, Object> states, Map<String, Instant> timers) {
    this.states = states;
    this.timers = timers;
  }

  KeyCells copy() {
    Map<String, Object> copied = new LinkedHashMap<>();
    states.forEach((id, cell) -> copied.put(id, cell instanceof Cell own ? own.copy() : cell));
    return new KeyCells(copied, new LinkedHashMap<>(timers));
  }

  /** Timers by id; a timer that is not set has no entry. */
  Map<String, Instant> timers() {
    return timers;
  }

  boolean hasState() {
    return !states.isEmpty();
  }

  /** The state of this id, as its spec declares it. */
  Object bind(String id, StateSpec<?> spec, UnaryOperator<Object> onWrite) {
    return spec.bind(id, new Binder(onWrite));
  }

  /** A state of several encoded values. */
  private sealed interface Cell {
    Cell copy();
  }

  private record MapCell(Map<Coded, byte[]> entries) implements Cell {
    @Override
    public Cell copy() {
      return new MapCell(new LinkedHashMap<>(entries));
    }
  }

  private record BagCell(List<byte[]> values) implements Cell {
    @Override
    public Cell copy() {
      return new BagCell(new ArrayList<>(values));
    }
  }

  private final class Binder implements StateBinder {
    private final UnaryOperator<Object> onWrite;

    Binder(UnaryOperator<Object> onWrite) {
      this.onWrite = onWrite;
    }

    @Override
    public <T> ValueState<T> bindValue(String id, StateSpec<ValueState<T>> spec, Coder<T> coder) {
      return new Value<>(id, coder, onWrite);
    }

    @Override
    public <T> BagState<T> bindBag(String id, StateSpec<BagState<T>> spec, Coder<T> coder) {
      return new Bag<>(id, coder);
    }

    @Override
    public <K, V> MapState<K, V> bindMap(
        String id, StateSpec<MapState<K, V>> spec, Coder<K> keys, Coder<V> values) {
      return new Entries<>(id, keys, values, onWrite);
    }

    @Override
    public <T> SetState<T> bindSet(String id, StateSpec<SetState<T>> spec, Coder<T> coder) {
      throw unsupported(id);
    }

    @Override
    public <T> OrderedListState<T> bindOrderedList(
        String id, StateSpec<OrderedListState<T>> spec, Coder<T> coder) {
      throw unsupported(id);
    }

    @Override
    public <K, V> MultimapState<K, V> bindMultimap(
        String id, StateSpec<MultimapState<K, V>> spec, Coder<K> keys, Coder<V> values) {
      throw unsupported(id);
    }

    @Override
    public <I, A, O> CombiningState<I, A, O> bindCombining(
        String id,
        StateSpec<CombiningState<I, A, O>> spec,
        Coder<A> coder,
        Combine.CombineFn<I, A, O> combine) {
      throw unsupported(id);
    }

    @Override
    public <I, A, O> CombiningState<I, A, O> bindCombiningWithContext(
        String id,
        StateSpec<CombiningState<I, A, O>> spec,
        Coder<A> coder,
        CombineWithContext.CombineFnWithContext<I, A, O> combine) {
      throw unsupported(id);
    }

    @Override
    public WatermarkHoldState bindWatermark(
        String id, StateSpec<WatermarkHoldState> spec, TimestampCombiner combiner) {
      throw unsupported(id);
    }

    private static UnsupportedOperationException unsupported(String id) {
      return new UnsupportedOperationException(
          "the simulator has value, map and bag states, and none of the kind of `" + id + "`");
    }
  }

  private final class Value<T> implements ValueState<T> {
    private final String id;
    private final Coder<T> coder;
    private final UnaryOperator<Object> onWrite;

    Value(String id, Coder<T> coder, UnaryOperator<Object> onWrite) {
      this.id = id;
      this.coder = coder;
      this.onWrite = onWrite;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void write(T value) {
      states.put(id, Coded.encode(coder, (T) onWrite.apply(value)));
    }

    @Override
    @Nullable
    public T read() {
      byte[] encoded = (byte[]) states.get(id);
      return encoded == null ? null : Coded.decode(coder, encoded);
    }

    @Override
    public ValueState<T> readLater() {
      return this;
    }

    @Override
    public void clear() {
      states.remove(id);
    }
  }

  private final class Bag<T> implements BagState<T> {
    private final String id;
    private final Coder<T> coder;

    Bag(String id, Coder<T> coder) {
      this.id = id;
      this.coder = coder;
    }

    @Override
    public void add(T value) {
      ((BagCell) states.computeIfAbsent(id, absent -> new BagCell(new ArrayList<>())))
          .values.add(Coded.encode(coder, value));
    }

    @Override
    public Iterable<T> read() {
      BagCell cell = (BagCell) states.get(id);
      return cell == null
          ? List.of()
          : cell.values.stream().map(encoded -> Coded.decode(coder, encoded)).toList();
    }

    @Override
    public ReadableState<Boolean> isEmpty() {
      return ReadableStates.immediate(!states.containsKey(id));
    }

    @Override
    public BagState<T> readLater() {
      return this;
    }

    @Override
    public void clear() {
      states.remove(id);
    }
  }

  private final class Entries<K, V> implements MapState<K, V> {
    private final String id;
    private final Coder<K> keys;
    private final Coder<V> values;
    private final UnaryOperator<Object> onWrite;

    Entries(String id, Coder<K> keys, Coder<V> values, UnaryOperator<Object> onWrite) {
      this.id = id;
      this.keys = keys;
      this.values = values;
      this.onWrite = onWrite;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void put(K key, V value) {
      ((MapCell) states.computeIfAbsent(id, absent -> new MapCell(new LinkedHashMap<>())))
          .entries.put(encoded(key), Coded.encode(values, (V) onWrite.apply(value)));
    }

    @Override
    public ReadableState<V> computeIfAbsent(K key, Function<? super K, ? extends V> function) {
      V known = get(key).read();
      if (known == null) {
        put(key, function.apply(key));
      }
      return ReadableStates.immediate(known);
    }

    @Override
    public void remove(K key) {
      MapCell cell = (MapCell) states.get(id);
      if (cell != null) {
        cell.entries.remove(encoded(key));
        if (cell.entries.isEmpty()) {
          states.remove(id);
        }
      }
    }

    @Override
    public ReadableState<V> get(K key) {
      return getOrDefault(key, null);
    }

    @Override
    public ReadableState<V> getOrDefault(K key, @Nullable V otherwise) {
      byte[] value = map().get(encoded(key));
      return ReadableStates.immediate(value == null ? otherwise : Coded.decode(values, value));
    }

    @Override
    public ReadableState<Iterable<K>> keys() {
      return ReadableStates.immediate(map().keySet().stream().map(this::key).toList());
    }

    @Override
    public ReadableState<Iterable<V>> values() {
      return ReadableStates.immediate(
          map().values().stream().map(value -> Coded.decode(values, value)).toList());
    }

    @Override
    public ReadableState<Iterable<Map.Entry<K, V>>> entries() {
      return ReadableStates.immediate(
          map().entrySet().stream()
              .map(entry -> Map.entry(key(entry.getKey()), Coded.decode(values, entry.getValue())))
              .toList());
    }

    @Override
    public ReadableState<Boolean> isEmpty() {
      return ReadableStates.immediate(map().isEmpty());
    }

    @Override
    public void clear() {
      states.remove(id);
    }

    private Map<Coded, byte[]> map() {
      MapCell cell = (MapCell) states.get(id);
      return cell == null ? Map.of() : cell.entries;
    }

    private Coded encoded(K key) {
      return new Coded(Coded.encode(keys, key));
    }

    private K key(Coded encoded) {
      return Coded.decode(keys, encoded.bytes());
    }
  }
}
