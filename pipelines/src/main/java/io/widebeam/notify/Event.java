package io.widebeam.notify;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a channel can be told of. */
public enum Event {
  /** The flow has ended with an error. */
  FAILURE,
  /** The flow has gone on after a failure, or reaches a database again that it could not reach. */
  RECOVERY,
  /** All targets hold what the initial load gave. */
  LOADED,
  /** A rule has come true for a group. */
  RULES;

  /** As flow files and payloads have it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The event that a flow file names. */
  public static Optional<Event> of(String label) {
    return Arrays.stream(values()).filter(event -> event.label().equals(label)).findFirst();
  }

  /** As flow files have them. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(Event::label).toList();
  }
}
