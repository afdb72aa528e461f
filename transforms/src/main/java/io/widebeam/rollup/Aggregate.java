package io.widebeam.rollup;

import java.io.Serializable;

/**
 * One computed column of a group, with SQL's rules: nulls are left out, and without any value a
 * count is 0 and everything else null.
 *
 * @param field the field of the group's row, and of the contributed rows that the values come from;
 *     a {@link Function#COUNT_ROWS} needs none there
 * @param scale the decimals that an {@link Function#AVG} is rounded to, half up; below 0 for as
 *     many as 34 digits hold
 * @param decimals whether the texts among the values that a {@link Function#MIN} or a {@link
 *     Function#MAX} compares are decimals of more digits than BSON has numbers for
 */
public record Aggregate(String field, Function function, int scale, boolean decimals)
    implements Serializable {

  /** What is computed. */
  public enum Function {
    COUNT_ROWS,
    COUNT,
    COUNT_DISTINCT,
    SUM,
    AVG,
    MIN,
    MAX
  }

  public Aggregate(String field, Function function, int scale) {
    this(field, function, scale, false);
  }

  public Aggregate(String field, Function function) {
    this(field, function, -1);
  }
}
