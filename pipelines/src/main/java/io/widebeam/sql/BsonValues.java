package io.widebeam.sql;

import io.widebeam.change.BsonRow;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.annotation.Nullable;
import org.apache.calcite.avatica.util.ByteString;
import org.bson.types.Decimal128;

/** Reads values out of BSON rows as Calcite's generated code wants them. */
final class BsonValues {
  private static final long MILLIS_PER_DAY = 86_400_000L;

  /** Stands for a value that nothing can be computed from. */
  private static final Object SOMETHING = new Object();

  private BsonValues() {}

  /**
   * The value of a field; null if it is null or absent.
   *
   * @throws IllegalArgumentException if it is no value of the type
   * @throws ArithmeticException if it is beyond the type's range
   */
  @Nullable
  static Object read(byte[] row, byte[] name, SqlType type) {
    int element = BsonRow.find(row, name);
    if (element < 0 || row[element] == 0x0A || row[element] == 0x06) {
      return null;
    }
    int value = BsonRow.valueOffset(row, element);
    int bson = row[element];
    return switch (type.kind()) {
      case BOOLEAN -> bson == 0x08 ? row[value] != 0 : number(row, bson, value).signum() != 0;
      case INTEGER ->
          switch (bson) {
            case 0x10 -> (long) BsonRow.int32(row, value);
            case 0x12 -> BsonRow.int64(row, value);
            default -> number(row, bson, value).longValueExact();
          };
      case DECIMAL -> number(row, bson, value);
      case DOUBLE ->
          bson == 0x01
              ? Double.longBitsToDouble(BsonRow.int64(row, value))
              : number(row, bson, value).doubleValue();
      case TEXT -> {
        require(bson == 0x02, bson, "a text");
        yield text(row, value);
      }
      case DATE -> {
        require(bson == 0x09, bson, "a date");
        yield Math.toIntExact(Math.floorDiv(BsonRow.int64(row, value), MILLIS_PER_DAY));
      }
      case DATETIME -> {
        require(bson == 0x09, bson, "a date and time");
        yield BsonRow.int64(row, value);
      }
      case BYTES -> {
        require(bson == 0x05, bson, "binary");
        yield new ByteString(
            Arrays.copyOfRange(row, value + 5, value + 5 + BsonRow.int32(row, value)));
      }
      case OTHER -> SOMETHING;
    };
  }

  private static BigDecimal number(byte[] row, int bson, int value) {
    return switch (bson) {
      case 0x08 -> BigDecimal.valueOf(row[value]);
      case 0x10 -> BigDecimal.valueOf(BsonRow.int32(row, value));
      case 0x12 -> BigDecimal.valueOf(BsonRow.int64(row, value));
      case 0x01 -> BigDecimal.valueOf(Double.longBitsToDouble(BsonRow.int64(row, value)));
      case 0x13 -> decimal(row, value);
      // A decimal of more digits than BSON has.
      case 0x02 -> new BigDecimal(text(row, value));
      default -> throw wrong(bson, "a number");
    };
  }

  private static BigDecimal decimal(byte[] row, int value) {
    Decimal128 decimal =
        Decimal128.fromIEEE754BIDEncoding(BsonRow.int64(row, value + 8), BsonRow.int64(row, value));
    if (decimal.isNaN() || decimal.isInfinite()) {
      throw new IllegalArgumentException("is " + decimal + ", which is no exact number");
    }
    // A negative zero is none to BigDecimal.
    return decimal.isNegative() && decimal.doubleValue() == 0 && isZero(decimal)
        ? BigDecimal.ZERO
        : decimal.bigDecimalValue();
  }

  private static boolean isZero(Decimal128 value) {
    return value.getLow() == 0 && (value.getHigh() & 0x0001FFFFFFFFFFFFL) == 0;
  }

  private static String text(byte[] row, int value) {
    return new String(row, value + 4, BsonRow.int32(row, value) - 1, StandardCharsets.UTF_8);
  }

  private static void require(boolean condition, int bson, String wanted) {
    if (!condition) {
      throw wrong(bson, wanted);
    }
  }

  private static IllegalArgumentException wrong(int bson, String wanted) {
    return new IllegalArgumentException(
        "holds a value of BSON type " + bson + " where " + wanted + " should be");
  }
}
