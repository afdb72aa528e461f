package io.widebeam.rollup;

import io.widebeam.join.JoinKey;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigDecimalCoder;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.util.VarInt;
import org.bson.BsonDecimal128;
import org.bson.BsonDouble;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;

/**
 * How far one aggregate of one group has been counted. Immutable. Sums are exact, of doubles too,
 * so that taking a value back leaves no trace of it.
 *
 * @param count the values that are not null
 * @param distinct how many different ones there are, where values are kept
 * @param sum of all finite numbers
 * @param decimals how many of them are decimals
 * @param doubles how many are doubles, finite or not
 * @param notFinite how many are infinite or not a number
 * @param positive how many of those are above every number
 * @param negative how many of those are below every number
 * @param extreme the key of the least or the greatest value; null if there is none, or if it is
 *     gone and the next one has yet to be found
 */
record Tally(
    long count,
    long distinct,
    BigDecimal sum,
    long decimals,
    long doubles,
    long notFinite,
    long positive,
    long negative,
    @Nullable JoinKey extreme) {
  static final Tally NOTHING = new Tally(0, 0, BigDecimal.ZERO, 0, 0, 0, 0, 0, null);

  /** With one value more, or less if {@code by} is -1. */
  Tally plus(int by) {
    return new Tally(
        count + by, distinct, sum, decimals, doubles, notFinite, positive, negative, extreme);
  }

  /**
   * With one number more, or less if {@code by} is -1. A text of digits is a decimal that BSON has
   * no number for.
   *
   * @throws IllegalArgumentException if the value is no number, see {@link #isNumber}
   */
  Tally plus(BsonValue value, int by) {
    if (value.isDouble()) {
      double number = value.asDouble().getValue();
      return Double.isFinite(number)
          ? add(new BigDecimal(number), by, 0, by)
          : add(BigDecimal.ZERO, by, 0, by).addNotFinite(number, by);
    } else if (value.isDecimal128()) {
      Decimal128 number = value.asDecimal128().getValue();
      return number.isFinite()
          ? add(exact(number), by, by, 0)
          : add(BigDecimal.ZERO, by, by, 0).addNotFinite(number.doubleValue(), by);
    } else if (value.isNumber()) {
      return add(BigDecimal.valueOf(value.asNumber().longValue()), by, 0, 0);
    } else if (value.isString()) {
      return add(new BigDecimal(value.asString().getValue()), by, by, 0);
    }
    throw new IllegalArgumentException(
        "a value of type " + value.getBsonType() + " cannot be added up");
  }

  /** Whether a value can be added up. */
  static boolean isNumber(BsonValue value) {
    if (!value.isString()) {
      return value.isNumber() || value.isDecimal128();
    }
    try {
      return new BigDecimal(value.asString().getValue()).precision() > 0;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /** A negative zero is none to BigDecimal. */
  private static BigDecimal exact(Decimal128 number) {
    return number.isNegative()
            && number.getLow() == 0
            && (number.getHigh() & 0x0001FFFFFFFFFFFFL) == 0
        ? BigDecimal.ZERO
        : number.bigDecimalValue();
  }

  private Tally add(BigDecimal number, int by, int decimal, int real) {
    return new Tally(
        count + by,
        distinct,
        by > 0 ? sum.add(number) : sum.subtract(number),
        decimals + decimal,
        doubles + real,
        notFinite,
        positive,
        negative,
        extreme);
  }

  private Tally addNotFinite(double number, int by) {
    return new Tally(
        count,
        distinct,
        sum,
        decimals,
        doubles,
        notFinite + by,
        positive + (number == Double.POSITIVE_INFINITY ? by : 0),
        negative + (number == Double.NEGATIVE_INFINITY ? by : 0),
        extreme);
  }

  Tally withDistinct(long number) {
    return new Tally(count, number, sum, decimals, doubles, notFinite, positive, negative, extreme);
  }

  Tally withExtreme(@Nullable JoinKey key) {
    return new Tally(count, distinct, sum, decimals, doubles, notFinite, positive, negative, key);
  }

  /** The sum: a double if any number is one, a decimal if any is, otherwise a whole number. */
  BsonValue total() {
    if (count == 0) {
      return BsonNull.VALUE;
    } else if (notFinite > 0) {
      return beyondNumbers();
    } else if (doubles > 0) {
      return new BsonDouble(sum.doubleValue());
    } else if (decimals > 0) {
      return decimal(sum);
    }
    BigInteger whole = sum.toBigIntegerExact();
    return whole.bitLength() < Long.SIZE
        ? new BsonInt64(whole.longValue())
        : decimal(new BigDecimal(whole));
  }

  /**
   * The mean, rounded half up to so many decimals, or to 34 digits if {@code scale} is negative.
   */
  BsonValue mean(int scale) {
    if (count == 0) {
      return BsonNull.VALUE;
    } else if (notFinite > 0) {
      return beyondNumbers();
    }
    BigDecimal number = BigDecimal.valueOf(count);
    if (doubles > 0) {
      return new BsonDouble(sum.divide(number, MathContext.DECIMAL128).doubleValue());
    }
    return decimal(
        scale < 0
            ? sum.divide(number, MathContext.DECIMAL128)
            : sum.divide(number, scale, RoundingMode.HALF_UP));
  }

  /** Infinite if all that is not finite is so to one side: as Postgres has it, and IEEE 754. */
  private BsonValue beyondNumbers() {
    if (positive == notFinite) {
      return doubles > 0
          ? new BsonDouble(Double.POSITIVE_INFINITY)
          : new BsonDecimal128(Decimal128.POSITIVE_INFINITY);
    } else if (negative == notFinite) {
      return doubles > 0
          ? new BsonDouble(Double.NEGATIVE_INFINITY)
          : new BsonDecimal128(Decimal128.NEGATIVE_INFINITY);
    }
    return doubles > 0 ? new BsonDouble(Double.NaN) : new BsonDecimal128(Decimal128.NaN);
  }

  /** As text beyond what a decimal can hold, like a column's value. */
  private static BsonValue decimal(BigDecimal number) {
    return number.precision() <= MathContext.DECIMAL128.getPrecision()
        ? new BsonDecimal128(new Decimal128(number))
        : new BsonString(number.toPlainString());
  }

  /** The fields in order; which of them are infinite, only where some are not finite. */
  static final class TallyCoder extends AtomicCoder<Tally> {
    private static final NullableCoder<JoinKey> KEY =
        NullableCoder.of(io.widebeam.join.JoinKeyCoder.of());

    @Override
    public void encode(Tally tally, OutputStream out) throws IOException {
      VarInt.encode(tally.count, out);
      VarInt.encode(tally.distinct, out);
      BigDecimalCoder.of().encode(tally.sum, out);
      VarInt.encode(tally.decimals, out);
      VarInt.encode(tally.doubles, out);
      VarInt.encode(tally.notFinite, out);
      if (tally.notFinite != 0) {
        VarInt.encode(tally.positive, out);
        VarInt.encode(tally.negative, out);
      }
      KEY.encode(tally.extreme, out);
    }

    @Override
    public Tally decode(InputStream in) throws IOException {
      long count = VarInt.decodeLong(in);
      long distinct = VarInt.decodeLong(in);
      BigDecimal sum = BigDecimalCoder.of().decode(in);
      long decimals = VarInt.decodeLong(in);
      long doubles = VarInt.decodeLong(in);
      long notFinite = VarInt.decodeLong(in);
      long positive = notFinite == 0 ? 0 : VarInt.decodeLong(in);
      long negative = notFinite == 0 ? 0 : VarInt.decodeLong(in);
      return new Tally(
          count, distinct, sum, decimals, doubles, notFinite, positive, negative, KEY.decode(in));
    }
  }
}
