package io.widebeam.runner.serve;

import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/** A table or a collection that can be looked at. Names of columns are those of its shape. */
interface TargetTable {
  /** Longer values are cut: nobody reads them in a table. */
  int MAX_TEXT_LENGTH = 1000;

  /** Rows with this value in this column. */
  record Filter(String column, String value) {}

  /**
   * Rows, each value as a text.
   *
   * @param more whether there are more than were asked for
   */
  record Rows(List<String> columns, List<List<String>> rows, boolean more) {}

  /** A day, as in {@code 2026-11-21}, and what a column's values of that day add up to. */
  record DailySum(String day, BigDecimal sum) {}

  /** What a column has in it, and whether there is more of it than was asked for. */
  record Values(List<String> values, boolean more) {}

  /** What is there now; empty if the table is not there (yet). */
  Optional<TableShape> shape() throws UnavailableException;

  /** The newest rows: by the shape's date, the latest first, then by key. */
  Rows rows(TableShape shape, Optional<Filter> filter, int limit) throws UnavailableException;

  /** The last days that have rows, in their order. */
  List<DailySum> dailySums(
      TableShape shape, String date, String number, Optional<Filter> filter, int limit)
      throws UnavailableException;

  Values values(TableShape shape, String column, int limit) throws UnavailableException;

  static String cut(String text) {
    return text.length() <= MAX_TEXT_LENGTH ? text : text.substring(0, MAX_TEXT_LENGTH) + "…";
  }
}
