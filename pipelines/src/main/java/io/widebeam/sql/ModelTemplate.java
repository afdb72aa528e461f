package io.widebeam.sql;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model's file without dbt's templating and without comments. What is left stands where it stood:
 * a table's name at the place of its name in {@code {{ ref('…') }}}, and blanks for all the rest.
 */
final class ModelTemplate {
  private static final Set<String> MATERIALIZED =
      Set.of("view", "table", "incremental", "ephemeral");

  private static final Pattern CALL =
      Pattern.compile("\\{\\{-?\\s*(\\w+)\\s*\\((.*)\\)\\s*-?}}", Pattern.DOTALL);

  /** One text, or two. */
  private static final Pattern NAMES =
      Pattern.compile(
          "\\s*(?:(['\"])([^'\"{}]+)\\1\\s*,\\s*)?(['\"])([^'\"{}]+)\\3\\s*", Pattern.DOTALL);

  private static final Pattern SETTING =
      Pattern.compile("\\b(materialized|alias)\\s*=\\s*(?:(['\"])([^'\"]*)\\2|([^,\\s]+))");

  /** A table that is named by dbt's means. */
  record Named(SqlModel.Naming naming, String qualifier, String name) {}

  private final String original;
  private final StringBuilder text;
  private final List<SqlMistake> mistakes;
  private final Map<Integer, Named> namedByOffset = new HashMap<>();
  private boolean ephemeral;
  private Optional<String> alias = Optional.empty();

  private ModelTemplate(String original, List<SqlMistake> mistakes) {
    this.original = original;
    this.text = new StringBuilder(original);
    this.mistakes = mistakes;
  }

  /** Reads a file's text; adds what cannot be read to the mistakes. */
  static ModelTemplate of(String file, List<SqlMistake> mistakes) {
    ModelTemplate template = new ModelTemplate(file, mistakes);
    template.read();
    return template;
  }

  /** SQL of the same lines and columns. */
  String sql() {
    return text.toString();
  }

  /** What is named at an offset of the text, where that was dbt's way of naming it. */
  Optional<Named> namedAt(int offset) {
    return Optional.ofNullable(namedByOffset.get(offset));
  }

  boolean ephemeral() {
    return ephemeral;
  }

  /** What the table is to be called, if not like the file. */
  Optional<String> alias() {
    return alias;
  }

  private void read() {
    int at = 0;
    while (at < original.length()) {
      at = readFrom(at);
    }
  }

  /** Reads one character, or what begins with it; answers where it ends. */
  private int readFrom(int at) {
    char first = original.charAt(at);
    if (original.startsWith("{#", at)) {
      return blankUntil(at, "#}", "the comment is not closed", "close it: #}");
    } else if (original.startsWith("{{", at)) {
      return readExpression(at);
    } else if (original.startsWith("{%", at)) {
      int end = end(at, "%}");
      if (original.startsWith("%}", end - 2)) {
        report(
            at,
            "Jinja's `" + shortened(original.substring(at, end)) + "` is not supported",
            "write the SQL that it stands for, as `dbt compile` shows it");
      }
      blank(at, end);
      return end;
    } else if (original.startsWith("--", at) || first == '#') {
      return blankUntil(at, "\n");
    } else if (original.startsWith("/*", at)) {
      return blankUntil(at, "*/", "the comment is not closed", "close it: */");
    } else if (first == '\'' || first == '"' || first == '`') {
      return endOfQuoted(at);
    } else if (first == ';') {
      readEnd(at);
    }
    return at + 1;
  }

  private int endOfQuoted(int at) {
    char quote = original.charAt(at);
    int end = original.indexOf(quote, at + 1);
    int stop = end < 0 ? original.length() : end + 1;
    int jinja = original.indexOf("{{", at);
    if (jinja >= 0 && jinja < stop) {
      report(
          jinja,
          "templating inside a text is not supported",
          "write the text itself, as `dbt compile` shows it");
    }
    return stop;
  }

  /** A semicolon at the end says nothing. */
  private void readEnd(int at) {
    for (int i = at + 1; i < original.length(); i++) {
      int next = original.startsWith("{#", i) || isComment(i) ? i : -1;
      if (next < 0 && !Character.isWhitespace(original.charAt(i)) && original.charAt(i) != ';') {
        report(
            i,
            "there are several statements",
            "a model is one SELECT: write each into a file of its own");
        blank(at, original.length());
        return;
      }
      if (next >= 0) {
        break;
      }
    }
    blank(at, at + 1);
  }

  private boolean isComment(int at) {
    return original.startsWith("--", at)
        || original.startsWith("/*", at)
        || original.charAt(at) == '#';
  }

  private int readExpression(int at) {
    int end = end(at, "}}");
    String expression = original.substring(at, end);
    Matcher call = CALL.matcher(expression);
    blank(at, end);
    if (!expression.endsWith("}}")) {
      return end;
    }
    if (!call.matches()) {
      reportExpression(at, expression);
      return end;
    }
    switch (call.group(1)) {
      case "config" -> readConfig(at + call.start(2), call.group(2));
      case "ref" -> readName(at, call, SqlModel.Naming.REF, expression);
      case "source" -> readName(at, call, SqlModel.Naming.SOURCE, expression);
      default -> reportExpression(at, expression);
    }
    return end;
  }

  private void readConfig(int at, String settings) {
    Matcher setting = SETTING.matcher(settings);
    while (setting.find()) {
      String value = setting.group(3);
      if (value == null) {
        report(
            at + setting.start(),
            "`" + setting.group() + "` is not a text",
            "write it in quotes, as in: materialized='table'");
      } else if (setting.group(1).equals("alias")) {
        alias = Optional.of(value);
      } else if (!MATERIALIZED.contains(value.toLowerCase(Locale.ROOT))) {
        report(
            at + setting.start(),
            "a model cannot be materialized as `" + value + "`",
            "write table, view or incremental, which are all a table that is kept up to date, or"
                + " ephemeral for none");
      } else {
        ephemeral = value.equalsIgnoreCase("ephemeral");
      }
    }
  }

  private void readName(int at, Matcher call, SqlModel.Naming naming, String expression) {
    Matcher names = NAMES.matcher(call.group(2));
    boolean isSource = naming == SqlModel.Naming.SOURCE;
    if (!names.matches() || (isSource && names.group(2) == null)) {
      report(
          at,
          "`" + shortened(expression) + "` does not name a table",
          isSource ? "as in: {{ source('tp', 'orders') }}" : "as in: {{ ref('orders') }}");
      // For the parser, which would stop at a table that is not there.
      put(at, "`?`");
      return;
    }
    String qualifier = names.group(2) == null ? "" : names.group(2);
    int quote = at + call.start(2) + names.start(3);
    put(quote, "`" + names.group(4) + "`");
    // A package of dbt's tells no more than the name does.
    namedByOffset.put(quote, new Named(naming, isSource ? qualifier : "", names.group(4)));
  }

  private void put(int at, String name) {
    text.replace(at, at + name.length(), name);
  }

  private void reportExpression(int at, String expression) {
    report(
        at,
        "Jinja's `" + shortened(expression) + "` is not supported",
        "there are {{ ref('model') }}, {{ source('connection', 'table') }} and"
            + " {{ config(materialized='table') }}; write all else as `dbt compile` shows it");
  }

  private int end(int at, String closing) {
    int end = original.indexOf(closing, at + 2);
    if (end < 0) {
      report(at, "the `" + original.substring(at, at + 2) + "` is not closed", "close it");
      return original.length();
    }
    return end + closing.length();
  }

  private int blankUntil(int at, String closing) {
    int end = original.indexOf(closing, at);
    int stop = end < 0 ? original.length() : end + closing.length();
    blank(at, stop);
    return stop;
  }

  private int blankUntil(int at, String closing, String what, String remedy) {
    if (original.indexOf(closing, at + 2) < 0) {
      report(at, what, remedy);
    }
    return blankUntil(at, closing);
  }

  private void blank(int from, int to) {
    for (int i = from; i < to; i++) {
      if (text.charAt(i) != '\n') {
        text.setCharAt(i, ' ');
      }
    }
  }

  private static String shortened(String jinja) {
    String line = jinja.strip().replaceAll("\\s+", " ");
    return line.length() <= 60 ? line : line.substring(0, 57) + "...";
  }

  private void report(int at, String what, String remedy) {
    mistakes.add(SqlModel.mistakeAt(original, at, what, remedy));
  }

  /** Kept apart, so that mistakes come in the order of the file. */
  static List<SqlMistake> sorted(List<SqlMistake> mistakes) {
    List<SqlMistake> sorted = new ArrayList<>(mistakes);
    sorted.sort(
        java.util.Comparator.comparingInt(SqlMistake::line).thenComparingInt(SqlMistake::column));
    return sorted;
  }
}
