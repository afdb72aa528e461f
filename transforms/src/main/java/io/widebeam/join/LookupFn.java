package io.widebeam.join;

import io.widebeam.document.DocumentChange;
import io.widebeam.join.LookupState.Subscribed;
import io.widebeam.join.LookupState.Subscriber;
import io.widebeam.join.Message.Answer;
import io.widebeam.join.Message.Row;
import io.widebeam.join.Message.Subscription;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
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
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TupleTag;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Where rows and the parent rows that point at them meet. Keyed by lookup and join value; holds the
 * rows that have it, and who points here. Every parent row that points here is answered once when
 * it comes, also if nothing matches, and again whenever the matching rows change.
 *
 * <p>Assumes no order of arrival: rows and subscriptions carry versions, older ones are dropped,
 * and what was deleted or has turned away leaves a tombstone for a time.
 *
 * <p>While its instance is held (see {@link AssembleFn}), a parent that nothing matches yet is not
 * answered at once but when the watermark moves on, which in a load spares an answer for each; and
 * every row is told even if it changes nothing, since after a crash the parents' documents may show
 * what this state knows nothing of.
 *
 * <p>The idea of subscriptions is from Kafka Streams' foreign-key join (KIP-213).
 */
final class LookupFn extends DoFn<KV<JoinKey, Message>, DocumentChange> {
  private final JoinPlan plan;

  private final Counter stale = Metrics.counter("widebeam", "staleMessages");

  // These ids are a wire format: a checkpoint finds its state by them.
  @StateId("rows")
  private final StateSpec<ValueState<LookupState>> rowsSpec =
      StateSpecs.value(new LookupState.StateCoder());

  @StateId("subscribers")
  private final StateSpec<MapState<Subscriber, Subscribed>> subscribersSpec =
      StateSpecs.map(new LookupState.SubscriberCoder(), new LookupState.SubscribedCoder());

  @TimerId("release")
  private final TimerSpec releaseSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  @TimerId("forget")
  private final TimerSpec forgetSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  /** Whether this instance has seen its watermark move on, so that the load is over for it. */
  private transient boolean live;

  private transient Map<Stage, TupleTag<KV<JoinKey, Message>>> tags;

  private final int few;

  private final Duration tombstones;

  LookupFn(JoinPlan plan, Duration tombstones) {
    this(plan, tombstones, Subscribers.FEW);
  }

  /**
   * @param tombstones how long a deletion is remembered
   * @param few up to how many subscribers a key keeps in its own state
   */
  LookupFn(JoinPlan plan, Duration tombstones, int few) {
    this.plan = plan;
    this.tombstones = tombstones;
    this.few = few;
  }

  @Setup
  public void setUp() {
    live = false;
    tags = new HashMap<>();
  }

  @ProcessElement
  public void process(
      @Element KV<JoinKey, Message> element,
      @Timestamp Instant timestamp,
      @StateId("rows") ValueState<LookupState> rows,
      @StateId("subscribers") MapState<Subscriber, Subscribed> subscribers,
      @TimerId("release") Timer release,
      @TimerId("forget") Timer forget,
      MultiOutputReceiver outputs) {
    LookupState state = rows.read();
    if (state == null) {
      state = LookupState.EMPTY;
    }
    Subscribers pointing = new Subscribers(state, subscribers, few);
    Output output = new Output(element.getKey(), outputs);
    if (element.getValue() instanceof Row row) {
      state = takeRow(row, timestamp, state, pointing, forget, output);
    } else if (element.getValue() instanceof Subscription subscription) {
      state = takeSubscription(subscription, timestamp, state, pointing, release, forget, output);
    } else {
      throw new IllegalArgumentException(
          "a lookup takes no " + element.getValue().getClass().getName());
    }
    if (state == null) {
      stale.inc();
    } else {
      rows.write(pointing.in(state));
    }
  }

  /** The state with the row; null if it is older than the one known. */
  @Nullable
  private LookupState takeRow(
      Row row,
      Instant timestamp,
      LookupState old,
      Subscribers pointing,
      Timer forget,
      Output output) {
    boolean due = !live || row.due();
    LookupState.Entry known = old.find(row.address());
    boolean late = known != null && row.version() <= known.version();
    if (late && !due) {
      return null;
    }
    LookupState state = old;
    if (late) {
      stale.inc();
    } else {
      Instant diesAt = timestamp.plus(tombstones);
      state = old.with(row, diesAt.getMillis());
      if (row.row() == null) {
        forget.set(diesAt);
      }
    }
    byte[][] found = state.found(output.lookup);
    if (due || !Arrays.deepEquals(old.found(output.lookup), found)) {
      state = state.withAnswers(state.answers() + 1).withUnanswered(false);
      output.answerAll(state, found, pointing, row.commitMillis(), due);
    }
    return state;
  }

  /** The state with the subscription answered or noted; null if it is older than the one known. */
  @Nullable
  private LookupState takeSubscription(
      Subscription subscription,
      Instant timestamp,
      LookupState state,
      Subscribers pointing,
      Timer release,
      Timer forget,
      Output output) {
    Subscriber subscriber = new Subscriber(subscription.assembly(), subscription.address());
    long version = subscription.version();
    Subscribed known = pointing.get(subscriber);
    if (known != null && version <= known.version()) {
      return null;
    }
    if (!subscription.pointing()) {
      Instant diesAt = timestamp.plus(tombstones);
      pointing.put(subscriber, new Subscribed(version, false, true, diesAt.getMillis()));
      forget.set(diesAt);
      return state;
    }
    byte[][] found = state.found(output.lookup);
    boolean answer = live || found.length > 0;
    pointing.put(subscriber, new Subscribed(version, true, answer, 0));
    if (answer) {
      output.answer(subscriber, version, state, found, subscription.commitMillis(), false);
      return state;
    }
    if (!state.unanswered()) {
      release.set(timestamp.plus(AssembleFn.TICK));
    }
    return state.withUnanswered(true);
  }

  @OnTimer("release")
  public void release(
      @Key JoinKey key,
      @StateId("rows") ValueState<LookupState> rows,
      @StateId("subscribers") MapState<Subscriber, Subscribed> subscribers,
      MultiOutputReceiver outputs) {
    live = true;
    LookupState state = rows.read();
    if (state == null || !state.unanswered()) {
      return;
    }
    Subscribers pointing = new Subscribers(state, subscribers, few);
    Output output = new Output(key, outputs);
    byte[][] found = state.found(output.lookup);
    pointing.forEach(
        (subscriber, how) -> {
          if (!how.answered()) {
            output.answer(subscriber, how.version(), state, found, 0, false);
            pointing.put(subscriber, how.nowAnswered());
          }
        });
    rows.write(pointing.in(state.withUnanswered(false)));
  }

  @OnTimer("forget")
  public void forget(
      @Timestamp Instant now,
      @StateId("rows") ValueState<LookupState> rows,
      @StateId("subscribers") MapState<Subscriber, Subscribed> subscribers,
      @TimerId("forget") Timer forget) {
    LookupState state = rows.read();
    if (state == null) {
      return;
    }
    Subscribers pointing = new Subscribers(state, subscribers, few);
    boolean empty = pointing.removeIf(how -> how.diesAt() != 0 && how.diesAt() <= now.getMillis());
    state = state.forget(now.getMillis());
    if (empty && state.entries().length == 0) {
      rows.clear();
      return;
    }
    rows.write(pointing.in(state));
    // An older deletion that came later has set the timer to its own, earlier time.
    long[] lastDeath = {state.lastDeath()};
    pointing.forEach((who, how) -> lastDeath[0] = Math.max(lastDeath[0], how.diesAt()));
    if (lastDeath[0] > 0) {
      forget.set(Instant.ofEpochMilli(lastDeath[0]));
    }
  }

  /** What one key says. */
  private final class Output {
    private final JoinKey key;
    private final JoinPlan.Node lookup;
    private final MultiOutputReceiver outputs;

    Output(JoinKey key, MultiOutputReceiver outputs) {
      this.key = key;
      this.lookup = plan.node(key);
      this.outputs = outputs;
    }

    void answerAll(
        LookupState state, byte[][] found, Subscribers pointing, long commitMillis, boolean due) {
      pointing.forEach(
          (subscriber, how) -> {
            if (how.pointing()) {
              answer(subscriber, how.version(), state, found, commitMillis, due);
            }
            if (!how.answered()) {
              pointing.put(subscriber, how.nowAnswered());
            }
          });
    }

    void answer(
        Subscriber subscriber,
        long subscription,
        LookupState state,
        byte[][] found,
        long commitMillis,
        boolean due) {
      Message answer =
          new Answer(
              lookup.index,
              subscriber.address(),
              key,
              subscription,
              state.answers(),
              found,
              state.positions(),
              commitMillis,
              due);
      outputs
          .get(tags.computeIfAbsent(Stage.assemble(lookup.parent), Stage::tag))
          .output(KV.of(subscriber.assembly(), answer));
    }
  }
}
