package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.view.Collation;
import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import javax.annotation.Nullable;
import org.bson.types.Decimal128;

/**
 * Reads some columns of an encoded row as a {@link JoinKey}.
 *
 * <p>Numbers of all types share one encoding, so that 5, 5.0 and 5.00 are one key: the nearest
 * double, and what the value differs from it. Strings compare by their UTF-8 bytes, upper and lower
 * case apart, unless the column has a collation.
 */
public final class JoinKeyEncoder implements Serializable {
  private static final byte NULL = 0x01;
  private static final byte NUMBER = 0x10;
  private static final byte STRING = 0x20;
  private static final byte BOOLEAN = 0x28;
  private static final byte DATE_TIME = 0x30;
  private static final byte BYTES = 0x38;

  /** BSON's type of strings. */
  private static final int TEXT = 0x02;

  private static final byte LESS = 0;
  private static final byte EXACT = 1;
  private static final byte MORE = 2;

  /** Two doubles beyond the first hold the 113 bits of any Decimal128. */
  private static final int REMAINDERS = 2;

  private static final long EXACT_DOUBLES = 1L << 53;

  private final byte[][] columns;

  /** By column; null where texts compare by their bytes. */
  private final Collation[] collations;

  /**
   * A column to read.
   *
   * @param collation which of its texts are equal; null if only those of the same bytes
   */
  record Column(String name, @Nullable Collation collation) implements Serializable {}

  public JoinKeyEncoder(List<String> columns) {
    this.columns = columns.stream().map(BsonRow::name).toArray(byte[][]::new);
    this.collations = new Collation[columns.size()];
  }

  static JoinKeyEncoder of(List<Column> columns) {
    JoinKeyEncoder encoder = new JoinKeyEncoder(columns.stream().map(Column::name).toList());
    for (int i = 0; i < columns.size(); i++) {
      encoder.collations[i] = columns.get(i).collation();
    }
    return encoder;
  }

  /** The columns' values, or null if one of them is null or absent: as in SQL it equals nothing. */
  @Nullable
  public JoinKey encode(byte[] row) {
    return encode(row, false);
  }

  /** The columns' values for sorting, where null comes first. */
  public JoinKey encodeWithNulls(byte[] row) {
    return encode(row, true);
  }

  @Nullable
  private JoinKey encode(byte[] row, boolean withNulls) {
    Output out = new Output();
    for (int i = 0; i < columns.length; i++) {
      int element = BsonRow.find(row, columns[i]);
      boolean present = element >= 0 && row[element] != 0x0A && row[element] != 0x06;
      if (present) {
        int value = BsonRow.valueOffset(row, element);
        if (collations[i] != null && row[element] == TEXT) {
          byte[] key = collations[i].key(row, value + 4, value + 4 + BsonRow.int32(row, value) - 1);
          out.write(STRING);
          out.writeTerminated(key, 0, key.length);
        } else {
          write(row, row[element], value, element, out);
        }
      } else if (withNulls) {
        out.write(NULL);
      } else {
        return null;
      }
    }
    return new JoinKey(out.toBytes());
  }

  private static void write(byte[] row, int type, int value, int element, Output out) {
    switch (type) {
      case 0x10 -> writeLong(BsonRow.int32(row, value), out);
      case 0x12 -> writeLong(BsonRow.int64(row, value), out);
      case 0x01 -> writeDouble(Double.longBitsToDouble(BsonRow.int64(row, value)), out);
      case 0x13 ->
          writeDecimal(
              Decimal128.fromIEEE754BIDEncoding(
                  BsonRow.int64(row, value + 8), BsonRow.int64(row, value)),
              out);
      case TEXT -> {
        out.write(STRING);
        out.writeTerminated(row, value + 4, value + 4 + BsonRow.int32(row, value) - 1);
      }
      case 0x08 -> {
        out.write(BOOLEAN);
        out.write(row[value]);
      }
      case 0x09 -> {
        out.write(DATE_TIME);
        out.writeLong(BsonRow.int64(row, value) ^ Long.MIN_VALUE);
      }
      default -> {
        // Anything else is equal to what has the same type and the same bytes.
        out.write(BYTES);
        out.write((byte) type);
        out.writeTerminated(row, value, BsonRow.nextElement(row, element));
      }
    }
  }

  private static void writeLong(long value, Output out) {
    if (Math.abs(value) <= EXACT_DOUBLES && value != Long.MIN_VALUE) {
      writeDouble((double) value, out);
    } else {
      writeDecimal(BigDecimal.valueOf(value), out);
    }
  }

  private static void writeDouble(double value, Output out) {
    out.write(NUMBER);
    out.writeLong(sortable(value));
    out.write(EXACT);
  }

  private static void writeDecimal(Decimal128 value, Output out) {
    if (value.isNaN() || value.isInfinite()) {
      writeDouble(value.doubleValue(), out);
    } else if (isZero(value)) {
      writeDouble(0, out);
    } else {
      writeDecimal(value.bigDecimalValue(), out);
    }
  }

  /** A negative zero is none to BigDecimal. */
  private static boolean isZero(Decimal128 value) {
    return value.getLow() == 0 && (value.getHigh() & 0x0001FFFFFFFFFFFFL) == 0;
  }

  private static void writeDecimal(BigDecimal value, Output out) {
    out.write(NUMBER);
    BigDecimal rest = value;
    for (int i = 0; i <= REMAINDERS; i++) {
      double nearest = rest.doubleValue();
      if (Double.isInfinite(nearest)) {
        nearest = Math.copySign(Double.MAX_VALUE, nearest);
      }
      out.writeLong(sortable(nearest));
      rest = rest.subtract(new BigDecimal(nearest));
      if (rest.signum() == 0) {
        out.write(EXACT);
        return;
      }
      out.write(rest.signum() < 0 ? LESS : MORE);
    }
  }

  /** Bits that sort, unsigned, as the doubles do. */
  private static long sortable(double value) {
    long bits = Double.doubleToLongBits(value == 0 ? 0.0 : value);
    return bits ^ ((bits >> 63) | Long.MIN_VALUE);
  }

  private static final class Output {
    private byte[] bytes = new byte[48];
    private int length;

    void write(byte b) {
      reserve(1);
      bytes[length++] = b;
    }

    void writeLong(long value) {
      reserve(8);
      for (int shift = 56; shift >= 0; shift -= 8) {
        bytes[length++] = (byte) (value >>> shift);
      }
    }

    /** Ends in two zero bytes; a zero byte within is escaped, which keeps the order. */
    void writeTerminated(byte[] source, int from, int to) {
      reserve(2 * (to - from) + 2);
      for (int i = from; i < to; i++) {
        byte b = source[i];
        bytes[length++] = b;
        if (b == 0) {
          bytes[length++] = (byte) 0xFF;
        }
      }
      bytes[length++] = 0;
      bytes[length++] = 0;
    }

    private void reserve(int more) {
      if (length + more > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
      }
    }

    byte[] toBytes() {
      return Arrays.copyOf(bytes, length);
    }
  }
}
