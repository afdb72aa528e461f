package io.widebeam.flow;

import java.util.Objects;

/**
 * A problem that a database check found, before it has its place in the file.
 *
 * @param key the key of the connection that it is about, as in {@code host}; empty for the
 *     connection as a whole
 * @param what what is wrong
 * @param remedy what to do about it
 */
public record Finding(String key, String what, String remedy) {
  public Finding {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(what, "what");
    Objects.requireNonNull(remedy, "remedy");
  }
}
