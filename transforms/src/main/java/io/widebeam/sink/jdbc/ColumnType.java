package io.widebeam.sink.jdbc;

import java.io.Serializable;
import java.util.Locale;
import java.util.Objects;

/**
 * What a column of a target table holds, in words that every database has a type for.
 *
 * @param length for {@link Kind#TEXT} in characters and {@link Kind#BINARY} in bytes: the longest
 *     value, or 0 for any; for {@link Kind#DECIMAL} the digits in all; otherwise 0
 * @param scale for {@link Kind#DECIMAL} the digits behind the point, for times and dates with a
 *     time those behind the seconds' point, where the source tells; otherwise 0
 */
public record ColumnType(Kind kind, int length, int scale) implements Serializable {

  /** The kinds of values. */
  public enum Kind {
    BOOLEAN,
    /** An integer of 16 bits. */
    INT16,
    /** An integer of 32 bits. */
    INT32,
    /** An integer of 64 bits. */
    INT64,
    /** An exact number. */
    DECIMAL,
    /** A binary floating point number of 64 bits. */
    FLOAT64,
    TEXT,
    BINARY,
    DATE,
    /** A date and time without a time zone. */
    TIMESTAMP,
    /** A moment, in UTC. */
    INSTANT,
    /** A time of day. */
    TIME,
    /** A length of time, {@code HH:mm:ss}; the hours may exceed 24 and be negative. */
    DURATION,
    UUID,
    /** A document, an array, or any other value, as JSON. */
    JSON
  }

  public ColumnType {
    Objects.requireNonNull(kind, "kind");
  }

  /** A type without a length. */
  public static ColumnType of(Kind kind) {
    return new ColumnType(kind, 0, 0);
  }

  /** Text of at most so many characters; 0 for any. */
  public static ColumnType text(int length) {
    return new ColumnType(Kind.TEXT, length, 0);
  }

  /** Bytes, at most so many; 0 for any. */
  public static ColumnType binary(int length) {
    return new ColumnType(Kind.BINARY, length, 0);
  }

  public static ColumnType decimal(int digits, int scale) {
    return new ColumnType(Kind.DECIMAL, digits, scale);
  }

  /**
   * A time, or a date with one.
   *
   * @param digits how many the source has behind the seconds' point; documents have no more than
   *     three of a date with a time
   */
  public static ColumnType time(Kind kind, int digits) {
    return new ColumnType(kind, 0, digits);
  }

  @Override
  public String toString() {
    String name = kind.name().toLowerCase(Locale.ROOT);
    if (kind == Kind.DECIMAL && length > 0) {
      return name + "(" + length + ", " + scale + ")";
    }
    int shown = Math.max(length, scale);
    return shown > 0 ? name + "(" + shown + ")" : name;
  }
}
