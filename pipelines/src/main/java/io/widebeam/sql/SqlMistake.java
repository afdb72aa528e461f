package io.widebeam.sql;

import java.util.Objects;

/**
 * What is wrong with an expression.
 *
 * @param line where in the expression's text, from 1
 * @param column where in that line, from 1
 * @param what what is wrong
 * @param remedy what to do about it
 */
public record SqlMistake(int line, int column, String what, String remedy) {
  public SqlMistake {
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(remedy, "remedy");
  }
}
