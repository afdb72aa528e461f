package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.AssemblyState.Effect;
import io.widebeam.join.AssemblyState.Entry;
import io.widebeam.join.AssemblyState.Step;
import io.widebeam.join.Message.Row;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
 * is dropped, and deleted rows leave tombstones for a time. An assembly is emitted only while
 * complete, that is when every lookup has answered for every row, so that nobody sees a document
 * whose new foreign key is in and whose embedded row is still the old one, or missing.
 *
 * <p>An instance starts held: it only fills its state, and sets each key an event-time timer at the
 * time of the message. The source's watermark stays behind the snapshot until that is whole; when
 * it moves on, the timers release every document, once and complete, and the instance goes live.
 *
 * <p>After a crash the source replays what followed the last checkpoint, and holds its watermark in
 * the same way until it has. The target may then have seen states of a document that this state
 * knows nothing of. So what was touched while held is emitted at its release even if it is as it
 * was, a document that came and went is deleted, and an assembled row is taken back from every
 * parent that it had meanwhile.
 */
final class AssembleFn extends DoFn<KV<JoinKey, Message>, DocumentChange> {
  /** The watermark may stand at the time of elements that are still to come, but not beyond. */
  static final Duration TICK = Duration.millis(1);

  static final TupleTag<DocumentChange> DOCUMENTS = new TupleTag<>("documents") {};

  private final JoinPlan plan;
  private final DocumentAssembler assembler;
  private final boolean keepBefore;
  private final long generation;
  private final Duration tombstones;

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
   * @param generation what every change's sequence is above
   * @param tombstones how long, in event time, a deletion is remembered against older messages
   */
  AssembleFn(JoinPlan plan, boolean keepBefore, long generation, Duration tombstones) {
    this.plan = plan;
    this.assembler = new DocumentAssembler(plan);
    this.keepBefore = keepBefore;
    this.generation = generation;
    this.tombstones = tombstones;
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
    JoinPlan.Node head = plan.node(element.getKey());
    Instant diesAt = timestamp.plus(tombstones);
    Step step = state.apply(element.getValue(), plan, diesAt.getMillis());
    AssemblyState next = step.state();
    boolean due = !live || element.getValue().due();
    if ((due || state.due()) && element.getValue() instanceof Row row) {
      next = rememberPassed(head, row, step.effect(), state, next);
    }
    if (step.effect() == Effect.STALE) {
      stale.inc();
      if (!due && !state.due()) {
        return;
      }
    } else if (element.getValue() instanceof Row row && row.row() == null) {
      forget.set(diesAt);
    }
    if (due) {
      next = next.nowDue();
    }
    // The instance may be live by another key's timer before this key's own release has come.
    if (!live && !state.held()) {
      next = rememberEmitted(head, state, next).nowHeld();
      release.set(timestamp.plus(TICK));
    } else if (!state.held() && (due || step.effect() == Effect.CHANGED)) {
      next = emit(head, state, next, outputs);
    }
    write(assembly, next);
  }

  private static void write(ValueState<AssemblyState> assembly, AssemblyState state) {
    if (state.isEmpty()) {
      assembly.clear();
    } else {
      assembly.write(state);
    }
  }

  @OnTimer("release")
  public void release(
      @Key JoinKey key,
      @StateId("assembly") ValueState<AssemblyState> assembly,
      MultiOutputReceiver outputs) {
    live = true;
    AssemblyState state = assembly.read();
    if (state != null && state.held()) {
      write(assembly, emit(plan.node(key), state, state, outputs));
    }
  }

  @OnTimer("forget")
  public void forget(
      @Timestamp Instant now,
      @StateId("assembly") ValueState<AssemblyState> assembly,
      @TimerId("forget") Timer forget) {
    AssemblyState state = assembly.read();
    if (state == null) {
      return;
    }
    state = state.forget(now.getMillis());
    write(assembly, state);
    // An older deletion that came later has set the timer to its own, earlier time.
    long lastDeath = state.lastDeath();
    if (lastDeath > 0) {
      forget.set(Instant.ofEpochMilli(lastDeath));
    }
  }

  /** Emits what the new state has made of the old one's document, if it is fit to be seen. */
  private AssemblyState emit(
      JoinPlan.Node head, AssemblyState old, AssemblyState next, MultiOutputReceiver outputs) {
    Entry row = next.find(head.headAddress());
    boolean exists = row != null && row.row() != null;
    if (exists && !assembler.isComplete(next)) {
      return rememberEmitted(head, old, next).released();
    }
    if (!exists && next.key() == null && next.passed().length == 0) {
      return next.withEmission(next.version(), null);
    }
    byte[] before = emittedBefore(head, old);
    byte[] after = exists ? assembler.assemble(next, head) : null;
    byte[] key = exists ? BsonRow.project(row.row(), head.keyColumns) : null;
    if (before != null && Arrays.equals(before, after) && !next.due()) {
      return next.withEmission(next.version(), key);
    }
    long version = Positions.version(next.positions(), next.version(), generation, next.due());
    if (head.attachment == JoinPlan.Attachment.ROOT) {
      boolean renamed = exists && next.key() != null && !head.isSameKey(next.key(), key);
      for (byte[] other : otherKeys(head, next, key)) {
        boolean known = Arrays.equals(other, next.key());
        outputs
            .get(DOCUMENTS)
            .output(change(head, other, known ? before : null, null, known, next, version));
      }
      if (exists) {
        outputs
            .get(DOCUMENTS)
            .output(
                change(
                    head,
                    key,
                    renamed ? null : before,
                    after,
                    next.key() != null && !renamed,
                    next,
                    version));
      }
    } else {
      toParent(
          head,
          before,
          after,
          next.passed(),
          new Sender(version, next.positions(), next.commitMillis(), next.due(), tags, outputs));
    }
    return next.withEmission(version, key);
  }

  /**
   * The keys of documents that are, or may be, in the target and must not be there any more. With a
   * collation, an assembly may have had several: 'a' was renamed to 'A'.
   */
  private static List<byte[]> otherKeys(
      JoinPlan.Node head, AssemblyState state, @Nullable byte[] key) {
    List<byte[]> keys = new ArrayList<>();
    if (state.key() != null && !head.isSameKey(state.key(), key)) {
      keys.add(state.key());
    }
    for (byte[] row : state.passed()) {
      byte[] passed = BsonRow.project(row, head.keyColumns);
      if (!head.isSameKey(passed, key) && !head.isSameKey(passed, state.key())) {
        keys.add(passed);
      }
    }
    return keys;
  }

  private static DocumentChange change(
      JoinPlan.Node head,
      byte[] key,
      @Nullable byte[] before,
      @Nullable byte[] after,
      boolean existed,
      AssemblyState state,
      long version) {
    return new DocumentChange(
        documentKey(head, key),
        document(before),
        document(after),
        existed,
        !state.due(),
        version,
        state.commitMillis());
  }

  private static void toParent(
      JoinPlan.Node head,
      @Nullable byte[] before,
      @Nullable byte[] after,
      byte[][] passed,
      Sender sender) {
    Stage stage = Stage.ofParent(head);
    Place was = Place.inParent(head, before);
    Place is = Place.inParent(head, after);
    sender.row(stage, head, was, is, after);
    for (byte[] row : passed) {
      Place meanwhile = Place.inParent(head, row);
      if (meanwhile != null && !meanwhile.equals(was) && !meanwhile.equals(is)) {
        sender.row(stage, head, meanwhile, null, null);
      }
    }
  }

  /**
   * Keeps the row that the head had before this message, or would have had if the message were not
   * late, unless the state tells its place already. Where it was if the state does not know it, the
   * message tells.
   */
  private static AssemblyState rememberPassed(
      JoinPlan.Node head, Row message, Effect effect, AssemblyState old, AssemblyState next) {
    if (!message.address().equals(head.headAddress())) {
      return next;
    }
    Entry known = old.find(message.address());
    byte[] row = effect == Effect.STALE ? message.row() : known == null ? null : known.row();
    return rememberPassed(head, message.gone(), rememberPassed(head, row, next));
  }

  /**
   * @param row all columns of the row, or of a root those of its key
   */
  private static AssemblyState rememberPassed(
      JoinPlan.Node head, @Nullable byte[] row, AssemblyState state) {
    if (row == null) {
      return state;
    }
    if (head.attachment == JoinPlan.Attachment.ROOT) {
      byte[] key = BsonRow.project(row, head.keyColumns);
      return head.isSameKey(key, state.key())
              || Arrays.stream(state.passed()).anyMatch(other -> head.isSameKey(key, other))
          ? state
          : state.withPassed(row);
    }
    Place place = Place.inParent(head, row);
    for (byte[] other : state.passed()) {
      if (Objects.equals(place, Place.inParent(head, other))) {
        return state;
      }
    }
    return place == null ? state : state.withPassed(row);
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
    if (head.view.primaryKey().size() == 1) {
      return columns.get(head.view.primaryKey().get(0));
    }
    if (!head.hides) {
      return columns;
    }
    BsonDocument shown = new BsonDocument();
    columns.forEach((name, value) -> shown.append(ViewNode.publicName(name), value));
    return shown;
  }

  @Nullable
  private static RawBsonDocument document(@Nullable byte[] bytes) {
    return bytes == null ? null : new RawBsonDocument(bytes);
  }
}
