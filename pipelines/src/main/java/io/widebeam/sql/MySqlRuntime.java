package io.widebeam.sql;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import javax.annotation.Nullable;

/**
 * What compiled expressions call; see {@link MySqlFunctions}. Public because generated code is in
 * another package. Dates are days, datetimes milliseconds since the epoch, and null is null.
 */
public final class MySqlRuntime {
  private static final long MILLIS_PER_DAY = 86_400_000L;
  private static final int PLAIN_DIGITS = 17;

  private MySqlRuntime() {}

  /** Null where the divisor is zero, as in MySQL. */
  @Nullable
  public static Double divideDouble(@Nullable Double left, @Nullable Double right) {
    return left == null || right == null || right == 0 ? null : left / right;
  }

  /** Rounded half up to the scale; null where the divisor is zero, as in MySQL. */
  @Nullable
  public static BigDecimal divideDecimal(
      @Nullable BigDecimal left, @Nullable BigDecimal right, int scale) {
    return left == null || right == null || right.signum() == 0
        ? null
        : left.divide(right, scale, RoundingMode.HALF_UP);
  }

  @Nullable
  public static String textOfDecimal(@Nullable BigDecimal value) {
    return value == null ? null : value.toPlainString();
  }

  @Nullable
  public static String textOfDouble(@Nullable Double value) {
    if (value == null || value.isNaN() || value.isInfinite()) {
      return value == null ? null : value.toString();
    }
    BigDecimal decimal = BigDecimal.valueOf(value).stripTrailingZeros();
    boolean plain =
        decimal.signum() == 0 || Math.abs(decimal.precision() - decimal.scale()) <= PLAIN_DIGITS;
    return plain ? decimal.toPlainString() : value.toString().replace("E", "e");
  }

  /** MySQL's booleans are numbers. */
  @Nullable
  public static String textOfBoolean(@Nullable Boolean value) {
    return value == null ? null : value ? "1" : "0";
  }

  @Nullable
  public static String textOfDatetime(@Nullable Long millis) {
    return millis == null ? null : MySqlDates.text(at(millis));
  }

  @Nullable
  public static String formatDatetime(@Nullable Long millis, @Nullable String format) {
    return millis == null || format == null ? null : MySqlDates.format(at(millis), format);
  }

  /** Null if the text does not fit the format, as in MySQL. */
  @Nullable
  public static Integer parseDate(@Nullable String text, @Nullable String format) {
    Long millis = parseDatetime(text, format);
    return millis == null ? null : Math.toIntExact(Math.floorDiv(millis, MILLIS_PER_DAY));
  }

  /** Null if the text does not fit the format, as in MySQL. */
  @Nullable
  public static Long parseDatetime(@Nullable String text, @Nullable String format) {
    if (text == null || format == null) {
      return null;
    }
    LocalDateTime parsed = MySqlDates.parse(text, format);
    return parsed == null ? null : parsed.toInstant(ZoneOffset.UTC).toEpochMilli();
  }

  @Nullable
  public static Long daysBetween(@Nullable Long later, @Nullable Long earlier) {
    return later == null || earlier == null
        ? null
        : Math.floorDiv(later, MILLIS_PER_DAY) - Math.floorDiv(earlier, MILLIS_PER_DAY);
  }

  @Nullable
  public static Long secondsOf(@Nullable Long millis) {
    return millis == null ? null : Math.floorDiv(millis, 1_000L);
  }

  @Nullable
  public static Long ofSeconds(@Nullable BigDecimal seconds) {
    return seconds == null
        ? null
        : seconds.movePointRight(3).setScale(0, RoundingMode.HALF_UP).longValueExact();
  }

  @Nullable
  public static Long byteLength(@Nullable String text) {
    return text == null ? null : (long) text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Both with the separator between them, or the one that is not null. */
  @Nullable
  public static String separated(
      @Nullable String separator, @Nullable String left, @Nullable String right) {
    if (separator == null || (left == null && right == null)) {
      return null;
    }
    return left == null ? right : right == null ? left : left + separator + right;
  }

  /** What is before the count-th delimiter; from the right and behind it for a negative count. */
  @Nullable
  public static String substringIndex(
      @Nullable String text, @Nullable String delimiter, @Nullable Integer count) {
    if (text == null || delimiter == null || count == null) {
      return null;
    }
    if (delimiter.isEmpty() || count == 0) {
      return "";
    }
    int at = count > 0 ? -delimiter.length() : text.length();
    for (int i = 0; i < Math.abs(count); i++) {
      at =
          count > 0
              ? text.indexOf(delimiter, at + delimiter.length())
              : text.lastIndexOf(delimiter, at - 1);
      if (at < 0) {
        return text;
      }
    }
    return count > 0 ? text.substring(0, at) : text.substring(at + delimiter.length());
  }

  private static LocalDateTime at(long millis) {
    return LocalDateTime.ofInstant(Instant.ofEpochMilli(millis), ZoneOffset.UTC);
  }
}
