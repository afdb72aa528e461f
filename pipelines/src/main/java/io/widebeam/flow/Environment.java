package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts environment variables in the place of <code>${NAME}</code>. A dollar sign before it keeps it
 * as it is: <code>$${NAME}</code> stands for the text <code>${NAME}</code>.
 *
 * @param variables answers a variable's value, or null if it is not set
 */
record Environment(Function<String, String> variables) {
  private static final Pattern REFERENCE =
      Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z_][A-Za-z0-9_]*)\\}|\\$\\{");

  /**
   * What became of a text.
   *
   * @param missing variables that are not set
   * @param malformed whether the text has a <code>${</code> that names no variable
   */
  record Resolved(String text, List<String> missing, boolean malformed) {}

  Resolved resolve(String text) {
    List<String> missing = new ArrayList<>();
    boolean malformed = false;
    StringBuilder resolved = new StringBuilder();
    Matcher matcher = REFERENCE.matcher(text);
    while (matcher.find()) {
      String name = matcher.group(1);
      if (matcher.group().equals("$${")) {
        matcher.appendReplacement(resolved, Matcher.quoteReplacement("${"));
      } else if (name == null) {
        malformed = true;
        matcher.appendReplacement(resolved, "");
      } else {
        String value = variables.apply(name);
        if (value == null) {
          missing.add(name);
        }
        matcher.appendReplacement(resolved, value == null ? "" : Matcher.quoteReplacement(value));
      }
    }
    matcher.appendTail(resolved);
    return new Resolved(resolved.toString(), missing, malformed);
  }
}
