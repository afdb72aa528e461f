package io.widebeam.join;

import io.widebeam.join.Message.Answer;
import io.widebeam.join.Message.Row;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;

/**
 * Everything attached to one assembly: the rows of its head and members, and what their lookups
 * found. Immutable, because a runner may still be writing the previous state to a checkpoint.
 *
 * @param entries by address, ascending
 * @param version the highest version given out
 * @param positions the positions reached
 * @param commitMillis the commit time of the newest change contained
 * @param held whether the release has yet to come
 * @param due whether the next emission must come even if it changes nothing: since the messages of
 *     the time held, a target may have what this state has forgotten
 * @param key the primary key columns of the document that the last emission left in place, as an
 *     encoded document; null if it left none
 * @param emitted the document as last emitted, kept only while the rows have moved on from it
 * @param passed the rows that the head had while held and has no more, one for each of their places
 */
record AssemblyState(
    Entry[] entries,
    long version,
    long[] positions,
    long commitMillis,
    boolean held,
    boolean due,
    @Nullable byte[] key,
    @Nullable byte[] emitted,
    byte[][] passed) {

  private static final byte[][] NONE = {};

  static final AssemblyState EMPTY =
      new AssemblyState(new Entry[0], 0, new long[0], 0, false, false, null, null, NONE);

  /**
   * One row's place.
   *
   * @param row the encoded row; null if it is deleted or yet to come
   * @param version the row's version; 0 if it is yet to come
   * @param diesAt when a deleted row may be forgotten, in event time; 0 if it is not deleted
   * @param current per lookup of the node: what it found for the row's own join value
   * @param next per lookup of the node: an answer to a newer row than the one here
   */
  record Entry(
      JoinKey address,
      @Nullable byte[] row,
      long version,
      long diesAt,
      Found[] current,
      Found[] next)
      implements Addressed {
    private boolean isAwaited() {
      return Arrays.stream(next).anyMatch(Objects::nonNull);
    }

    private Entry undying() {
      return new Entry(address, row, version, 0, current, next);
    }
  }

  /** An {@link Answer} as it is kept. */
  record Found(JoinKey joinKey, long subscription, long version, byte[][] rows) {
    boolean isNewerThan(@Nullable Found other) {
      return other == null
          || subscription > other.subscription
          || (subscription == other.subscription && version > other.version);
    }

    boolean hasSameRows(@Nullable Found other) {
      return other != null && Arrays.deepEquals(rows, other.rows);
    }
  }

  /** What a message did. */
  enum Effect {
    /** It was older than what is known, or repeated. */
    STALE,
    /** Only versions or answers for later moved: the document is as it was. */
    UNSEEN,
    /** The document may differ. */
    CHANGED
  }

  /** A state and how it came about. */
  record Step(AssemblyState state, Effect effect) {}

  /** The release has yet to come. */
  AssemblyState nowHeld() {
    return new AssemblyState(
        entries, version, positions, commitMillis, true, due, key, emitted, passed);
  }

  /** The next emission must come. */
  AssemblyState nowDue() {
    return new AssemblyState(
        entries, version, positions, commitMillis, held, true, key, emitted, passed);
  }

  /** The release has come. */
  AssemblyState released() {
    return new AssemblyState(
        entries, version, positions, commitMillis, false, due, key, emitted, passed);
  }

  AssemblyState withEmission(long newVersion, @Nullable byte[] nowKey) {
    return new AssemblyState(
        entries, newVersion, positions, commitMillis, false, false, nowKey, null, NONE);
  }

  AssemblyState withEmitted(byte[] lastEmitted) {
    return new AssemblyState(
        entries, version, positions, commitMillis, held, due, key, lastEmitted, passed);
  }

  AssemblyState withPassed(byte[] row) {
    byte[][] longer = Arrays.copyOf(passed, passed.length + 1);
    longer[passed.length] = row;
    return new AssemblyState(
        entries, version, positions, commitMillis, held, due, key, emitted, longer);
  }

  @Nullable
  Entry find(JoinKey address) {
    int i = Addressed.indexOf(entries, address);
    return i < 0 ? null : entries[i];
  }

  /** The index of the first entry whose address is not below the given one. */
  int firstFrom(JoinKey address) {
    int i = Addressed.indexOf(entries, address);
    return i < 0 ? -i - 1 : i;
  }

  Step apply(Message message, JoinPlan plan, long tombstoneDiesAt) {
    if (message instanceof Row row) {
      return apply(row, plan.nodes.get(row.node()), tombstoneDiesAt);
    } else if (message instanceof Answer answer) {
      return apply(answer, plan.nodes.get(answer.node()));
    }
    throw new IllegalArgumentException("an assembly takes no " + message.getClass().getName());
  }

  private Step apply(Row message, JoinPlan.Node node, long tombstoneDiesAt) {
    Entry old = find(message.address());
    if (old != null && message.version() <= old.version) {
      return new Step(this, Effect.STALE);
    }
    int slots = node.lookupsAt(message.address()).size();
    Found[] current = new Found[slots];
    Found[] next = new Found[slots];
    if (old != null && slots > 0) {
      for (int slot = 0; slot < slots; slot++) {
        keepAnswers(old, slot, message, node.lookups.get(slot), current, next);
      }
    }
    boolean deleted = message.row() == null;
    Entry entry =
        new Entry(
            message.address(),
            message.row(),
            message.version(),
            deleted ? tombstoneDiesAt : 0,
            current,
            next);
    byte[] oldRow = old == null ? null : old.row;
    boolean same = Arrays.equals(oldRow, message.row()) && sameRows(old, current);
    return with(entry, message, same ? Effect.UNSEEN : Effect.CHANGED);
  }

  private static boolean sameRows(@Nullable Entry old, Found[] current) {
    for (int slot = 0; slot < current.length; slot++) {
      Found before = old == null ? null : old.current[slot];
      if (current[slot] == null ? before != null : !current[slot].hasSameRows(before)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Keeps what answers the row that is now here, and otherwise what answers a newer one: a newer
   * row's answer may have come while an older row with the same join value was still in place.
   */
  private static void keepAnswers(
      Entry old, int slot, Row message, JoinPlan.Node lookup, Found[] current, Found[] next) {
    JoinKey join = message.row() == null ? null : lookup.lookupKeyOf(message.row());
    for (Found found : new Found[] {old.current[slot], old.next[slot]}) {
      if (found == null) {
        continue;
      }
      if (found.joinKey.equals(join)) {
        current[slot] = found.isNewerThan(current[slot]) ? found : current[slot];
      } else if (found.subscription > message.version()) {
        next[slot] = found.isNewerThan(next[slot]) ? found : next[slot];
      }
    }
  }

  private Step apply(Answer message, JoinPlan.Node lookup) {
    int slots = lookup.parent.lookups.size();
    Entry old = find(message.address());
    if (old == null) {
      old = new Entry(message.address(), null, 0, 0, new Found[slots], new Found[slots]);
    }
    Found found =
        new Found(message.joinKey(), message.subscription(), message.version(), message.rows());
    Found[] current = old.current;
    Found[] next = old.next;
    Effect effect = Effect.UNSEEN;
    if (old.row != null && message.joinKey().equals(lookup.lookupKeyOf(old.row))) {
      Found was = current[lookup.slot];
      if (!found.isNewerThan(was)) {
        return new Step(this, Effect.STALE);
      }
      current = current.clone();
      current[lookup.slot] = found;
      effect = found.hasSameRows(was) ? Effect.UNSEEN : Effect.CHANGED;
    } else {
      // An answer to another join value: to an older row it comes too late, to a newer too early.
      if (message.subscription() <= old.version || !found.isNewerThan(next[lookup.slot])) {
        return new Step(this, Effect.STALE);
      }
      next = next.clone();
      next[lookup.slot] = found;
    }
    return with(
        new Entry(old.address, old.row, old.version, old.diesAt, current, next), message, effect);
  }

  private Step with(Entry entry, Message cause, Effect effect) {
    return new Step(
        new AssemblyState(
            Addressed.with(entries, entry),
            version,
            Positions.max(positions, cause.positions()),
            Math.max(commitMillis, cause.commitMillis()),
            held,
            due,
            key,
            emitted,
            passed),
        effect);
  }

  /**
   * Without the deleted rows that may be forgotten at this event time. Where a newer row is awaited
   * already, since an answer to it has come, only the time of death is.
   */
  AssemblyState forget(long now) {
    Entry[] kept =
        Arrays.stream(entries)
            .map(entry -> entry.diesAt <= now && entry.isAwaited() ? entry.undying() : entry)
            .filter(entry -> entry.diesAt == 0 || entry.diesAt > now)
            .toArray(Entry[]::new);
    return new AssemblyState(
        kept, version, positions, commitMillis, held, due, key, emitted, passed);
  }

  /** When the last of the deleted rows may be forgotten, in event time; 0 if there is none. */
  long lastDeath() {
    return Arrays.stream(entries).mapToLong(Entry::diesAt).max().orElse(0);
  }

  boolean isEmpty() {
    return entries.length == 0 && !held && key == null && passed.length == 0;
  }

  /** Writes the fields in order, absent answers as a join key of length 0. */
  static final class StateCoder extends AtomicCoder<AssemblyState> {
    @Override
    public void encode(AssemblyState state, OutputStream out) throws IOException {
      Wire.writeInt(state.entries.length, out);
      for (Entry entry : state.entries) {
        Wire.writeBytes(entry.address.bytes(), out);
        Wire.writeNullableBytes(entry.row, out);
        Wire.writeLong(entry.version, out);
        Wire.writeLong(entry.diesAt, out);
        Wire.writeInt(entry.current.length, out);
        for (int slot = 0; slot < entry.current.length; slot++) {
          encode(entry.current[slot], out);
          encode(entry.next[slot], out);
        }
      }
      Wire.writeLong(state.version, out);
      Wire.writeLongs(state.positions, out);
      Wire.writeLong(state.commitMillis, out);
      out.write((state.held ? 1 : 0) | (state.due ? 2 : 0));
      Wire.writeNullableBytes(state.key, out);
      Wire.writeNullableBytes(state.emitted, out);
      Wire.writeBytesArray(state.passed, out);
    }

    private static void encode(@Nullable Found found, OutputStream out) throws IOException {
      Wire.writeNullableBytes(found == null ? null : found.joinKey.bytes(), out);
      if (found != null) {
        Wire.writeLong(found.subscription, out);
        Wire.writeLong(found.version, out);
        Wire.writeBytesArray(found.rows, out);
      }
    }

    @Override
    public AssemblyState decode(InputStream in) throws IOException {
      Entry[] entries = new Entry[Wire.readInt(in)];
      for (int i = 0; i < entries.length; i++) {
        JoinKey address = new JoinKey(Wire.readBytes(in));
        byte[] row = Wire.readNullableBytes(in);
        long version = Wire.readLong(in);
        long diesAt = Wire.readLong(in);
        int slots = Wire.readInt(in);
        Found[] current = new Found[slots];
        Found[] next = new Found[slots];
        for (int slot = 0; slot < slots; slot++) {
          current[slot] = decodeFound(in);
          next[slot] = decodeFound(in);
        }
        entries[i] = new Entry(address, row, version, diesAt, current, next);
      }
      long version = Wire.readLong(in);
      long[] positions = Wire.readLongs(in);
      long commitMillis = Wire.readLong(in);
      int flags = in.read();
      byte[] key = Wire.readNullableBytes(in);
      byte[] emitted = Wire.readNullableBytes(in);
      byte[][] passed = Wire.readBytesArray(in);
      return new AssemblyState(
          entries,
          version,
          positions,
          commitMillis,
          (flags & 1) != 0,
          (flags & 2) != 0,
          key,
          emitted,
          passed);
    }

    @Nullable
    private static Found decodeFound(InputStream in) throws IOException {
      byte[] joinKey = Wire.readNullableBytes(in);
      return joinKey == null
          ? null
          : new Found(
              new JoinKey(joinKey), Wire.readLong(in), Wire.readLong(in), Wire.readBytesArray(in));
    }
  }
}
