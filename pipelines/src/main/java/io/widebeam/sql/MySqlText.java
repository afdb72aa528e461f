package io.widebeam.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;

/**
 * Parses an expression as MySQL would. Calcite reserves many more words, as {@code day} and {@code
 * value}: where one of them stops it and a column is called so, the column is meant. Positions are
 * always those of the text as it was given.
 */
final class MySqlText {
  private static final Pattern WORD = Pattern.compile("[\\p{L}_$][\\p{L}\\p{N}_$]*|&&");

  /** What MySQL has other words for. */
  private static final Map<String, String> OTHER_WORDS =
      Map.of("datetime", "TIMESTAMP", "regexp", "RLIKE", "&&", "AND");

  private static final Map<String, String> OTHER_FUNCTIONS = Map.of("day", "DAYOFMONTH");

  /** What cannot stand between where Calcite stops and the word that stops it. */
  private static final Pattern BETWEEN = Pattern.compile("['`,)]");

  /** Words that Calcite reserves and MySQL does not, as far as people call columns so. */
  private static final Set<String> NOT_RESERVED =
      Set.of(
          "count",
          "date",
          "day",
          "hour",
          "language",
          "minute",
          "month",
          "no",
          "position",
          "quarter",
          "result",
          "second",
          "start",
          "time",
          "timestamp",
          "user",
          "value",
          "week",
          "year");

  private static final Pattern AS = Pattern.compile("(?<![\\p{L}\\p{N}_$])as$");

  private final List<SqlColumn> columns;
  private final SqlParser.Config parser;
  private boolean wholeStatement;
  private String text;

  /** For each change, where it ends in the changed text, and by how much the text has grown. */
  private final List<int[]> changes = new ArrayList<>();

  /** Where an expression cannot be read; positions from 1. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    final int line;
    final int column;

    Unreadable(String message, int line, int column) {
      super(message);
      this.line = line;
      this.column = column;
    }
  }

  MySqlText(String text, List<SqlColumn> columns, SqlParser.Config parser) {
    this.text = text;
    this.columns = columns;
    this.parser = parser;
  }

  /** One expression. */
  SqlNode parse() throws Unreadable {
    return parse(SqlParser::parseExpression);
  }

  /** One statement, in which any word that MySQL does not reserve may be a name. */
  SqlNode parseStatement() throws Unreadable {
    wholeStatement = true;
    return parse(SqlParser::parseStmt);
  }

  /** The text as it was parsed. */
  String text() {
    return text;
  }

  private interface Parsing {
    SqlNode apply(SqlParser parser) throws SqlParseException;
  }

  private SqlNode parse(Parsing parsing) throws Unreadable {
    while (true) {
      try {
        return parsing.apply(SqlParser.create(text, parser));
      } catch (SqlParseException e) {
        if (e.getPos() == null
            || !change(offset(e.getPos().getLineNum(), e.getPos().getColumnNum()))) {
          int[] at =
              e.getPos() == null
                  ? new int[] {1, 1}
                  : original(e.getPos().getLineNum(), e.getPos().getColumnNum());
          throw new Unreadable(String.valueOf(e.getMessage()), at[0], at[1]);
        }
      }
    }
  }

  /** The position in the text as it was given, of one in the text as it was parsed. */
  int[] original(int line, int column) {
    int offset = offset(line, column);
    int grown = 0;
    for (int[] change : changes) {
      if (change[0] <= offset && sameLine(change[0], offset)) {
        grown += change[1];
      }
    }
    return new int[] {Math.max(1, line), Math.max(1, column - grown)};
  }

  private boolean sameLine(int from, int to) {
    return text.indexOf('\n', from) < 0 || text.indexOf('\n', from) >= to;
  }

  private int offset(int line, int column) {
    int start = 0;
    for (int i = 1; i < line; i++) {
      start = text.indexOf('\n', start) + 1;
    }
    return start + column - 1;
  }

  /** Writes the word that stops the parser otherwise; false if there is no other way. */
  private boolean change(int stopped) {
    // The comma before a word may be a part of what Calcite stops at.
    int stop = text.startsWith(",", stopped) ? stopped + 1 : stopped;
    Matcher word = WORD.matcher(text);
    // Calcite may name the place of the token before the one that stops it.
    for (int i = 0, from = stop; i < 2 && from >= 0 && word.find(from); i++, from = word.end()) {
      if (BETWEEN.matcher(text.substring(stop, word.start())).find()) {
        return false;
      }
      boolean called = text.startsWith("(", word.end());
      String found = word.group();
      String other =
          !called && (SqlExpressions.find(found, columns) != null || isFreeName(word))
              ? "`" + found + "`"
              : (called ? OTHER_FUNCTIONS : OTHER_WORDS).get(found.toLowerCase(Locale.ROOT));
      boolean quoted = word.start() > 0 && text.charAt(word.start() - 1) == '`';
      if (other != null && !quoted) {
        change(word, other);
        return true;
      }
    }
    return false;
  }

  /** Whether a word of a statement can only be a name: as an alias, of a table, or to MySQL. */
  private boolean isFreeName(Matcher word) {
    if (!wholeStatement || !Character.isLetter(word.group().charAt(0))) {
      return false;
    }
    String before = text.substring(0, word.start()).stripTrailing().toLowerCase(Locale.ROOT);
    return before.endsWith(".")
        || AS.matcher(before).find()
        || NOT_RESERVED.contains(word.group().toLowerCase(Locale.ROOT));
  }

  private void change(Matcher word, String other) {
    text = text.substring(0, word.start()) + other + text.substring(word.end());
    int grown = other.length() - (word.end() - word.start());
    for (int[] change : changes) {
      if (change[0] > word.start()) {
        change[0] += grown;
      }
    }
    changes.add(new int[] {word.start() + other.length(), grown});
  }
}
