package io.widebeam.flow;

import io.widebeam.flow.TextComparison.ByCollation;
import io.widebeam.flow.TextComparison.Columns;
import io.widebeam.flow.TextComparison.Refused;
import io.widebeam.view.Collation;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How MySQL and MariaDB servers compare texts: by the weights of characters, which they tell. So
 * there is no need to know the tables of the many versions; but of collations that weigh letters
 * together, or accents and cases apart, the weights of characters do not tell enough.
 */
final class MySqlCollations {
  /** Texts of the same bytes, in whatever character set, are the same here in UTF-8. */
  private static final Pattern BYTES = Pattern.compile("binary|.*_(0900|nopad)_bin");

  private static final String UNICODE = "utf8|utf8mb3|utf8mb4|ucs2|utf16|utf16le|utf32";
  private static final String EIGHT_BITS =
      "ascii|latin1|latin2|latin5|latin7|cp125[0167]|cp85[02]|cp866|koi8[ru]|greek|hebrew";

  private static final Pattern BY_CHARACTER =
      Pattern.compile(
          "(%s)_(general|unicode|unicode_520|0900_ai|uca1400_ai)(_nopad)?_ci".formatted(UNICODE)
              + "|(%s)_uca1400_nopad_ai_ci".formatted(UNICODE)
              + "|(%s)_general(_nopad)?_c[is]".formatted(EIGHT_BITS)
              + "|latin1_swedish(_nopad)?_ci");

  private static final int TEXTS_PER_QUERY = 1000;

  /** MySQL's "Illegal mix of collations". */
  private static final int ILLEGAL_MIX = 1267;

  /** Weights from here on are the first of two. */
  private static final int FIRST_OF_TWO = 0xFB00;

  /** Characters for private use that stand for weights which no character has alone. */
  private static final int PRIVATE_USE = 0xF0000;

  private static final String REMEDY =
      "give both columns one collation that compares texts character by character, such as"
          + " utf8mb4_bin, utf8mb4_general_ci, utf8mb4_0900_ai_ci or utf8mb4_uca1400_ai_ci: ALTER"
          + " TABLE ... MODIFY ... COLLATE ...";

  private final Connection.Database database;
  private final JdbcSession session;
  private final Map<String, Collation> known = new HashMap<>();

  private MySqlCollations(Connection.Database database, JdbcSession session) {
    this.database = database;
    this.session = session;
  }

  /** How each pair's columns compare; those that compare by their characters are left out. */
  static Map<Columns, TextComparison> compare(Connection.Database database, Set<Columns> pairs) {
    Map<Columns, TextComparison> comparisons = new LinkedHashMap<>();
    try (JdbcSession session = MySqlCatalog.open(database)) {
      MySqlCollations collations = new MySqlCollations(database, session);
      for (Columns pair : pairs) {
        collations.compare(pair).ifPresent(how -> comparisons.put(pair, how));
      }
    } catch (SQLException e) {
      Refused refused =
          new Refused(
              "connection "
                  + database.name()
                  + " does not tell how it compares texts: "
                  + JdbcSession.message(e, database.password()),
              "let the user read the tables");
      pairs.forEach(pair -> comparisons.putIfAbsent(pair, refused));
    }
    return comparisons;
  }

  private Optional<TextComparison> compare(Columns pair) throws SQLException {
    String parent = collationName(pair.parentTable(), pair.parent());
    String child = collationName(pair.childTable(), pair.child());
    if (parent.isEmpty() && child.isEmpty()) {
      return Optional.empty();
    }
    if (parent.isEmpty() || child.isEmpty()) {
      return Optional.of(
          new Refused(
              "`%s` holds texts and `%s` does not, so that they are never equal here"
                  .formatted(
                      parent.isEmpty() ? pair.child() : pair.parent(),
                      parent.isEmpty() ? pair.parent() : pair.child()),
              "give both columns one type"));
    }
    String name = parent;
    if (!parent.equals(child)) {
      Optional<String> common = common(pair);
      if (common.isEmpty()) {
        return Optional.of(
            new Refused(
                "`%s` compares texts by %s and `%s` by %s, and no join can do both"
                    .formatted(pair.parent(), parent, pair.child(), child),
                REMEDY));
      }
      name = common.get();
    }
    if (BYTES.matcher(name).matches()) {
      return Optional.empty();
    }
    if (name.endsWith("_bin")) {
      return Optional.of(new ByCollation(Collation.padded(name), name.equals(parent)));
    }
    Optional<Collation> collation = collation(name);
    if (collation.isEmpty()) {
      return Optional.of(
          new Refused(
              "joins outside of the database cannot follow how " + name + " compares texts",
              REMEDY));
    }
    return Optional.of(new ByCollation(collation.get(), name.equals(parent)));
  }

  /** Empty for a column that does not hold texts. */
  private String collationName(String table, String column) throws SQLException {
    return session
        .texts(
            "SELECT COALESCE(collation_name, '') FROM information_schema.columns"
                + " WHERE table_schema = ? AND table_name = ? AND column_name = ?",
            database.database(),
            table,
            column)
        .stream()
        .findFirst()
        .orElse("");
  }

  /** The collation by which the server itself would join these; empty if it would not. */
  private Optional<String> common(Columns pair) throws SQLException {
    String parent = "p." + MySqlCatalog.quote(pair.parent());
    String child = "c." + MySqlCatalog.quote(pair.child());
    try {
      return session
          .texts(
              "SELECT COLLATION(CONCAT(%s, %s)), %s = %s FROM (SELECT 1) one"
                      .formatted(parent, child, parent, child)
                  + " LEFT JOIN %s p ON FALSE LEFT JOIN %s c ON FALSE"
                      .formatted(qualified(pair.parentTable()), qualified(pair.childTable())))
          .stream()
          .findFirst();
    } catch (SQLException e) {
      if (e.getErrorCode() == ILLEGAL_MIX) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private String qualified(String table) {
    return MySqlCatalog.quote(database.database()) + "." + MySqlCatalog.quote(table);
  }

  /** What the server says of a collation; empty if it is none that can be followed. */
  Optional<Collation> collation(String name) throws SQLException {
    if (!BY_CHARACTER.matcher(name).matches()) {
      return Optional.empty();
    }
    Collation collation = known.get(name);
    if (collation == null) {
      collation = load(name);
      known.put(name, collation);
    }
    return Optional.of(collation);
  }

  /** For a test: of a collation by its name. */
  static Optional<Collation> load(Connection.Database database, String name) throws SQLException {
    try (JdbcSession session = MySqlCatalog.open(database)) {
      return new MySqlCollations(database, session).collation(name);
    }
  }

  private Collation load(String name) throws SQLException {
    boolean unicode = name.matches("(" + UNICODE + ")_.*");
    Set<String> texts = characters(unicode);
    Map<String, int[]> weights = weights(name, texts, unicode ? 2 : 1);
    Map<Integer, String> standIns = standIns(weights);
    Map<String, String> replacements = new HashMap<>();
    weights.forEach((text, units) -> replacements.put(text, replacement(units, standIns)));
    if (!unicode) {
      // The server weighs so what the character set does not have, and no text has either.
      String unknown = replacements.get("?");
      replacements.values().removeIf(unknown::equals);
    }

    String supplementary = null;
    if (unicode) {
      // Ideographs, of which not all have been asked about.
      Map<String, int[]> two = weights(name, List.of("\uD840\uDC00", "\uD840\uDC01"), 2);
      int[] first = two.get("\uD840\uDC00");
      if (Arrays.equals(first, two.get("\uD840\uDC01"))) {
        supplementary = replacement(first, standIns);
        String all = supplementary;
        replacements
            .entrySet()
            .removeIf(
                entry ->
                    Character.isSupplementaryCodePoint(entry.getKey().codePointAt(0))
                        && entry.getValue().equals(all));
      }
      if (!name.contains("_general_")) {
        addSequences(name, replacements, standIns);
      }
    }
    boolean padded =
        session
            .texts("SELECT %s = %s COLLATE %s".formatted(text("a", name), text("a ", name), name))
            .contains("1");
    return Collation.of(name, padded, replacements, supplementary);
  }

  /** What some characters stand for together, such as a letter and its accent. */
  private void addSequences(
      String name, Map<String, String> replacements, Map<Integer, String> standIns)
      throws SQLException {
    Map<String, String> sequences = new HashMap<>();
    weights(name, sequences(replacements.keySet()), 2)
        .forEach(
            (sequence, units) -> {
              String together = replacement(units, standIns);
              String apart =
                  sequence
                      .codePoints()
                      .mapToObj(Character::toString)
                      .map(character -> replacements.getOrDefault(character, character))
                      .collect(Collectors.joining());
              if (!together.equals(apart)) {
                sequences.put(sequence, together);
              }
            });
    replacements.putAll(sequences);
  }

  /** The smallest character that weighs just that, by weight. */
  private static Map<Integer, String> standIns(Map<String, int[]> weights) {
    Map<Integer, String> standIns = new HashMap<>();
    weights.forEach(
        (text, units) -> {
          if (units.length == 1) {
            standIns.merge(units[0], text, (a, b) -> a.codePointAt(0) < b.codePointAt(0) ? a : b);
          }
        });
    return standIns;
  }

  private static String replacement(int[] units, Map<Integer, String> standIns) {
    StringBuilder replacement = new StringBuilder();
    for (int unit : units) {
      String standIn = standIns.get(unit);
      if (standIn != null) {
        replacement.append(standIn);
      } else {
        if (unit > 0xFFFF) {
          replacement.appendCodePoint(PRIVATE_USE + (unit >>> 16));
        }
        replacement.appendCodePoint(PRIVATE_USE + (unit & 0xFFFF));
      }
    }
    return replacement.toString();
  }

  /** The weights of texts, each of so many bytes. */
  private Map<String, int[]> weights(String collation, Collection<String> texts, int bytes)
      throws SQLException {
    Map<String, int[]> weights = new LinkedHashMap<>();
    List<String> asked = new ArrayList<>(texts);
    for (int from = 0; from < asked.size(); from += TEXTS_PER_QUERY) {
      List<String> some = asked.subList(from, Math.min(asked.size(), from + TEXTS_PER_QUERY));
      String list =
          some.stream()
              .map(
                  text ->
                      "HEX(WEIGHT_STRING(%s COLLATE %s))"
                          .formatted(text(text, collation), collation))
              .collect(Collectors.joining(", "));
      String[] found = session.texts("SELECT CONCAT_WS(',', " + list + ")").get(0).split(",", -1);
      if (found.length != some.size()) {
        throw new SQLException("weights of " + collation + " are missing");
      }
      for (int i = 0; i < found.length; i++) {
        weights.put(some.get(i), units(found[i], 2 * bytes));
      }
    }
    return weights;
  }

  private static int[] units(String hex, int digits) {
    int[] units = new int[hex.length() / digits];
    int count = 0;
    for (int i = 0; i < hex.length(); i += digits) {
      int unit = HexFormat.fromHexDigits(hex, i, i + digits);
      if (unit >= FIRST_OF_TWO && digits == 4 && i + 8 <= hex.length()) {
        i += digits;
        unit = unit << 16 | HexFormat.fromHexDigits(hex, i, i + digits);
      }
      units[count++] = unit;
    }
    return Arrays.copyOf(units, count);
  }

  /** A literal in the collation's character set. */
  private static String text(String text, String collation) {
    String utf8 = "_utf8mb4 0x" + HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    String charset = collation.substring(0, collation.indexOf('_'));
    return charset.equals("utf8mb4") ? utf8 : "CONVERT(" + utf8 + " USING " + charset + ")";
  }

  /**
   * Those that may be equal to others. Ideographs are equal to nothing but what they are composed
   * of, or a compatible one decomposes to; most others are only asked about for that.
   */
  private static Set<String> characters(boolean unicode) {
    Set<String> characters = new LinkedHashSet<>();
    IntStream.rangeClosed(0, unicode ? 0x2FFFF : 0xFFFF)
        .filter(Character::isDefined)
        .filter(c -> Character.getType(c) != Character.SURROGATE)
        .filter(c -> Character.getType(c) != Character.PRIVATE_USE)
        .mapToObj(Character::toString)
        .forEach(
            character -> {
              int c = character.codePointAt(0);
              if (!Character.isIdeographic(c)
                  || !Normalizer.isNormalized(character, Normalizer.Form.NFKD)) {
                characters.add(character);
                Normalizer.normalize(character, Normalizer.Form.NFKD)
                    .codePoints()
                    .mapToObj(Character::toString)
                    .forEach(characters::add);
              }
            });
    IntStream.rangeClosed(0xE0000, 0xE01FF).mapToObj(Character::toString).forEach(characters::add);
    return characters;
  }

  /** Those that collations may weigh together: decompositions, and vowels written in front. */
  private static Set<String> sequences(Set<String> characters) {
    Set<String> sequences = new LinkedHashSet<>();
    for (String character : characters) {
      for (Normalizer.Form form : List.of(Normalizer.Form.NFD, Normalizer.Form.NFKD)) {
        int[] parts = Normalizer.normalize(character, form).codePoints().limit(4).toArray();
        boolean hangul = Character.UnicodeScript.of(parts[0]) == Character.UnicodeScript.HANGUL;
        if (!hangul && (parts.length == 2 || parts.length == 3)) {
          sequences.add(new String(parts, 0, parts.length));
        }
      }
    }
    // Thai, Lao, New Tai Lue, Tai Viet.
    int[][] scripts = {
      {0x0E40, 0x0E44, 0x0E01, 0x0E2E},
      {0x0EC0, 0x0EC4, 0x0E81, 0x0EDF},
      {0x19B5, 0x19BA, 0x1980, 0x19AB},
      {0xAAB5, 0xAABC, 0xAA80, 0xAAAF}
    };
    for (int[] script : scripts) {
      for (int vowel = script[0]; vowel <= script[1]; vowel++) {
        for (int letter = script[2]; letter <= script[3]; letter++) {
          sequences.add(Character.toString(vowel) + Character.toString(letter));
        }
      }
    }
    return sequences;
  }
}
