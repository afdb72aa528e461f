package io.widebeam.flow;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts environment variables in the place of <code>${NAME}</code>, and what is in a file in the
 * place of <code>${file:/run/secrets/name}</code>, but for a line end at its end. A dollar sign
 * before it keeps it as it is: <code>$${NAME}</code> stands for the text <code>${NAME}</code>.
 *
 * @param variables answers a variable's value, or null if it is not set
 */
record Environment(Function<String, String> variables) {
  private static final Pattern REFERENCE =
      Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z_][A-Za-z0-9_]*)\\}|\\$\\{file:([^}]+)\\}|\\$\\{");

  /**
   * What became of a text.
   *
   * @param missing variables that are not set
   * @param unreadable files that cannot be read, with the reason
   * @param malformed whether the text has a <code>${</code> that names neither
   */
  record Resolved(
      String text, List<String> missing, Map<String, String> unreadable, boolean malformed) {
    boolean isComplete() {
      return missing.isEmpty() && unreadable.isEmpty() && !malformed;
    }
  }

  Resolved resolve(String text) {
    List<String> missing = new ArrayList<>();
    Map<String, String> unreadable = new LinkedHashMap<>();
    boolean malformed = false;
    StringBuilder resolved = new StringBuilder();
    Matcher matcher = REFERENCE.matcher(text);
    while (matcher.find()) {
      String name = matcher.group(1);
      String file = matcher.group(2);
      String value = null;
      if (matcher.group().equals("$${")) {
        value = "${";
      } else if (name != null) {
        value = variables.apply(name);
        if (value == null) {
          missing.add(name);
        }
      } else if (file != null) {
        try {
          value = Files.readString(Path.of(file.strip())).replaceFirst("\\R\\z", "");
        } catch (NoSuchFileException e) {
          unreadable.put(file, "there is no such file");
        } catch (IOException | InvalidPathException e) {
          unreadable.put(
              file,
              e instanceof AccessDeniedException ? "it may not be read" : "it cannot be read");
        }
      } else {
        malformed = true;
      }
      matcher.appendReplacement(resolved, value == null ? "" : Matcher.quoteReplacement(value));
    }
    matcher.appendTail(resolved);
    return new Resolved(resolved.toString(), missing, unreadable, malformed);
  }
}
