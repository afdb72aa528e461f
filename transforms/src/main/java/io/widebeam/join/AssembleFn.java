package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.AssemblyState.Effect;
import io.widebeam.join.AssemblyState.Entry;
import io.widebeam.join.AssemblyState.Step;
import io.widebeam.join.Message.Row;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
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
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.joda.time.Duration;
import org.joda.time.Instant;

/**
 * Holds a node's row and everything attached to it, and emits the assembled row whenever it
 * changes. Keyed by the assembly's head and its primary key. The root's assembled rows are the
 * view's documents; another head's go on to its parent.
 *
 * <p>Assumes no order of arrival: every message carries a version, what is not above the known one
 * is dropped, and deleted rows leave tombstones for {@link #TOMBSTONES}. An assembly is emitted
 * only while complete, that is when every lookup has answered for every row, so that nobody sees a
 * document whose new foreign key is in and whose embedded row is still the old one, or missing.
 *
 * <p>An instance starts held: it only fills its state, and sets each key an event-time timer at the
 * time of the message. The source's watermark stays behind the snapshot until that is whole; when
 * it moves on, the timers release every document, once and complete, and the instance goes live.
 */
final class AssembleFn extends DoFn<KV<JoinKey, Message>, DocumentChange> {
  /**
   * How long, in event time, a deletion is remembered against messages of before. It must exceed
   * the longest time that a message can stay under way between two stages.
   */
  static final Duration TOMBSTONES = Duration.standardHours(1);

  /** The watermark may stand at the time of elements that are still to come, but not beyond. */
  static final Duration TICK = Duration.millis(1);

  static final TupleTag<DocumentChange> DOCUMENTS = new TupleTag<>("documents") {};

  private final JoinPlan plan;
  private final DocumentAssembler assembler;
  private final boolean keepBefore;

  private final Counter stale = Metrics.counter("widebeam", "staleMessages");

  // These ids are a wire format: a checkpoint finds its state by them.
  @StateId("assembly")
  private final StateSpec<ValueState<AssemblyState>> assemblySpec =
      StateSpecs.value(new AssemblyState.StateCoder());

  @TimerId("release")
  private final TimerSpec releaseSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  @TimerId("forget")
  private final TimerSpec forgetSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

  /** Whether this instance has seen its watermark move on, so that the load is over for it. */
  private transient boolean live;

  private transient Map<Stage, TupleTag<KV<JoinKey, Message>>> tags;

  /**
   * @param keepBefore whether documents are emitted with what they were before
   */
  AssembleFn(JoinPlan plan, boolean keepBefore) {
    this.plan = plan;
    this.assembler = new DocumentAssembler(plan);
    this.keepBefore = keepBefore;
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
      @StateId("assembly") ValueState<AssemblyState> assembly,
      @TimerId("release") Timer release,
      @TimerId("forget") Timer forget,
      MultiOutputReceiver outputs) {
    AssemblyState state = assembly.read();
    if (state == null) {
      state = AssemblyState.EMPTY;
    }
    Instant diesAt = timestamp.plus(TOMBSTONES);
    Step step = state.apply(element.getValue(), plan, diesAt.getMillis());
    if (step.effect() == Effect.STALE) {
      stale.inc();
      return;
    }
    AssemblyState next = step.state();
    if (element.getValue() instanceof Row row && row.row() == null) {
      forget.set(diesAt);
    }
    if (step.effect() == Effect.CHANGED) {
      JoinPlan.Node head = plan.node(element.getKey());
      if (live) {
        next = emit(head, state, next, outputs);
      } else if (!state.held()) {
        next = rememberEmitted(head, state, next).withHeld(true);
        release.set(timestamp.plus(TICK));
      }
    }
    assembly.write(next);
  }

  @OnTimer("release")
  public void release(
      @Key JoinKey key,
      @StateId("assembly") ValueState<AssemblyState> assembly,
      MultiOutputReceiver outputs) {
    live = true;
    AssemblyState state = assembly.read();
    if (state != null && state.held()) {
      assembly.write(emit(plan.node(key), state, state, outputs));
    }
  }

  @OnTimer("forget")
  public void forget(
      @Timestamp Instant now, @StateId("assembly") ValueState<AssemblyState> assembly) {
    AssemblyState state = assembly.read();
    if (state == null) {
      return;
    }
    state = state.forget(now.getMillis());
    if (state.isEmpty()) {
      assembly.clear();
    } else {
      assembly.write(state);
    }
  }

  /** Emits what the new state has made of the old one's document, if it is fit to be seen. */
  private AssemblyState emit(
      JoinPlan.Node head, AssemblyState old, AssemblyState next, MultiOutputReceiver outputs) {
    Entry row = next.find(head.headAddress());
    boolean exists = row != null && row.row() != null;
    if (exists && !assembler.isComplete(next)) {
      return rememberEmitted(head, old, next).withHeld(false);
    }
    if (!exists && next.key() == null) {
      return next.withHeld(false);
    }
    byte[] before = emittedBefore(head, old);
    byte[] after = exists ? assembler.assemble(next, head) : null;
    byte[] key = exists ? BsonRow.project(row.row(), head.keyColumns) : null;
    if (before != null && Arrays.equals(before, after)) {
      return next.withEmission(next.version(), key);
    }
    long version = Positions.version(next.positions(), next.version());
    if (head.attachment == JoinPlan.Attachment.ROOT) {
      BsonValue id = documentKey(head, exists ? key : next.key());
      outputs
          .get(DOCUMENTS)
          .output(
              new DocumentChange(
                  id,
                  document(before),
                  document(after),
                  next.key() != null,
                  version,
                  next.commitMillis()));
    } else {
      toParent(
          head,
          before,
          after,
          new Sender(version, next.positions(), next.commitMillis(), tags, outputs));
    }
    return next.withEmission(version, key);
  }

  private static void toParent(
      JoinPlan.Node head, @Nullable byte[] before, @Nullable byte[] after, Sender sender) {
    sender.row(
        Stage.ofParent(head),
        head,
        Place.inParent(head, before),
        Place.inParent(head, after),
        after);
  }

  private boolean needsBefore(JoinPlan.Node head) {
    return keepBefore || head.attachment != JoinPlan.Attachment.ROOT;
  }

  /** The document as it was last emitted; null if there was none, or where nobody asks for it. */
  @Nullable
  private byte[] emittedBefore(JoinPlan.Node head, AssemblyState state) {
    if (!needsBefore(head) || state.key() == null) {
      return null;
    }
    return state.emitted() != null ? state.emitted() : assembler.assemble(state, head);
  }

  /** The rows move on from the document in place, which is not emitted again for now. */
  private AssemblyState rememberEmitted(JoinPlan.Node head, AssemblyState old, AssemblyState next) {
    byte[] before = emittedBefore(head, old);
    return before == null ? next : next.withEmitted(before);
  }

  private static BsonValue documentKey(JoinPlan.Node head, byte[] key) {
    BsonDocument columns = new RawBsonDocument(key);
    return head.view.primaryKey().size() == 1
        ? columns.get(head.view.primaryKey().get(0))
        : columns;
  }

  @Nullable
  private static RawBsonDocument document(@Nullable byte[] bytes) {
    return bytes == null ? null : new RawBsonDocument(bytes);
  }
}
