package io.widebeam.cdc;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;

/**
 * A statement as MySQL and MariaDB write it to their log, read for what it does to the rows of
 * tables without a word about each.
 */
final class LoggedStatement {

  /**
   * What a statement does to a table.
   *
   * @param verb what it did, such as {@code INSERT} or "was renamed"
   * @param replaced whether all rows of the table are others now, or else some of them
   */
  record Effect(Name table, String verb, boolean replaced) {}

  /** A table's. */
  record Name(String database, String table) {
    @Override
    public String toString() {
      return database + "." + table;
    }
  }

  static final String RENAMED = "was renamed";
  static final String TOOK_ITS_NAME = "has got the rows of another table";

  private static final Pattern TOKEN =
      Pattern.compile(
          "/\\*(?!!|M!).*?\\*/|(?:--\\s|#)[^\\n]*|`((?:[^`]|``)*+)`|\"((?:[^\"\\\\]|\"\"|\\\\.)*+)\""
              + "|('(?:[^'\\\\]|''|\\\\.)*+')|([\\w$\\x{80}-\\x{10FFFF}]++)|([.,();=])",
          Pattern.DOTALL);

  private static final Set<String> MODIFIERS =
      Set.of("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO", "QUICK");
  private static final Set<String> NOT_A_TABLE = Set.of("COLUMN", "INDEX", "KEY", "CONSTRAINT");

  /** What comes right before a table in a list of them; an alias comes after one. */
  private static final Set<String> BEFORE_TABLE =
      Set.of("UPDATE", "FROM", "JOIN", "STRAIGHT_JOIN", "INTO", "USING", "TABLE", ",", "(");

  /** A word in capitals, or a name in quotes, which is no word. */
  private record Token(String text, String word) {
    boolean isName() {
      return !text.isEmpty();
    }
  }

  private static final Token END = new Token("", "");

  private final String database;
  private final BiPredicate<String, String> captured;
  private final List<Token> tokens;
  private int next;

  private LoggedStatement(String database, String sql, BiPredicate<String, String> captured) {
    this.database = database;
    this.captured = captured;
    this.tokens = tokens(sql);
  }

  /**
   * The first effect on a captured table; null if there is none.
   *
   * @param database what names without one are in
   * @param captured tells by database and name whether a table is captured
   */
  @Nullable
  static Effect effect(String database, String sql, BiPredicate<String, String> captured) {
    return new LoggedStatement(database, sql, captured).effect();
  }

  private static List<Token> tokens(String sql) {
    List<Token> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(sql);
    while (matcher.find()) {
      if (matcher.group(1) != null) {
        tokens.add(new Token(matcher.group(1).replace("``", "`"), ""));
      } else if (matcher.group(2) != null) {
        tokens.add(new Token(matcher.group(2).replace("\"\"", "\""), ""));
      } else if (matcher.group(3) != null) {
        tokens.add(new Token("", "'"));
      } else if (matcher.group(4) != null) {
        String word = matcher.group(4);
        tokens.add(new Token(word, word.toUpperCase(Locale.ROOT)));
      } else if (matcher.group(5) != null) {
        tokens.add(new Token("", matcher.group(5)));
      }
    }
    return tokens;
  }

  @Nullable
  private Effect effect() {
    if (skip("SET") && skip("STATEMENT")) {
      skipTo("FOR");
      next++;
    }
    String verb = peek().word();
    next++;
    return switch (verb) {
      case "RENAME" -> renamed();
      case "ALTER" -> altered();
      case "CREATE" -> created();
      case "INSERT", "REPLACE" -> inserted(verb);
      case "UPDATE" -> {
        skipModifiers();
        yield listed(verb, "SET");
      }
      case "DELETE" -> {
        skipTo("FROM");
        yield listed(verb, "WHERE");
      }
      case "WITH" -> listed(verb, "");
      default -> null;
    };
  }

  @Nullable
  private Effect renamed() {
    if (!skip("TABLE") && !skip("TABLES")) {
      return null;
    }
    skipIfExists();
    do {
      Name from = name();
      skipTo("TO");
      next++;
      Effect effect = renamed(from, name());
      if (effect != null) {
        return effect;
      }
    } while (skip(","));
    return null;
  }

  @Nullable
  private Effect renamed(Name from, Name to) {
    return isCaptured(from)
        ? new Effect(from, RENAMED, true)
        : isCaptured(to) ? new Effect(to, TOOK_ITS_NAME, true) : null;
  }

  @Nullable
  private Effect altered() {
    while (skip("ONLINE") || skip("IGNORE")) {}
    if (!skip("TABLE")) {
      return null;
    }
    skipIfExists();
    Name table = name();
    int depth = 0;
    for (; next < tokens.size(); next++) {
      switch (peek().word()) {
        case "(" -> depth++;
        case ")" -> depth--;
        case "RENAME" -> {
          next++;
          if (depth == 0 && !NOT_A_TABLE.contains(peek().word())) {
            if (!skip("TO") && !skip("AS")) {
              skip("=");
            }
            return renamed(table, name());
          }
        }
        case "EXCHANGE" -> {
          if (depth == 0) {
            return partitionOf(table);
          }
        }
        case "CONVERT" -> {
          next++;
          // And not TO another character set.
          if (depth == 0 && !peek().word().equals("TO")) {
            return partitionOf(table);
          }
        }
        default -> {
          // Says nothing of other rows.
        }
      }
    }
    return null;
  }

  /** {@code EXCHANGE PARTITION p WITH TABLE t}, and MariaDB's {@code CONVERT} of one to another. */
  @Nullable
  private Effect partitionOf(Name table) {
    if (isCaptured(table)) {
      return new Effect(table, "has lost a partition", true);
    }
    skipTo("TABLE");
    next++;
    Name other = name();
    return isCaptured(other) ? new Effect(other, TOOK_ITS_NAME, true) : null;
  }

  @Nullable
  private Effect created() {
    if (!skip("OR") || !skip("REPLACE") || !skip("TABLE")) {
      return null;
    }
    Name table = name();
    return isCaptured(table) ? new Effect(table, "was dropped", true) : null;
  }

  @Nullable
  private Effect inserted(String verb) {
    skipModifiers();
    Name table = name();
    return isCaptured(table) ? new Effect(table, verb, false) : null;
  }

  private void skipModifiers() {
    while (MODIFIERS.contains(peek().word())) {
      next++;
    }
  }

  /** Of a statement that lists its tables from here up to a word. */
  @Nullable
  private Effect listed(String verb, String end) {
    boolean expected = true;
    while (next < tokens.size() && (end.isEmpty() || !peek().word().equals(end))) {
      if (BEFORE_TABLE.contains(peek().word())) {
        expected = true;
        next++;
      } else if (expected && peek().isName()) {
        expected = false;
        Name table = name();
        if (isCaptured(table)) {
          return new Effect(table, verb, false);
        }
      } else {
        next++;
      }
    }
    return null;
  }

  private boolean isCaptured(Name table) {
    return !table.table().isEmpty() && captured.test(table.database(), table.table());
  }

  private Name name() {
    String first = peek().text();
    next++;
    if (!peek().word().equals(".")) {
      return new Name(database, first);
    }
    next++;
    String second = peek().text();
    next++;
    return new Name(first, second);
  }

  private void skipIfExists() {
    if (skip("IF")) {
      skip("EXISTS");
    }
  }

  private boolean skip(String word) {
    if (peek().word().equals(word)) {
      next++;
      return true;
    }
    return false;
  }

  private void skipTo(String word) {
    while (next < tokens.size() && !peek().word().equals(word)) {
      next++;
    }
  }

  private Token peek() {
    return next < tokens.size() ? tokens.get(next) : END;
  }
}
