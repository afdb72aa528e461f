package io.widebeam.change;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bson.RawBsonDocument;
import org.bson.types.Decimal128;

/**
 * Writes BSON bytes directly, without building a document of objects first. One instance is reused
 * for many documents by one thread.
 *
 * <p>Each value is written together with its field's name, which the caller has encoded once with
 * {@link #fieldName}.
 */
public final class BsonBuffer {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final int DECIMAL_DIGITS = 34;
  private static final int DECIMAL_EXPONENT_BIAS = 6176;
  private static final int DECIMAL_MAX_EXPONENT = 6111;

  private byte[] bytes = new byte[1024];
  private int length;

  /**
   * A field's name as BSON holds it: UTF-8, ended by a zero byte.
   *
   * @throws IllegalArgumentException if the name itself contains a zero
   */
  public static byte[] fieldName(String name) {
    if (name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a field's name cannot contain a zero character: " + name);
    }
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    return Arrays.copyOf(utf8, utf8.length + 1);
  }

  /** Whether {@link #putDecimal} can hold the value exactly. */
  public static boolean fitsDecimal128(BigDecimal value) {
    return value.precision() <= DECIMAL_DIGITS
        && -value.scale() <= DECIMAL_MAX_EXPONENT
        && value.scale() <= DECIMAL_EXPONENT_BIAS;
  }

  /** Forgets what was written. */
  public void clear() {
    length = 0;
  }

  /** The number of bytes written since {@link #clear}; a mark to {@link #rewind} to. */
  public int length() {
    return length;
  }

  /** Drops everything written after the mark. */
  public void rewind(int mark) {
    length = mark;
  }

  /** The document written since {@link #clear}. */
  public RawBsonDocument toDocument() {
    return new RawBsonDocument(Arrays.copyOf(bytes, length));
  }

  /** Opens the outermost document; {@link #end} wants the mark back. */
  public int startDocument() {
    ensure(4);
    int mark = length;
    length += 4;
    return mark;
  }

  /** Opens an embedded document; {@link #end} wants the mark back. */
  public int startDocument(byte[] name) {
    putName(0x03, name, 4);
    return startDocument();
  }

  /** Opens an array, whose fields are named 0, 1, …; {@link #end} wants the mark back. */
  public int startArray(byte[] name) {
    putName(0x04, name, 4);
    return startDocument();
  }

  /** Closes a document or an array. */
  public void end(int mark) {
    ensure(1);
    bytes[length++] = 0;
    INT.set(bytes, mark, length - mark);
  }

  public void putNull(byte[] name) {
    putName(0x0A, name, 0);
  }

  public void putBoolean(byte[] name, boolean value) {
    putName(0x08, name, 1);
    bytes[length++] = (byte) (value ? 1 : 0);
  }

  public void putInt32(byte[] name, int value) {
    putName(0x10, name, 4);
    INT.set(bytes, length, value);
    length += 4;
  }

  public void putInt64(byte[] name, long value) {
    putLong(0x12, name, value);
  }

  /** Writes a date. The value is in milliseconds since the epoch, UTC. */
  public void putDateTime(byte[] name, long millis) {
    putLong(0x09, name, millis);
  }

  public void putDouble(byte[] name, double value) {
    putLong(0x01, name, Double.doubleToRawLongBits(value));
  }

  public void putString(byte[] name, String value) {
    putString(name, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes a text that is there as UTF-8 already. */
  public void putString(byte[] name, byte[] utf8) {
    putName(0x02, name, utf8.length + 5);
    INT.set(bytes, length, utf8.length + 1);
    System.arraycopy(utf8, 0, bytes, length + 4, utf8.length);
    length += utf8.length + 5;
    bytes[length - 1] = 0;
  }

  public void putBinary(byte[] name, byte[] value) {
    putBinary(name, ByteBuffer.wrap(value));
  }

  public void putBinary(byte[] name, ByteBuffer value) {
    int size = value.remaining();
    putName(0x05, name, size + 5);
    INT.set(bytes, length, size);
    bytes[length + 4] = 0;
    value.duplicate().get(bytes, length + 5, size);
    length += size + 5;
  }

  /** Writes a decimal exactly, its scale included; see {@link #fitsDecimal128}. */
  public void putDecimal(byte[] name, BigDecimal value) {
    putName(0x13, name, 16);
    BigInteger unscaled = value.unscaledValue();
    long low;
    long high;
    if (unscaled.bitLength() < 64 && fitsDecimal128(value)) {
      low = unscaled.abs().longValue();
      high = (long) (DECIMAL_EXPONENT_BIAS - value.scale()) << 49;
      if (unscaled.signum() < 0) {
        high |= Long.MIN_VALUE;
      }
    } else {
      Decimal128 decimal = new Decimal128(value);
      low = decimal.getLow();
      high = decimal.getHigh();
    }
    LONG.set(bytes, length, low);
    LONG.set(bytes, length + 8, high);
    length += 16;
  }

  /** Writes a decimal that may be no number. */
  public void putDecimal(byte[] name, Decimal128 value) {
    putName(0x13, name, 16);
    LONG.set(bytes, length, value.getLow());
    LONG.set(bytes, length + 8, value.getHigh());
    length += 16;
  }

  /** Writes a decimal of a few digits, its scale (0 to 34) included. */
  public void putDecimal(byte[] name, long unscaled, int scale) {
    putName(0x13, name, 16);
    LONG.set(bytes, length, Math.abs(unscaled));
    LONG.set(
        bytes,
        length + 8,
        (long) (DECIMAL_EXPONENT_BIAS - scale) << 49 | (unscaled & Long.MIN_VALUE));
    length += 16;
  }

  /**
   * Copies a value from another document.
   *
   * @param element where the element that has it begins; see {@link BsonRow#find}
   */
  public void putElement(byte[] name, byte[] document, int element) {
    int value = BsonRow.valueOffset(document, element);
    int size = BsonRow.nextElement(document, element) - value;
    putName(document[element], name, size);
    System.arraycopy(document, value, bytes, length, size);
    length += size;
  }

  /** Copies whole elements, names and values, from another document. */
  public void putElements(byte[] document, int from, int to) {
    ensure(to - from);
    System.arraycopy(document, from, bytes, length, to - from);
    length += to - from;
  }

  private void putLong(int type, byte[] name, long value) {
    putName(type, name, 8);
    LONG.set(bytes, length, value);
    length += 8;
  }

  private void putName(int type, byte[] name, int following) {
    ensure(1 + name.length + following);
    bytes[length++] = (byte) type;
    System.arraycopy(name, 0, bytes, length, name.length);
    length += name.length;
  }

  private void ensure(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(Math.addExact(length, more), bytes.length * 2));
    }
  }
}
