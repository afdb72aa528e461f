package io.widebeam.rollup;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKey;
import io.widebeam.join.JoinKeyCoder;
import io.widebeam.join.JoinKeyEncoder;
import io.widebeam.rollup.Aggregate.Function;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.state.MapState;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.StateSpecs;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.util.VarInt;
import org.apache.beam.sdk.values.KV;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Keeps one group's aggregates. Keyed by the group; holds what each document gives it, so that a
 * newer contribution replaces an older one: sums and counts by the difference, minima, maxima and
 * distinct counts by how often each value is there.
 *
 * <p>Assumes no order of arrival: contributions carry their document's version, older and repeated
 * ones are dropped, and a document that has left is remembered for {@link #REMEMBERED}.
 *
 * <p>An instance starts held, as the joins' steps do: the first emission of a group waits until the
 * watermark moves on, and is made even if it changes nothing, since after a crash the target may
 * hold what this state has forgotten. The same goes for what documents give that may be in the
 * target as something else. Versions are of the clock, which is ahead of every version of the runs
 * before; a group that is gone is remembered with its version as long as its documents are.
 */
final class AggregateFn extends DoFn<KV<JoinKey, Contribution>, DocumentChange> {
  /** How long, in event time, a contribution can stay under way. */
  static final Duration REMEMBERED = Duration.standardHours(1);

  /** The watermark may stand at the time of elements that are still to come, but not beyond. */
  private static final Duration TICK = Duration.millis(1);

  /** Versions per millisecond, so that they outrank those of the runs before. */
  private static final int VERSION_BITS = 12;

  private static final MathContext BSON_FLOOR =
      new MathContext(MathContext.DECIMAL128.getPrecision(), RoundingMode.FLOOR);

  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

  private final Aggregation aggregation;
  private final Duration period;
  private final long firstVersion;
  private final Rollup.Clock clock;

  private final JoinKeyEncoder valueKey = new JoinKeyEncoder(List.of("v"));

  private final Counter stale = Metrics.counter("widebeam", "staleMessages");

  // These ids are a wire format: a checkpoint finds its state by them.
  @StateId("group")
  private final StateSpec<ValueState<GroupState>> groupSpec =
      StateSpecs.value(new GroupState.GroupStateCoder());

  @StateId("documents")
  private final StateSpec<MapState<JoinKey, Given>> documentsSpec =
      StateSpecs.map(JoinKeyCoder.of(), new GivenCoder());

  @StateId("left")
  private final StateSpec<MapState<JoinKey, Left>> leftSpec =
      StateSpecs.map(JoinKeyCoder.of(), new LeftCoder());

  @StateId("values")
  private final StateSpec<MapState<JoinKey, Value>> valuesSpec =
      StateSpecs.map(JoinKeyCoder.of(), new ValueCoder());

  @TimerId("emit")
  private final TimerSpec emitSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  @TimerId("forget")
  private final TimerSpec forgetSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  /** Whether this instance has seen its watermark move on. */
  private transient boolean live;

  /**
   * When what came to this instance while it was held may be emitted, in event time; null if
   * nothing has come. Timers of before are those of a checkpoint: they tell nothing about what is
   * still to come.
   */
  @Nullable private transient Instant release;

  /** What a document gives the group. */
  record Given(long version, List<byte[]> rows) {}

  /** When a document left, and until when that is remembered, in event time. */
  record Left(long version, long diesAt) {}

  /**
   * A value and how often it is there.
   *
   * @param value as an encoded document of one field
   */
  record Value(byte[] value, long times) {}

  /**
   * @param firstVersion what all versions are at or above
   * @param clock what versions are of
   */
  AggregateFn(Aggregation aggregation, Duration period, long firstVersion, Rollup.Clock clock) {
    this.aggregation = aggregation;
    this.period = period;
    this.firstVersion = firstVersion;
    this.clock = clock;
  }

  @Setup
  public void setUp() {
    live = false;
    release = null;
  }

  @ProcessElement
  public void process(
      @Element KV<JoinKey, Contribution> element,
      @Timestamp Instant timestamp,
      @StateId("group") ValueState<GroupState> group,
      @StateId("documents") MapState<JoinKey, Given> documents,
      @StateId("left") MapState<JoinKey, Left> left,
      @StateId("values") MapState<JoinKey, Value> values,
      @TimerId("emit") Timer emit,
      @TimerId("forget") Timer forget,
      OutputReceiver<DocumentChange> out) {
    Contribution contribution = element.getValue();
    GroupState state = group.read();
    if (state == null) {
      state = GroupState.of(contribution.group(), aggregation.aggregates().size());
    }
    GroupState next = state;
    if (!live) {
      Instant after = timestamp.plus(TICK);
      release = release == null || release.isBefore(after) ? after : release;
    }
    if (contribution.isReconciling()) {
      if (state.rows() == 0 && state.forgetAt() == 0) {
        next = forgetLater(state, timestamp.plus(REMEMBERED), forget);
      }
    } else {
      JoinKey document = JoinKey.of(contribution.document());
      Given known = documents.get(document).read();
      Left gone = known == null ? left.get(document).read() : null;
      long version = known != null ? known.version : gone != null ? gone.version : Long.MIN_VALUE;
      if (contribution.version() <= version) {
        stale.inc();
        return;
      }
      List<byte[]> before = known == null ? List.of() : known.rows;
      next = replace(state, before, contribution, values);
      if (contribution.rows().isEmpty()) {
        documents.remove(document);
        Instant diesAt = timestamp.plus(REMEMBERED);
        left.put(document, new Left(contribution.version(), diesAt.getMillis()));
        if (state.forgetAt() == 0) {
          next = forgetLater(next, diesAt, forget);
        }
      } else {
        documents.put(document, new Given(contribution.version(), contribution.rows()));
        if (gone != null) {
          left.remove(document);
        }
      }
      if (live && contribution.certain() && same(before, contribution.rows())) {
        group.write(next);
        return;
      }
    }
    boolean timed = state.due();
    next = next.nowDue(live && contribution.certain());
    if (live && period.getMillis() == 0) {
      next = emit(next, values, out);
    } else if (!live) {
      emit.set(release);
    } else if (!timed) {
      emit.set(endOfPeriod(timestamp));
    }
    group.write(next);
  }

  private static GroupState forgetLater(GroupState state, Instant at, Timer forget) {
    forget.set(at);
    return state.forgettingAt(at.getMillis());
  }

  private Instant endOfPeriod(Instant time) {
    long length = period.getMillis();
    return Instant.ofEpochMilli((Math.floorDiv(time.getMillis(), length) + 1) * length);
  }

  @OnTimer("emit")
  public void emit(
      @Timestamp Instant now,
      @StateId("group") ValueState<GroupState> group,
      @StateId("values") MapState<JoinKey, Value> values,
      OutputReceiver<DocumentChange> out) {
    live |= release != null && !now.isBefore(release);
    GroupState state = group.read();
    if (state == null || !state.due()) {
      return;
    }
    GroupState next = emit(state, values, out);
    if (next.isEmpty()) {
      group.clear();
    } else {
      group.write(next);
    }
  }

  @OnTimer("forget")
  public void forget(
      @Timestamp Instant now,
      @StateId("group") ValueState<GroupState> group,
      @StateId("left") MapState<JoinKey, Left> left,
      @TimerId("forget") Timer forget) {
    GroupState state = group.read();
    if (state == null) {
      return;
    }
    long next = Long.MAX_VALUE;
    List<JoinKey> dead = new ArrayList<>();
    for (Map.Entry<JoinKey, Left> entry : left.entries().read()) {
      long diesAt = entry.getValue().diesAt;
      if (diesAt <= now.getMillis()) {
        dead.add(entry.getKey());
      } else {
        next = Math.min(next, diesAt);
      }
    }
    dead.forEach(left::remove);
    state = state.forgettingAt(next == Long.MAX_VALUE ? 0 : next);
    if (state.forgetAt() != 0) {
      forget.set(Instant.ofEpochMilli(next));
    }
    if (state.isEmpty()) {
      group.clear();
    } else {
      group.write(state);
    }
  }

  /** Takes the rows before back and adds those of the contribution. */
  private GroupState replace(
      GroupState state,
      List<byte[]> before,
      Contribution contribution,
      MapState<JoinKey, Value> values) {
    List<Tally> tallies = new ArrayList<>(state.tallies());
    if (!same(before, contribution.rows())) {
      // First what comes, so that a value that stays is never gone in between.
      contribution.rows().forEach(row -> count(row, 1, tallies, values));
      before.forEach(row -> count(row, -1, tallies, values));
    }
    long rows = state.rows() + contribution.rows().size() - before.size();
    return state.with(rows, tallies, contribution.commitMillis());
  }

  private void count(byte[] row, int by, List<Tally> tallies, MapState<JoinKey, Value> values) {
    BsonDocument fields = new RawBsonDocument(row);
    for (int i = 0; i < tallies.size(); i++) {
      Aggregate aggregate = aggregation.aggregates().get(i);
      BsonValue value =
          aggregate.function() == Function.COUNT_ROWS ? null : fields.get(aggregate.field());
      if (value == null || value.isNull()) {
        continue;
      }
      Tally tally = tallies.get(i);
      tallies.set(
          i,
          switch (aggregate.function()) {
            case COUNT_ROWS -> tally;
            case COUNT -> tally.plus(by);
            case SUM, AVG -> tally.plus(value, by);
            case COUNT_DISTINCT, MIN, MAX -> count(i, aggregate, value, by, tally, values);
          });
    }
  }

  private Tally count(
      int index,
      Aggregate aggregate,
      BsonValue value,
      int by,
      Tally tally,
      MapState<JoinKey, Value> values) {
    byte[] encoded = encode(new BsonDocument("v", value));
    JoinKey key = prefix(index).append(sortable(aggregate, value, encoded));
    Value known = values.get(key).read();
    long times = (known == null ? 0 : known.times) + by;
    Tally counted = tally.plus(by);
    if (times == 0) {
      values.remove(key);
      counted = counted.withDistinct(tally.distinct() - 1);
      return key.equals(tally.extreme()) ? counted.withExtreme(null) : counted;
    }
    values.put(key, new Value(known == null ? encoded : known.value, times));
    if (known != null) {
      return counted;
    }
    counted = counted.withDistinct(tally.distinct() + 1);
    boolean first = tally.distinct() == 0;
    boolean beyond = tally.extreme() != null && isBeyond(aggregate, key, tally.extreme());
    return first || beyond ? counted.withExtreme(key) : counted;
  }

  private JoinKey sortable(Aggregate aggregate, BsonValue value, byte[] encoded) {
    return aggregate.decimals() && value.isString() && Tally.isNumber(value)
        ? sortable(new BigDecimal(value.asString().getValue()))
        : valueKey.encodeWithNulls(encoded);
  }

  /**
   * A number of any digits: the greatest of BSON's that is not above it, and then, in the same way,
   * what is left of it. So it comes in its place among the numbers of BSON itself.
   */
  private JoinKey sortable(BigDecimal number) {
    JoinKey key = null;
    BigDecimal rest = number;
    do {
      BigDecimal part = rest.round(BSON_FLOOR);
      JoinKey next =
          valueKey.encodeWithNulls(
              encode(new BsonDocument("v", new BsonDecimal128(new Decimal128(part)))));
      key = key == null ? next : key.append(next);
      rest = rest.subtract(part);
    } while (rest.signum() != 0);
    return key;
  }

  private static boolean isBeyond(Aggregate aggregate, JoinKey key, JoinKey extreme) {
    return switch (aggregate.function()) {
      case MIN -> key.compareTo(extreme) < 0;
      case MAX -> key.compareTo(extreme) > 0;
      case COUNT_ROWS, COUNT, COUNT_DISTINCT, SUM, AVG -> false;
    };
  }

  private static JoinKey prefix(int aggregate) {
    return JoinKey.of(new byte[] {(byte) (aggregate >>> 8), (byte) aggregate});
  }

  private GroupState emit(
      GroupState state, MapState<JoinKey, Value> values, OutputReceiver<DocumentChange> out) {
    List<Tally> tallies = new ArrayList<>(state.tallies());
    boolean exists = state.rows() > 0 || aggregation.groupFields().isEmpty();
    byte[] row = exists ? row(state, tallies, values) : null;
    if (state.certain() && Arrays.equals(state.emitted(), row)) {
      return state.emitted(tallies, state.version(), row);
    }
    long least = Math.max(firstVersion, clock.millis() << VERSION_BITS);
    long version = Math.max(state.version() + 1, least);
    out.output(
        new DocumentChange(
            new RawBsonDocument(state.group()),
            document(state.emitted()),
            document(row),
            state.emitted() != null || !state.certain(),
            state.certain(),
            version,
            state.commitMillis()));
    return state.emitted(tallies, version, row);
  }

  private byte[] row(GroupState state, List<Tally> tallies, MapState<JoinKey, Value> values) {
    BsonDocument row = new BsonDocument();
    row.putAll(new RawBsonDocument(state.group()));
    for (int i = 0; i < tallies.size(); i++) {
      Aggregate aggregate = aggregation.aggregates().get(i);
      Tally tally = tallies.get(i);
      BsonValue value =
          switch (aggregate.function()) {
            case COUNT_ROWS -> new BsonInt64(state.rows());
            case COUNT -> new BsonInt64(tally.count());
            case COUNT_DISTINCT -> new BsonInt64(tally.distinct());
            case SUM -> tally.total();
            case AVG -> tally.mean(aggregate.scale());
            case MIN, MAX -> {
              tally = withExtreme(i, aggregate, tally, values);
              tallies.set(i, tally);
              yield tally.extreme() == null
                  ? BsonNull.VALUE
                  : new RawBsonDocument(values.get(tally.extreme()).read().value).get("v");
            }
          };
      row.put(aggregate.field(), value);
    }
    return encode(row);
  }

  /** Finds the least or greatest value anew if the one before is gone. */
  private static Tally withExtreme(
      int index, Aggregate aggregate, Tally tally, MapState<JoinKey, Value> values) {
    if (tally.extreme() != null || tally.distinct() == 0) {
      return tally;
    }
    JoinKey own = prefix(index);
    JoinKey extreme = null;
    for (JoinKey key : values.keys().read()) {
      if (key.startsWith(own) && (extreme == null || isBeyond(aggregate, key, extreme))) {
        extreme = key;
      }
    }
    return tally.withExtreme(extreme);
  }

  private static boolean same(List<byte[]> a, List<byte[]> b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (!Arrays.equals(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static byte[] encode(BsonDocument document) {
    return BsonRow.bytes(new RawBsonDocument(document, CODEC));
  }

  @Nullable
  private static RawBsonDocument document(@Nullable byte[] bytes) {
    return bytes == null ? null : new RawBsonDocument(bytes);
  }

  /** The fields in order. */
  static final class GivenCoder extends AtomicCoder<Given> {
    private static final Coder<List<byte[]>> ROWS = ListCoder.of(ByteArrayCoder.of());

    @Override
    public void encode(Given given, OutputStream out) throws IOException {
      VarInt.encode(given.version, out);
      ROWS.encode(given.rows, out);
    }

    @Override
    public Given decode(InputStream in) throws IOException {
      return new Given(VarInt.decodeLong(in), ROWS.decode(in));
    }
  }

  /** The fields in order. */
  static final class LeftCoder extends AtomicCoder<Left> {
    @Override
    public void encode(Left left, OutputStream out) throws IOException {
      VarInt.encode(left.version, out);
      VarInt.encode(left.diesAt, out);
    }

    @Override
    public Left decode(InputStream in) throws IOException {
      return new Left(VarInt.decodeLong(in), VarInt.decodeLong(in));
    }
  }

  /** The fields in order. */
  static final class ValueCoder extends AtomicCoder<Value> {
    @Override
    public void encode(Value value, OutputStream out) throws IOException {
      ByteArrayCoder.of().encode(value.value, out);
      VarInt.encode(value.times, out);
    }

    @Override
    public Value decode(InputStream in) throws IOException {
      return new Value(ByteArrayCoder.of().decode(in), VarInt.decodeLong(in));
    }
  }
}
