package io.widebeam.view;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.jupiter.api.Test;

class CollationTest {
  private static final Map<String, String> REPLACEMENTS =
      Map.of("a", "A", "á", "A", "ß", "SS", "s", "S", "\u0301", "", "и\u0306", "Й", "\0", "");

  private static String key(Collation collation, String text) {
    byte[] utf8 = ("-" + text + "-").getBytes(StandardCharsets.UTF_8);
    return new String(collation.key(utf8, 1, utf8.length - 1), StandardCharsets.UTF_8);
  }

  @Test
  void charactersAreReplacedByWhatStandsForThem() {
    Collation collation = Collation.of("ci", false, REPLACEMENTS, null);

    assertThat(key(collation, "")).isEmpty();
    assertThat(key(collation, "aAb ")).isEqualTo("AAb ");
    assertThat(key(collation, "áßa\u0301")).isEqualTo("ASSA");
    assertThat(key(collation, "a\0b")).isEqualTo("Ab");
    assertThat(key(collation, "中😀")).isEqualTo("中😀");
  }

  @Test
  void aSequenceIsTakenTogether() {
    Collation collation = Collation.of("ci", false, REPLACEMENTS, null);

    assertThat(key(collation, "aи\u0306и")).isEqualTo("AЙи");
    assertThat(key(collation, "и")).isEqualTo("и");
  }

  @Test
  void blanksAtTheEndCountForNothingIfTheDatabasePads() {
    assertThat(key(Collation.padded("bin"), " a  ")).isEqualTo(" a");
    assertThat(key(Collation.padded("bin"), "á  ")).isEqualTo("á");
    assertThat(key(Collation.padded("bin"), "  ")).isEmpty();
    assertThat(key(Collation.of("ci", true, REPLACEMENTS, null), "á\u0301 \u0301")).isEqualTo("A");
  }

  @Test
  void charactersBeyondTheBasicPlaneMayAllBeEqual() {
    Collation collation = Collation.of("ci", true, Map.of("𝒜", "A"), "\uFFFD");

    assertThat(key(collation, "😀𝒜🚀")).isEqualTo("\uFFFDA\uFFFD");
  }

  @Test
  void aCollationIsTheSameWhenItHasTravelled() {
    Collation collation = Collation.of("ci", true, REPLACEMENTS, "x");
    Collation travelled = SerializableUtils.clone(collation);

    assertThat(travelled).isEqualTo(collation).hasSameHashCodeAs(collation);
    assertThat(key(travelled, "ß🚀")).isEqualTo("SSx");
    assertThat(collation).isNotEqualTo(Collation.of("ci", false, REPLACEMENTS, "x"));
  }
}
