package io.widebeam.rollup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.util.VarInt;

/**
 * One group, apart from what each document gives it. Immutable, because a runner may still be
 * writing the previous state to a checkpoint.
 *
 * @param group the group's key as an encoded document
 * @param rows the rows in the group
 * @param tallies per aggregate
 * @param version of the row last emitted
 * @param commitMillis the commit time of the newest change contained
 * @param due whether an emission is to come
 * @param certain whether the target is known to hold what was last emitted
 * @param emitted the row as last emitted, if it is there
 * @param forgetAt when a document that has left will be forgotten, in event time; 0 if none
 */
record GroupState(
    byte[] group,
    long rows,
    List<Tally> tallies,
    long version,
    long commitMillis,
    boolean due,
    boolean certain,
    @Nullable byte[] emitted,
    long forgetAt) {

  static GroupState of(byte[] group, int aggregates) {
    return new GroupState(
        group, 0, Collections.nCopies(aggregates, Tally.NOTHING), 0, 0, false, true, null, 0);
  }

  GroupState with(long nowRows, List<Tally> now, long newestCommit) {
    return new GroupState(
        group,
        nowRows,
        List.copyOf(now),
        version,
        Math.max(commitMillis, newestCommit),
        due,
        certain,
        emitted,
        forgetAt);
  }

  GroupState nowDue(boolean stillCertain) {
    return new GroupState(
        group,
        rows,
        tallies,
        version,
        commitMillis,
        true,
        certain && stillCertain,
        emitted,
        forgetAt);
  }

  GroupState emitted(List<Tally> now, long newVersion, @Nullable byte[] row) {
    return new GroupState(
        group, rows, List.copyOf(now), newVersion, commitMillis, false, true, row, forgetAt);
  }

  GroupState forgettingAt(long millis) {
    return new GroupState(
        group, rows, tallies, version, commitMillis, due, certain, emitted, millis);
  }

  boolean isEmpty() {
    return rows == 0 && !due && emitted == null && forgetAt == 0;
  }

  /** The fields in order. */
  static final class GroupStateCoder extends AtomicCoder<GroupState> {
    private static final Coder<byte[]> BYTES = ByteArrayCoder.of();
    private static final Coder<byte[]> NULLABLE = NullableCoder.of(BYTES);
    private static final Coder<List<Tally>> TALLIES = ListCoder.of(new Tally.TallyCoder());

    @Override
    public void encode(GroupState state, OutputStream out) throws IOException {
      BYTES.encode(state.group, out);
      VarInt.encode(state.rows, out);
      TALLIES.encode(state.tallies, out);
      VarInt.encode(state.version, out);
      VarInt.encode(state.commitMillis, out);
      out.write((state.due ? 1 : 0) | (state.certain ? 2 : 0));
      NULLABLE.encode(state.emitted, out);
      VarInt.encode(state.forgetAt, out);
    }

    @Override
    public GroupState decode(InputStream in) throws IOException {
      byte[] group = BYTES.decode(in);
      long rows = VarInt.decodeLong(in);
      List<Tally> tallies = TALLIES.decode(in);
      long version = VarInt.decodeLong(in);
      long commitMillis = VarInt.decodeLong(in);
      int flags = in.read();
      return new GroupState(
          group,
          rows,
          tallies,
          version,
          commitMillis,
          (flags & 1) != 0,
          (flags & 2) != 0,
          NULLABLE.decode(in),
          VarInt.decodeLong(in));
    }
  }
}
