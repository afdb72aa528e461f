package io.widebeam.sql;

import java.io.Serializable;
import java.math.MathContext;
import java.util.Objects;

/**
 * What expressions know of a column: how its values in BSON are to be taken.
 *
 * @param precision the digits of a {@link Kind#DECIMAL}; 0 for other kinds
 * @param scale how many of the digits are behind the point
 */
public record SqlType(Kind kind, int precision, int scale) implements Serializable {

  /** What the values are. */
  public enum Kind {
    BOOLEAN,
    /** A whole number of up to 64 bits, signed. */
    INTEGER,
    /** An exact number. */
    DECIMAL,
    DOUBLE,
    TEXT,
    DATE,
    /** A date and time of day in UTC, to the millisecond. */
    DATETIME,
    BYTES,
    /** A value that can be copied and asked whether it is null, and no more. */
    OTHER
  }

  /** The digits of a decimal of any precision; Postgres's {@code numeric}. */
  static final int MAX_PRECISION = 130;

  /** More digits than anybody writes behind the point. */
  static final int DEFAULT_SCALE = 30;

  public static final SqlType BOOLEAN = of(Kind.BOOLEAN);
  public static final SqlType INTEGER = of(Kind.INTEGER);
  public static final SqlType DOUBLE = of(Kind.DOUBLE);
  public static final SqlType TEXT = of(Kind.TEXT);
  public static final SqlType DATE = of(Kind.DATE);
  public static final SqlType DATETIME = of(Kind.DATETIME);
  public static final SqlType BYTES = of(Kind.BYTES);
  public static final SqlType OTHER = of(Kind.OTHER);

  /** A decimal of any precision. */
  public static final SqlType ANY_DECIMAL = decimal(MAX_PRECISION, DEFAULT_SCALE);

  public SqlType {
    Objects.requireNonNull(kind, "kind");
  }

  private static SqlType of(Kind kind) {
    return new SqlType(kind, 0, 0);
  }

  /** Whether values may have more digits than BSON's decimals: those are texts there. */
  public boolean mayExceedDecimal128() {
    return kind == Kind.DECIMAL && precision > MathContext.DECIMAL128.getPrecision();
  }

  public static SqlType decimal(int precision, int scale) {
    return new SqlType(Kind.DECIMAL, precision, scale);
  }
}
