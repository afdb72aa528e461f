package io.widebeam.flow;

import io.widebeam.simulation.ColumnType;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bson.BsonDecimal128;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;

/**
 * The columns that an SQL expression mentions, and what they are compared with: a guess by the
 * words alone, good enough to make up a table that has them.
 */
final class SqlMentions {
  private static final String NAME = "[\\p{L}_][\\p{L}\\p{N}_$]*";

  private static final Pattern TOKEN = token(NAME);
  private static final Pattern DOTTED = token(NAME + "(?:\\." + NAME + ")*");

  private static Pattern token(String name) {
    return Pattern.compile(
        "'(?<text>(?:[^']|'')*)'|(?<number>\\b\\d+(?:\\.\\d+)?\\b)"
            + "|[`\"](?<quoted>[^`\"]+)[`\"]|(?<name>"
            + name
            + ")(?<call>\\s*\\()?"
            + "|(?<other>\\S)");
  }

  /** What functions take, for the types of their columns to be told by. */
  private static final Set<String> OF_NUMBERS = Set.of("sum", "avg", "abs", "round", "floor");

  private static final Set<String> OF_TIMES =
      Set.of(
          "date",
          "date_format",
          "year",
          "month",
          "day",
          "dayofmonth",
          "dayofweek",
          "dayofyear",
          "quarter",
          "week",
          "weekday",
          "hour",
          "minute",
          "second",
          "last_day",
          "date_add",
          "date_sub",
          "datediff",
          "unix_timestamp");

  private static final Set<String> OF_TEXTS =
      Set.of("lower", "upper", "trim", "substring", "substr", "left", "right", "str_to_date");

  private static final Set<String> ARITHMETIC = Set.of("*", "/", "+", "-", "%");

  private static final Set<String> OF_QUERIES =
      Set.of(
          "select", "where", "group", "by", "having", "join", "inner", "outer", "left", "on",
          "order");

  private static final Set<String> WORDS =
      Set.of(
          "and",
          "or",
          "not",
          "null",
          "is",
          "in",
          "like",
          "between",
          "case",
          "when",
          "then",
          "else",
          "end",
          "true",
          "false",
          "unknown",
          "escape",
          "div",
          "mod",
          "xor",
          "as",
          "signed",
          "unsigned",
          "char",
          "decimal",
          "date",
          "time",
          "datetime",
          "timestamp",
          "interval",
          "integer",
          "int",
          "double",
          "binary",
          "year",
          "month",
          "day",
          "hour",
          "minute",
          "second",
          "from",
          "for",
          "distinct",
          "varchar",
          "bigint",
          "both",
          "leading",
          "trailing",
          "symmetric");

  private SqlMentions() {}

  /**
   * What is known of a column.
   *
   * @param type what it holds, if that can be told
   * @param literals what it is compared with
   */
  record Mention(Optional<ColumnType> type, List<String> literals) {
    static final Mention NONE = new Mention(Optional.empty(), List.of());

    Mention and(Mention other) {
      List<String> all = new ArrayList<>(literals);
      all.addAll(other.literals);
      return new Mention(type.isPresent() ? type : other.type, all);
    }

    /** The literals as values of that type, and values just beside. */
    List<BsonValue> values(ColumnType columnType) {
      List<BsonValue> values = new ArrayList<>();
      for (String literal : literals) {
        try {
          switch (columnType) {
            case STRING -> values.add(new BsonString(literal));
            case INT -> {
              int number = new BigDecimal(literal).intValue();
              values.add(new BsonInt32(number));
              values.add(new BsonInt32(number + 1));
            }
            case BIGINT -> {
              long number = new BigDecimal(literal).longValue();
              values.add(new BsonInt64(number));
              values.add(new BsonInt64(number + 1));
            }
            case DECIMAL -> {
              BigDecimal number = new BigDecimal(literal).setScale(2, java.math.RoundingMode.DOWN);
              values.add(new BsonDecimal128(new Decimal128(number)));
              values.add(new BsonDecimal128(new Decimal128(number.add(BigDecimal.ONE))));
            }
            case DATETIME, DATE, BOOLEAN -> {}
          }
        } catch (NumberFormatException e) {
          // A text that another column is compared with.
        }
      }
      return values;
    }
  }

  /**
   * The mentions in an expression, or a query, over joined columns: by their names with dots in
   * them, and with types that functions and operators ask for.
   */
  static Map<String, Mention> ofJoined(String sql) {
    Map<String, Mention> mentions = new LinkedHashMap<>();
    String last = null;
    Optional<ColumnType> asked = Optional.empty();
    Matcher token = DOTTED.matcher(sql.replace("`", ""));
    while (token.find()) {
      String name = token.group("quoted") != null ? token.group("quoted") : token.group("name");
      String other = token.group("other");
      if (name != null) {
        String word = name.toLowerCase(Locale.ROOT);
        if (token.group("call") != null) {
          asked = argument(word);
          last = null;
        } else if (WORDS.contains(word) || OF_QUERIES.contains(word)) {
          last = null;
        } else {
          last = name;
          mentions.merge(name, new Mention(asked, List.of()), Mention::and);
        }
      } else if (other != null && ARITHMETIC.contains(other)) {
        if (last != null) {
          asked = Optional.of(ColumnType.INT);
          mentions.merge(last, new Mention(asked, List.of()), Mention::and);
        }
      } else if (other != null && (other.equals(",") || other.equals(")"))) {
        asked = Optional.empty();
      } else if (last != null) {
        compare(last, token, mentions);
      }
      if (other != null && other.equals(",")) {
        // Its next argument is not compared with what stands before.
        last = null;
      }
    }
    return mentions;
  }

  private static Optional<ColumnType> argument(String function) {
    if (OF_NUMBERS.contains(function)) {
      return Optional.of(ColumnType.INT);
    } else if (OF_TIMES.contains(function)) {
      return Optional.of(ColumnType.DATETIME);
    }
    return OF_TEXTS.contains(function) ? Optional.of(ColumnType.STRING) : Optional.empty();
  }

  /** The mentions, by column. */
  static Map<String, Mention> in(String sql) {
    Map<String, Mention> mentions = new LinkedHashMap<>();
    String last = null;
    Matcher token = TOKEN.matcher(sql);
    while (token.find()) {
      String name = token.group("quoted") != null ? token.group("quoted") : token.group("name");
      if (name != null) {
        boolean word =
            token.group("quoted") == null
                && (token.group("call") != null || WORDS.contains(name.toLowerCase(Locale.ROOT)));
        if (!word) {
          last = name;
          mentions.merge(name, Mention.NONE, Mention::and);
        } else if (Set.of("and", "or", "then", "else").contains(name.toLowerCase(Locale.ROOT))) {
          last = null;
        }
      } else if (last != null) {
        compare(last, token, mentions);
      }
    }
    return mentions;
  }

  /** Notes what a column is compared with, if the token is a literal. */
  private static void compare(String column, Matcher token, Map<String, Mention> mentions) {
    if (token.group("text") != null) {
      mentions.merge(
          column,
          new Mention(
              Optional.of(ColumnType.STRING), List.of(token.group("text").replace("''", "'"))),
          Mention::and);
    } else if (token.group("number") != null) {
      mentions.merge(
          column,
          new Mention(Optional.of(ColumnType.INT), List.of(token.group("number"))),
          Mention::and);
    }
  }
}
