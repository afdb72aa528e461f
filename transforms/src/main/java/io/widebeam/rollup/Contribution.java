package io.widebeam.rollup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.util.VarInt;

/**
 * What one document gives one group, in whole: it replaces what it gave before.
 *
 * @param document the document's key, encoded; empty if this only asks to emit the group's row
 *     again
 * @param version the document's version
 * @param commitMillis the commit time of the newest change that the document contains
 * @param certain whether the target shows what the document gave before. If not, what the group's
 *     row was before the document came to it is not known to be in place either
 * @param group the group's key as an encoded document
 * @param rows the rows' values as encoded documents; none if the document has left the group
 */
record Contribution(
    byte[] document,
    long version,
    long commitMillis,
    boolean certain,
    byte[] group,
    List<byte[]> rows) {
  private static final byte[] NOBODY = {};

  /**
   * Asks to emit the group's row, or to delete it, even if the state thinks that it is in place.
   */
  static Contribution reconciling(byte[] group) {
    return new Contribution(NOBODY, 0, 0, false, group, List.of());
  }

  boolean isReconciling() {
    return document.length == 0;
  }

  /** The fields in order. */
  static final class ContributionCoder extends AtomicCoder<Contribution> {
    static final Coder<byte[]> BYTES = ByteArrayCoder.of();
    static final Coder<List<byte[]>> LIST = ListCoder.of(BYTES);

    @Override
    public void encode(Contribution contribution, OutputStream out) throws IOException {
      BYTES.encode(contribution.document, out);
      VarInt.encode(contribution.version, out);
      VarInt.encode(contribution.commitMillis, out);
      out.write(contribution.certain ? 1 : 0);
      BYTES.encode(contribution.group, out);
      LIST.encode(contribution.rows, out);
    }

    @Override
    public Contribution decode(InputStream in) throws IOException {
      return new Contribution(
          BYTES.decode(in),
          VarInt.decodeLong(in),
          VarInt.decodeLong(in),
          in.read() == 1,
          BYTES.decode(in),
          LIST.decode(in));
    }
  }
}
