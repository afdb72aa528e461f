package io.widebeam.change;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.CustomCoder;
import org.apache.beam.sdk.util.VarInt;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.bson.RawBsonDocument;

/**
 * Encodes a {@link Change}: one byte of flags, the table, the sequence, the commit time, and the
 * rows' BSON bytes as they are.
 */
public final class ChangeCoder extends CustomCoder<Change> {
  private static final ChangeCoder INSTANCE = new ChangeCoder();

  private static final int HAS_BEFORE = 1;
  private static final int HAS_AFTER = 2;
  private static final int SNAPSHOT = 4;

  private ChangeCoder() {}

  public static ChangeCoder of() {
    return INSTANCE;
  }

  /** Lets Beam find this coder for {@link Change} by itself. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(Change.class), of());
  }

  @Override
  public void encode(Change value, OutputStream out) throws IOException {
    if (value == null) {
      throw new CoderException("cannot encode a null change");
    }
    RawBsonDocument before = value.before();
    RawBsonDocument after = value.after();
    out.write(
        (before == null ? 0 : HAS_BEFORE)
            | (after == null ? 0 : HAS_AFTER)
            | (value.snapshot() ? SNAPSHOT : 0));
    byte[] table = Tables.encoded(value.table());
    VarInt.encode(table.length, out);
    out.write(table);
    VarInt.encode(value.sequence(), out);
    VarInt.encode(value.commitMillis(), out);
    if (before != null) {
      writeDocument(before, out);
    }
    if (after != null) {
      writeDocument(after, out);
    }
  }

  @Override
  public Change decode(InputStream in) throws IOException {
    int flags = in.read();
    if (flags < 0) {
      throw new EOFException("a change ends before its flags");
    }
    byte[] table = new byte[VarInt.decodeInt(in)];
    readFully(in, table, 0);
    long sequence = VarInt.decodeLong(in);
    long commitMillis = VarInt.decodeLong(in);
    RawBsonDocument before = (flags & HAS_BEFORE) == 0 ? null : readDocument(in);
    RawBsonDocument after = (flags & HAS_AFTER) == 0 ? null : readDocument(in);
    return new Change(
        Tables.decoded(table), before, after, sequence, commitMillis, (flags & SNAPSHOT) != 0);
  }

  /** The bytes that the document's encoding takes, without copying them. */
  public static int encodedSize(@Nullable RawBsonDocument document) {
    return document == null ? 0 : document.getByteBuffer().remaining();
  }

  /** Writes a document's own bytes; BSON begins with its length, so nothing else is needed. */
  public static void writeDocument(RawBsonDocument document, OutputStream out) throws IOException {
    ByteBuffer bytes = document.getByteBuffer().asNIO();
    out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
  }

  /** Reads what {@link #writeDocument} wrote. */
  public static RawBsonDocument readDocument(InputStream in) throws IOException {
    int b0 = in.read();
    int b1 = in.read();
    int b2 = in.read();
    int b3 = in.read();
    if (b3 < 0) {
      throw new EOFException("a document ends before its length");
    }
    int length = b0 | b1 << 8 | b2 << 16 | b3 << 24;
    if (length < 5) {
      throw new CoderException("not a BSON document: length " + length);
    }
    byte[] bytes = new byte[length];
    bytes[0] = (byte) b0;
    bytes[1] = (byte) b1;
    bytes[2] = (byte) b2;
    bytes[3] = (byte) b3;
    readFully(in, bytes, 4);
    return new RawBsonDocument(bytes);
  }

  private static void readFully(InputStream in, byte[] bytes, int from) throws IOException {
    if (in.readNBytes(bytes, from, bytes.length - from) < bytes.length - from) {
      throw new EOFException("a change ends early");
    }
  }

  @Override
  protected long getEncodedElementByteSize(Change value) {
    return 33L
        + VarInt.getLength(value.sequence())
        + VarInt.getLength(value.commitMillis())
        + encodedSize(value.before())
        + encodedSize(value.after());
  }

  @Override
  public boolean isRegisterByteSizeObserverCheap(Change value) {
    return true;
  }

  @Override
  public void verifyDeterministic() {}

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ChangeCoder;
  }

  @Override
  public int hashCode() {
    return ChangeCoder.class.hashCode();
  }

  /** The few tables there are, so that no row builds its table's name anew. */
  private static final class Tables {
    private static final int SLOTS = 512;
    private static final Map<TableId, byte[]> ENCODED = new ConcurrentHashMap<>();
    private static final AtomicReferenceArray<Decoded> DECODED = new AtomicReferenceArray<>(SLOTS);

    private static final class Decoded {
      private final byte[] bytes;
      private final TableId table;

      Decoded(byte[] bytes, TableId table) {
        this.bytes = bytes;
        this.table = table;
      }
    }

    static byte[] encoded(TableId table) {
      byte[] bytes = ENCODED.get(table);
      if (bytes == null) {
        bytes =
            (table.source() + '\0' + table.namespace() + '\0' + table.name())
                .getBytes(StandardCharsets.UTF_8);
        ENCODED.put(table, bytes);
      }
      return bytes;
    }

    static TableId decoded(byte[] bytes) throws CoderException {
      int slot = Arrays.hashCode(bytes) & (SLOTS - 1);
      Decoded known = DECODED.get(slot);
      if (known != null && Arrays.equals(known.bytes, bytes)) {
        return known.table;
      }
      String text = new String(bytes, StandardCharsets.UTF_8);
      int first = text.indexOf('\0');
      int second = text.indexOf('\0', first + 1);
      if (first < 0 || second < 0) {
        throw new CoderException("not a table's name: " + text);
      }
      TableId table =
          new TableId(
              text.substring(0, first),
              text.substring(first + 1, second),
              text.substring(second + 1));
      DECODED.set(slot, new Decoded(bytes, table));
      return table;
    }
  }
}
