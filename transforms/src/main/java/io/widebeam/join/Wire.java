package io.widebeam.join;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import javax.annotation.Nullable;
import org.apache.beam.sdk.util.VarInt;

/** The pieces that the coders of this package are made of. */
final class Wire {
  private Wire() {}

  static void writeBytes(byte[] bytes, OutputStream out) throws IOException {
    VarInt.encode(bytes.length, out);
    out.write(bytes);
  }

  static byte[] readBytes(InputStream in) throws IOException {
    return readFully(VarInt.decodeInt(in), in);
  }

  /** Absent is length 0, which no BSON document has. */
  static void writeNullableBytes(@Nullable byte[] bytes, OutputStream out) throws IOException {
    writeBytes(bytes == null ? new byte[0] : bytes, out);
  }

  @Nullable
  static byte[] readNullableBytes(InputStream in) throws IOException {
    byte[] bytes = readBytes(in);
    return bytes.length == 0 ? null : bytes;
  }

  static void writeBytesArray(byte[][] arrays, OutputStream out) throws IOException {
    VarInt.encode(arrays.length, out);
    for (byte[] bytes : arrays) {
      writeBytes(bytes, out);
    }
  }

  static byte[][] readBytesArray(InputStream in) throws IOException {
    byte[][] arrays = new byte[VarInt.decodeInt(in)][];
    for (int i = 0; i < arrays.length; i++) {
      arrays[i] = readBytes(in);
    }
    return arrays;
  }

  static void writeLong(long value, OutputStream out) throws IOException {
    VarInt.encode(value, out);
  }

  static long readLong(InputStream in) throws IOException {
    return VarInt.decodeLong(in);
  }

  static void writeInt(int value, OutputStream out) throws IOException {
    VarInt.encode(value, out);
  }

  static int readInt(InputStream in) throws IOException {
    return VarInt.decodeInt(in);
  }

  static void writeLongs(long[] values, OutputStream out) throws IOException {
    VarInt.encode(values.length, out);
    for (long value : values) {
      VarInt.encode(value, out);
    }
  }

  static long[] readLongs(InputStream in) throws IOException {
    long[] values = new long[VarInt.decodeInt(in)];
    for (int i = 0; i < values.length; i++) {
      values[i] = VarInt.decodeLong(in);
    }
    return values;
  }

  private static byte[] readFully(int length, InputStream in) throws IOException {
    byte[] bytes = new byte[length];
    if (in.readNBytes(bytes, 0, length) < length) {
      throw new EOFException();
    }
    return bytes;
  }
}
