package io.widebeam.cdc;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonValue;

/**
 * One value of a column type, and what becomes of it: a line of a file in the tests' resources.
 *
 * @param type the column's type in a CREATE TABLE
 * @param literal the value in SQL
 */
record TypeFixture(String type, String literal, BsonValue expected) {

  /** The fixtures of one server: {@code mariadb}, {@code mysql} or {@code postgres}. */
  static List<TypeFixture> of(String server) {
    try (InputStream file = TypeFixture.class.getResourceAsStream("/types/" + server + ".txt")) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(TypeFixture::parse)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TypeFixture parse(String line) {
    String[] parts = line.split(" \\| ", 3);
    if (parts.length != 3) {
      throw new IllegalArgumentException("not a fixture: " + line);
    }
    return new TypeFixture(
        parts[0].strip(),
        parts[1].strip(),
        BsonDocument.parse("{\"v\": " + parts[2].strip() + "}").get("v"));
  }
}
