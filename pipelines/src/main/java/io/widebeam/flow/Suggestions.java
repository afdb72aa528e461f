package io.widebeam.flow;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Remedies for names that are nearly right. */
final class Suggestions {
  private static final int NAMES_SHOWN = 20;
  private static final int SHORTEST_BEGINNING = 4;

  private Suggestions() {}

  /** As in: {@code did you mean `host`? Supported keys: type, host, port}. */
  static String amongKeys(String wrong, Collection<String> keys) {
    return didYouMean(wrong, keys) + "supported keys: " + String.join(", ", keys);
  }

  /**
   * As in: {@code did you mean `ecom_orders`?}, or the names there are when none is close.
   *
   * @param kind what the names are, in the plural
   */
  static String amongNames(String wrong, String kind, Collection<String> names) {
    String didYouMean = didYouMean(wrong, names);
    if (!didYouMean.isEmpty()) {
      return didYouMean.strip();
    }
    if (names.isEmpty()) {
      return "there are no " + kind;
    }
    String more = names.size() > NAMES_SHOWN ? ", ..." : "";
    return kind
        + " there: "
        + names.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", ", "", more));
  }

  private static String didYouMean(String wrong, Collection<String> names) {
    return closest(wrong, names).map(name -> "did you mean `" + name + "`? ").orElse("");
  }

  static Optional<String> closest(String wrong, Collection<String> names) {
    int tolerated = Math.max(2, wrong.length() / 3);
    return names.stream()
        .filter(name -> difference(wrong, name) <= tolerated)
        .min(
            Comparator.comparingInt((String name) -> difference(wrong, name))
                .thenComparingInt(name -> distance(wrong, name)));
  }

  /** In letters; a name that goes on where the other ends differs little. */
  private static int difference(String wrong, String name) {
    boolean goesOn = wrong.length() >= SHORTEST_BEGINNING && name.startsWith(wrong);
    return goesOn ? 1 : distance(wrong, name);
  }

  /** Levenshtein's distance, where case counts for nothing. */
  private static int distance(String left, String right) {
    String a = left.toLowerCase(Locale.ROOT);
    String b = right.toLowerCase(Locale.ROOT);
    int[] above = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return above[b.length()];
  }
}
