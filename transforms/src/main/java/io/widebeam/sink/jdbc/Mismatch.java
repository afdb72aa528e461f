package io.widebeam.sink.jdbc;

import java.util.Objects;

/**
 * Why a table that is there cannot take a flat table's rows.
 *
 * @param what what is wrong
 * @param remedy what to do about it
 */
public record Mismatch(String what, String remedy) {
  public Mismatch {
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(remedy, "remedy");
  }

  @Override
  public String toString() {
    return what + " (" + remedy + ")";
  }
}
