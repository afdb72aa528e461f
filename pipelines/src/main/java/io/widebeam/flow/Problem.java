package io.widebeam.flow;

import java.util.Objects;

/**
 * One mistake in a flow, in words for the person who wrote it.
 *
 * @param place where: {@code file:line:column}, counted from 1, or the part's name in a flow that
 *     was built in Java
 * @param what what is wrong
 * @param remedy what to do about it
 */
public record Problem(String place, String what, String remedy) {
  public Problem {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(remedy, "remedy");
  }

  @Override
  public String toString() {
    return place + ": " + what + "\n    " + remedy;
  }
}
