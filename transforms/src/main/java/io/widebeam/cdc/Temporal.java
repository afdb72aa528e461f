package io.widebeam.cdc;

import java.time.LocalDate;
import java.time.OffsetDateTime;

/** Turns the connector's texts and counts for times into BSON's milliseconds and our texts. */
final class Temporal {
  static final long MILLIS_PER_DAY = 86_400_000L;

  private Temporal() {}

  /**
   * Milliseconds since the epoch of an ISO 8601 timestamp with an offset; finer fractions are cut
   * off, towards the past.
   */
  static long millisOfTimestamp(String text) {
    int length = text.length();
    if (length >= 20
        && text.charAt(4) == '-'
        && text.charAt(7) == '-'
        && text.charAt(10) == 'T'
        && text.charAt(13) == ':'
        && text.charAt(16) == ':'
        && text.charAt(length - 1) == 'Z'
        && (length == 20 || text.charAt(19) == '.')) {
      int millis = 0;
      int scale = 100;
      for (int i = 20; i < length - 1 && scale > 0; i++, scale /= 10) {
        millis += digit(text, i) * scale;
      }
      return LocalDate.of(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)).toEpochDay()
              * MILLIS_PER_DAY
          + digits(text, 11, 2) * 3_600_000L
          + digits(text, 14, 2) * 60_000L
          + digits(text, 17, 2) * 1_000L
          + millis;
    }
    // Postgres knows timestamps beyond every date.
    return switch (text) {
      case "infinity" -> Long.MAX_VALUE;
      case "-infinity" -> Long.MIN_VALUE;
      default -> OffsetDateTime.parse(text).toInstant().toEpochMilli();
    };
  }

  /** {@code [-]HH:mm:ss}, with six digits of fraction if there is one; hours may exceed 24. */
  static String timeOfMicros(long micros) {
    StringBuilder text = new StringBuilder(16);
    if (micros < 0) {
      text.append('-');
    }
    long left = Math.abs(micros);
    long seconds = left / 1_000_000;
    twoDigits(text, seconds / 3600).append(':');
    twoDigits(text, seconds / 60 % 60).append(':');
    twoDigits(text, seconds % 60);
    long fraction = left % 1_000_000;
    if (fraction != 0) {
      text.append('.').append(Long.toString(1_000_000 + fraction), 1, 7);
    }
    return text.toString();
  }

  /** The text of a time with no fraction, or one of six digits. */
  static String paddedFraction(String time) {
    int point = time.indexOf('.');
    return point < 0 ? time : (time + "000000").substring(0, point + 7);
  }

  private static StringBuilder twoDigits(StringBuilder text, long value) {
    if (value < 10) {
      text.append('0');
    }
    return text.append(value);
  }

  private static int digits(String text, int from, int count) {
    int value = 0;
    for (int i = from; i < from + count; i++) {
      value = value * 10 + digit(text, i);
    }
    return value;
  }

  private static int digit(String text, int index) {
    int digit = text.charAt(index) - '0';
    if (digit < 0 || digit > 9) {
      throw new IllegalArgumentException("not a timestamp: " + text);
    }
    return digit;
  }
}
