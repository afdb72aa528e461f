package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.view.Collation;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MySqlCollationsIT {
  private static final int RANDOM_TEXTS = 10_000;

  private static final List<String> TEXTS =
      List.of(
          "a",
          "A",
          "á",
          "a ",
          "A   ",
          "b",
          "ab",
          "AB",
          "Äb",
          "ss",
          "ß",
          "ẞ",
          "SS",
          "s",
          "ﬁ",
          "fi",
          "Ｆi",
          "œ",
          "oe",
          "æ",
          "ae",
          "ø",
          "o",
          "ö",
          "I",
          "İ",
          "ı",
          "Σ",
          "σ",
          "ς",
          "Ж",
          "ж",
          "ё",
          "е",
          "й",
          "и",
          "и\u0306",
          "ア",
          "ｱ",
          "あ",
          "が",
          "か\u3099",
          "中",
          "丕",
          "豈",
          "豈",
          "한",
          "핞",
          "ᄒ\u1161\u11ab",
          "😀",
          "🚀",
          "𝒜",
          "",
          " ",
          "a\u00a0",
          "a\u200b",
          "a\t",
          "1",
          "１",
          "¹",
          "-",
          "a-b",
          "ab-",
          "ǆ",
          "ǅ",
          "'",
          "’",
          "เก",
          "กเ");

  /** First and last characters of what random texts are made of. */
  private static final int[][] RANGES = {
    {0x20, 0x7E},
    {0x41, 0x43},
    {0x61, 0x63},
    {0x20, 0x20},
    {0xA0, 0x24F},
    {0x300, 0x36F},
    {0x370, 0x3FF},
    {0x400, 0x4FF},
    {0x600, 0x6FF},
    {0xE01, 0xE4E},
    {0x1E00, 0x1FFE},
    {0x2000, 0x206F},
    {0x3040, 0x30FF},
    {0x4E00, 0x4E05},
    {0xAC00, 0xAC20},
    {0xF900, 0xF910},
    {0xFB00, 0xFB06},
    {0xFF01, 0xFF5E},
    {0x1D400, 0x1D420},
    {0x1F600, 0x1F603}
  };

  private static MariaDbServer server;

  @BeforeAll
  static void start() throws Exception {
    server = MariaDbServer.start(List.of("--character-set-server=utf8mb4"));
    server.run("CREATE DATABASE shop");
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  private static Connection.Database database() {
    return Connection.mariadb("shop", "127.0.0.1", server.port(), "shop", "admin", "");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "utf8mb4_general_ci",
        "utf8mb4_general_nopad_ci",
        "utf8mb4_unicode_ci",
        "utf8mb4_unicode_520_ci",
        "utf8mb4_uca1400_ai_ci",
        "utf8mb4_uca1400_nopad_ai_ci",
        "utf8mb3_general_ci",
        "latin1_swedish_ci",
        "latin1_general_cs",
        "cp1251_general_ci"
      })
  void textsHaveOneKeyThatTheServerTakesForEqual(String name) throws Exception {
    Collation collation = MySqlCollations.load(database(), name).orElseThrow();
    String url = "jdbc:mariadb://127.0.0.1:" + server.port() + "/shop";
    try (java.sql.Connection connection = java.sql.DriverManager.getConnection(url, "admin", "")) {
      assertSameClasses(connection, name, collation);
    }
  }

  /** The server sorts the texts, and those that it takes for equal have one rank. */
  static void assertSameClasses(java.sql.Connection connection, String name, Collation collation)
      throws SQLException {
    String charset = name.substring(0, name.indexOf('_'));
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET sql_mode = ''");
      statement.execute("DROP TABLE IF EXISTS t");
      statement.execute(
          "CREATE TABLE t (v VARCHAR(20) CHARACTER SET " + charset + " COLLATE " + name + ")");
      connection.setAutoCommit(false);
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO t VALUES (CONVERT(UNHEX(?) USING utf8mb4))")) {
        for (String text : texts()) {
          insert.setString(1, HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)));
          insert.addBatch();
        }
        insert.executeBatch();
      }
      connection.commit();
      Map<String, Set<String>> byKey = new HashMap<>();
      Map<Long, Set<String>> byRank = new HashMap<>();
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT HEX(CONVERT(v USING utf8mb4)), DENSE_RANK() OVER (ORDER BY v) FROM t")) {
        while (rows.next()) {
          // What the character set does not have is a question mark now.
          byte[] utf8 = HexFormat.of().parseHex(rows.getString(1));
          String text = escaped(new String(utf8, StandardCharsets.UTF_8));
          String key = HexFormat.of().formatHex(collation.key(utf8, 0, utf8.length));
          byKey.computeIfAbsent(key, none -> new LinkedHashSet<>()).add(text);
          byRank.computeIfAbsent(rows.getLong(2), none -> new LinkedHashSet<>()).add(text);
        }
      }
      assertThat(classes(byKey)).isEqualTo(classes(byRank));
      assertThat(byKey).as("no two texts are equal").hasSizeGreaterThan(20);
    }
  }

  private static Set<Set<String>> classes(Map<?, Set<String>> byKey) {
    return new LinkedHashSet<>(
        byKey.values().stream().filter(equal -> equal.size() > 1).map(Set::copyOf).toList());
  }

  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            c -> {
              if (c > ' ' && c < 0x7F) {
                escaped.appendCodePoint(c);
              } else {
                escaped.append('{').append(Integer.toHexString(c)).append('}');
              }
            });
    return escaped.append('"').toString();
  }

  private static List<String> texts() {
    Random random = new Random(1);
    List<String> texts = new ArrayList<>(TEXTS);
    for (int i = 0; i < RANDOM_TEXTS; i++) {
      StringBuilder text = new StringBuilder();
      int[] range = RANGES[random.nextInt(RANGES.length)];
      for (int j = random.nextInt(4); j >= 0; j--) {
        if (random.nextInt(3) == 0) {
          range = RANGES[random.nextInt(RANGES.length)];
        }
        int c = range[0] + random.nextInt(range[1] - range[0] + 1);
        text.appendCodePoint(Character.isDefined(c) ? c : 'x');
      }
      texts.add(text.toString());
    }
    return texts;
  }

  @Test
  void aCollationThatWeighsLettersTogetherOrCasesApartIsNotFollowed() throws Exception {
    for (String name :
        List.of(
            "utf8mb4_czech_ci", "utf8mb4_uca1400_as_cs", "latin1_german2_ci", "sjis_japanese_ci")) {
      assertThat(MySqlCollations.load(database(), name)).as(name).isEmpty();
    }
  }
}
