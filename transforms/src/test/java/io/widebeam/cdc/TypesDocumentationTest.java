package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bson.BsonType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Holds docs/types.md against the fixtures that the servers are held against. */
class TypesDocumentationTest {
  private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
  private static final Map<BsonType, String> NAMES =
      Map.ofEntries(
          Map.entry(BsonType.INT32, "Int32"),
          Map.entry(BsonType.INT64, "Int64"),
          Map.entry(BsonType.DOUBLE, "Double"),
          Map.entry(BsonType.DECIMAL128, "Decimal128"),
          Map.entry(BsonType.STRING, "String"),
          Map.entry(BsonType.BOOLEAN, "Boolean"),
          Map.entry(BsonType.BINARY, "Binary"),
          Map.entry(BsonType.DATE_TIME, "DateTime"),
          Map.entry(BsonType.DOCUMENT, "Document"),
          Map.entry(BsonType.ARRAY, "Array"),
          Map.entry(BsonType.NULL, "Null"));

  @ParameterizedTest
  @CsvSource({"mariadb, MySQL and MariaDB", "mysql, MySQL and MariaDB", "postgres, Postgres"})
  void theTableNamesWhatEveryTypeBecomes(String server, String heading) throws IOException {
    Map<String, String> documented = documented(heading);
    Map<String, Set<String>> wrong = new TreeMap<>();
    for (TypeFixture fixture : TypeFixture.of(server)) {
      String type = name(fixture.type());
      String bson = NAMES.get(fixture.expected().getBsonType());
      String said = type.endsWith("[]") ? "Array" : documented.getOrDefault(type, "");
      if (!said.contains(bson)) {
        wrong.computeIfAbsent(fixture.type(), missing -> new TreeSet<>()).add(bson);
      }
    }
    assertThat(wrong).as("what docs/types.md does not say of %s", server).isEmpty();
  }

  /** What the table says of each type's values. */
  private static Map<String, String> documented(String heading) throws IOException {
    String page = Files.readString(Path.of("..", "docs", "types.md"));
    int start = page.indexOf("## " + heading + "\n");
    int end = page.indexOf("\n## ", start + 1);
    Map<String, String> documented = new TreeMap<>();
    for (String line : page.substring(start, end < 0 ? page.length() : end).lines().toList()) {
      String[] cells = line.split("\\|", 4);
      if (line.startsWith("| ") && cells.length == 4) {
        Matcher types = QUOTED.matcher(cells[1]);
        while (types.find()) {
          documented.merge(name(types.group(1)), cells[2], String::concat);
        }
      }
    }
    return documented;
  }

  /** A type without lengths, values and character sets. */
  private static String name(String type) {
    return type.replaceAll(" CHARACTER SET .*", "").replaceAll("\\([^)]*\\)", "").strip();
  }
}
