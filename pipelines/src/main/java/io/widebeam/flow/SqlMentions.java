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
  private static final Pattern TOKEN =
      Pattern.compile(
          "'(?<text>(?:[^']|'')*)'|(?<number>\\b\\d+(?:\\.\\d+)?\\b)"
              + "|[`\"](?<quoted>[^`\"]+)[`\"]|(?<name>[\\p{L}_][\\p{L}\\p{N}_$]*)(?<call>\\s*\\()?"
              + "|(?<other>\\S)");

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
            case DATETIME -> {}
          }
        } catch (NumberFormatException e) {
          // A text that another column is compared with.
        }
      }
      return values;
    }
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
      } else if (last != null && token.group("text") != null) {
        mentions.merge(
            last,
            new Mention(
                Optional.of(ColumnType.STRING), List.of(token.group("text").replace("''", "'"))),
            Mention::and);
      } else if (last != null && token.group("number") != null) {
        mentions.merge(
            last,
            new Mention(Optional.of(ColumnType.INT), List.of(token.group("number"))),
            Mention::and);
      }
    }
    return mentions;
  }
}
