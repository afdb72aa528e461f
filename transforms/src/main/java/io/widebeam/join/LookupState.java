package io.widebeam.join;

import io.widebeam.join.Message.Row;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;

/**
 * The rows that have one join value. Immutable, because a runner may still be writing the previous
 * state to a checkpoint.
 *
 * @param entries by row key, ascending
 * @param answers counts the answers given: their versions
 * @param positions the positions that the rows reach
 * @param unanswered whether a subscriber still waits for an answer
 * @param pointers the subscribers, while they are few
 * @param crowded whether they are many, and in a map state of their own
 */
record LookupState(
    Entry[] entries,
    long answers,
    long[] positions,
    boolean unanswered,
    Pointer[] pointers,
    boolean crowded) {
  static final LookupState EMPTY =
      new LookupState(new Entry[0], 0, new long[0], false, new Pointer[0], false);

  /** A subscriber, and how it points here. */
  record Pointer(Subscriber who, Subscribed how) {}

  /**
   * @param row the encoded row; null if it is deleted
   * @param diesAt when a deleted row may be forgotten, in event time; 0 if it is not deleted
   */
  record Entry(JoinKey address, @Nullable byte[] row, long version, long diesAt)
      implements Addressed {}

  /**
   * A parent row that points here, or did.
   *
   * @param assembly the key of the assembly that holds the parent row
   * @param address the parent row's address there
   */
  record Subscriber(JoinKey assembly, JoinKey address) {}

  /**
   * @param version the version of the parent row's change
   * @param pointing whether it points here now
   * @param answered whether it has been answered
   * @param diesAt when a subscription that has ended may be forgotten; 0 if it has not
   */
  record Subscribed(long version, boolean pointing, boolean answered, long diesAt) {
    Subscribed nowAnswered() {
      return new Subscribed(version, pointing, true, diesAt);
    }
  }

  /** The row at this address, if it is or was here. */
  @Nullable
  Entry find(JoinKey address) {
    int i = Addressed.indexOf(entries, address);
    return i < 0 ? null : entries[i];
  }

  LookupState with(Row message, long tombstoneDiesAt) {
    Entry entry =
        new Entry(
            message.address(),
            message.row(),
            message.version(),
            message.row() == null ? tombstoneDiesAt : 0);
    return new LookupState(
        Addressed.with(entries, entry),
        answers,
        Positions.max(positions, message.positions()),
        unanswered,
        pointers,
        crowded);
  }

  LookupState withAnswers(long count) {
    return new LookupState(entries, count, positions, unanswered, pointers, crowded);
  }

  LookupState withUnanswered(boolean now) {
    return new LookupState(entries, answers, positions, now, pointers, crowded);
  }

  LookupState forget(long now) {
    Entry[] kept =
        Arrays.stream(entries)
            .filter(entry -> entry.diesAt == 0 || entry.diesAt > now)
            .toArray(Entry[]::new);
    return new LookupState(kept, answers, positions, unanswered, pointers, crowded);
  }

  /** When the last of the deleted rows may be forgotten, in event time; 0 if there is none. */
  long lastDeath() {
    return Arrays.stream(entries).mapToLong(Entry::diesAt).max().orElse(0);
  }

  LookupState withPointers(Pointer[] now, boolean nowCrowded) {
    return new LookupState(entries, answers, positions, unanswered, now, nowCrowded);
  }

  /** The rows that are embedded, in order: all in an array, the first otherwise. */
  byte[][] found(JoinPlan.Node lookup) {
    List<byte[]> rows = new ArrayList<>(entries.length);
    List<JoinKey> orders = new ArrayList<>();
    for (Entry entry : entries) {
      if (entry.row != null) {
        rows.add(entry.row);
        if (lookup.order != null) {
          orders.add(lookup.order.encodeWithNulls(entry.row));
        }
      }
    }
    List<byte[]> inOrder = DocumentAssembler.inOrder(rows, orders);
    return inOrder.stream()
        .limit(lookup.isArray() ? inOrder.size() : 1)
        .map(lookup::shown)
        .toArray(byte[][]::new);
  }

  /** Writes the fields in order. */
  static final class StateCoder extends AtomicCoder<LookupState> {
    private static final SubscriberCoder SUBSCRIBERS = new SubscriberCoder();
    private static final SubscribedCoder SUBSCRIBED = new SubscribedCoder();

    @Override
    public void encode(LookupState state, OutputStream out) throws IOException {
      Wire.writeInt(state.entries.length, out);
      for (Entry entry : state.entries) {
        Wire.writeBytes(entry.address.bytes(), out);
        Wire.writeNullableBytes(entry.row, out);
        Wire.writeLong(entry.version, out);
        Wire.writeLong(entry.diesAt, out);
      }
      Wire.writeLong(state.answers, out);
      Wire.writeLongs(state.positions, out);
      out.write((state.unanswered ? 1 : 0) | (state.crowded ? 2 : 0));
      Wire.writeInt(state.pointers.length, out);
      for (Pointer pointer : state.pointers) {
        SUBSCRIBERS.encode(pointer.who, out);
        SUBSCRIBED.encode(pointer.how, out);
      }
    }

    @Override
    public LookupState decode(InputStream in) throws IOException {
      Entry[] entries = new Entry[Wire.readInt(in)];
      for (int i = 0; i < entries.length; i++) {
        entries[i] =
            new Entry(
                new JoinKey(Wire.readBytes(in)),
                Wire.readNullableBytes(in),
                Wire.readLong(in),
                Wire.readLong(in));
      }
      long answers = Wire.readLong(in);
      long[] positions = Wire.readLongs(in);
      int flags = in.read();
      Pointer[] pointers = new Pointer[Wire.readInt(in)];
      for (int i = 0; i < pointers.length; i++) {
        pointers[i] = new Pointer(SUBSCRIBERS.decode(in), SUBSCRIBED.decode(in));
      }
      return new LookupState(
          entries, answers, positions, (flags & 1) != 0, pointers, (flags & 2) != 0);
    }
  }

  /** Both keys. */
  static final class SubscriberCoder extends AtomicCoder<Subscriber> {
    @Override
    public void encode(Subscriber subscriber, OutputStream out) throws IOException {
      Wire.writeBytes(subscriber.assembly.bytes(), out);
      Wire.writeBytes(subscriber.address.bytes(), out);
    }

    @Override
    public Subscriber decode(InputStream in) throws IOException {
      return new Subscriber(new JoinKey(Wire.readBytes(in)), new JoinKey(Wire.readBytes(in)));
    }

    @Override
    public boolean consistentWithEquals() {
      return true;
    }

    @Override
    public void verifyDeterministic() {}
  }

  /** The fields in order. */
  static final class SubscribedCoder extends AtomicCoder<Subscribed> {
    @Override
    public void encode(Subscribed subscribed, OutputStream out) throws IOException {
      Wire.writeLong(subscribed.version, out);
      out.write((subscribed.pointing ? 1 : 0) | (subscribed.answered ? 2 : 0));
      Wire.writeLong(subscribed.diesAt, out);
    }

    @Override
    public Subscribed decode(InputStream in) throws IOException {
      long version = Wire.readLong(in);
      int flags = in.read();
      return new Subscribed(version, (flags & 1) != 0, (flags & 2) != 0, Wire.readLong(in));
    }
  }
}
