package io.widebeam.join;

import io.widebeam.document.DocumentChange;
import io.widebeam.join.LookupState.Subscribed;
import io.widebeam.join.LookupState.Subscriber;
import io.widebeam.join.Message.Answer;
import io.widebeam.join.Message.Row;
import io.widebeam.join.Message.Subscription;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.joda.time.Instant;

/**
 * Where rows and the parent rows that point at them meet. Keyed by lookup and join value; holds the
 * rows that have it, and who points here. Every parent row that points here is answered once when
 * it comes, also if nothing matches, and again whenever the matching rows change.
 *
 * <p>Assumes no order of arrival: rows and subscriptions carry versions, older ones are dropped,
 * and what was deleted or has turned away leaves a tombstone for {@link AssembleFn#TOMBSTONES}.
 *
 * <p>While its instance is held (see {@link AssembleFn}), a parent that nothing matches yet is not
 * answered at once but when the watermark moves on, which in a load spares an answer for each.
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

  LookupFn(JoinPlan plan) {
    this.plan = plan;
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
    Instant diesAt = timestamp.plus(AssembleFn.TOMBSTONES);
    Output output = new Output(element.getKey(), outputs);
    if (element.getValue() instanceof Row row) {
      int known = state.indexOf(row.address());
      if (known >= 0 && row.version() <= state.entries()[known].version()) {
        stale.inc();
        return;
      }
      byte[][] before = state.found(output.lookup);
      state = state.with(row, diesAt.getMillis());
      if (!Arrays.deepEquals(before, state.found(output.lookup))) {
        state = state.withAnswers(state.answers() + 1).withUnanswered(false);
        output.answerAll(state, subscribers, row.commitMillis());
      }
      rows.write(state);
      if (row.row() == null) {
        forget.set(diesAt);
      }
    } else if (element.getValue() instanceof Subscription subscription) {
      Subscriber subscriber = new Subscriber(subscription.assembly(), subscription.address());
      Subscribed known = subscribers.get(subscriber).read();
      if (known != null && subscription.version() <= known.version()) {
        stale.inc();
        return;
      }
      if (!subscription.pointing()) {
        subscribers.put(
            subscriber, new Subscribed(subscription.version(), false, true, diesAt.getMillis()));
        forget.set(diesAt);
        return;
      }
      byte[][] found = state.found(output.lookup);
      boolean answer = live || found.length > 0;
      subscribers.put(subscriber, new Subscribed(subscription.version(), true, answer, 0));
      if (answer) {
        output.answer(
            subscriber, subscription.version(), state, found, subscription.commitMillis());
      } else if (!state.unanswered()) {
        rows.write(state.withUnanswered(true));
        release.set(timestamp.plus(AssembleFn.TICK));
      }
    } else {
      throw new IllegalArgumentException(
          "a lookup takes no " + element.getValue().getClass().getName());
    }
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
    Output output = new Output(key, outputs);
    byte[][] found = state.found(output.lookup);
    for (Map.Entry<Subscriber, Subscribed> entry : subscribers.entries().read()) {
      if (!entry.getValue().answered()) {
        output.answer(entry.getKey(), entry.getValue().version(), state, found, 0);
      }
    }
    output.markAnswered(subscribers);
    rows.write(state.withUnanswered(false));
  }

  @OnTimer("forget")
  public void forget(
      @Timestamp Instant now,
      @StateId("rows") ValueState<LookupState> rows,
      @StateId("subscribers") MapState<Subscriber, Subscribed> subscribers) {

    boolean empty = true;
    List<Subscriber> gone = new ArrayList<>();
    for (Map.Entry<Subscriber, Subscribed> entry : subscribers.entries().read()) {
      long diesAt = entry.getValue().diesAt();
      if (diesAt != 0 && diesAt <= now.getMillis()) {
        gone.add(entry.getKey());
      } else {
        empty = false;
      }
    }
    gone.forEach(subscribers::remove);
    LookupState state = rows.read();
    if (state != null) {
      state = state.forget(now.getMillis());
      if (empty && state.entries().length == 0) {
        rows.clear();
      } else {
        rows.write(state);
      }
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
        LookupState state, MapState<Subscriber, Subscribed> subscribers, long commitMillis) {
      byte[][] found = state.found(lookup);
      for (Map.Entry<Subscriber, Subscribed> entry : subscribers.entries().read()) {
        if (entry.getValue().pointing()) {
          answer(entry.getKey(), entry.getValue().version(), state, found, commitMillis);
        }
      }
      markAnswered(subscribers);
    }

    void markAnswered(MapState<Subscriber, Subscribed> subscribers) {
      Map<Subscriber, Subscribed> waiting = new HashMap<>();
      for (Map.Entry<Subscriber, Subscribed> entry : subscribers.entries().read()) {
        if (!entry.getValue().answered()) {
          waiting.put(entry.getKey(), entry.getValue());
        }
      }
      waiting.forEach(
          (subscriber, subscribed) ->
              subscribers.put(subscriber, new Subscribed(subscribed.version(), true, true, 0)));
    }

    void answer(
        Subscriber subscriber,
        long subscription,
        LookupState state,
        byte[][] found,
        long commitMillis) {
      Message answer =
          new Answer(
              lookup.index,
              subscriber.address(),
              key,
              subscription,
              state.answers(),
              found,
              state.positions(),
              commitMillis);
      outputs
          .get(tags.computeIfAbsent(Stage.assemble(lookup.parent), Stage::tag))
          .output(KV.of(subscriber.assembly(), answer));
    }
  }
}
