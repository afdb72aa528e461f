package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each file is a flow with mistakes; the comment at its end is the message that it must give. */
class FlowYamlProblemsTest {
  private static final Path DIRECTORY = Path.of("src/test/resources/flow-problems");
  private static final String EXPECTED = "#| ";
  private static final Map<String, String> ENVIRONMENT = Map.of("SHOP_PASSWORD", "hunter2");

  private static final List<String> CASES =
      List.of(
          "array-keys-not-a-list",
          "bad-syntax",
          "connection-lacks-keys",
          "connection-name-with-a-dot",
          "connection-of-unknown-type",
          "connection-that-is-a-text",
          "connection-with-unknown-key",
          "connection-without-type",
          "connector-lacks-url",
          "dead-letters-among-documents",
          "dead-letters-to-a-source",
          "empty-file",
          "host-that-is-a-list",
          "jdbc-url-of-another-kind",
          "jdbc-with-unknown-key",
          "key-twice",
          "lookup-array-merged",
          "lookup-from-unknown-connection",
          "lookup-lacks-keys",
          "lookup-of-unknown-type",
          "lookup-path-taken",
          "lookup-path-twice",
          "lookup-path-with-empty-field",
          "lookup-with-unknown-key",
          "lookup-newest-of-what",
          "many-at-once",
          "mongodb-uri-of-another-kind",
          "mongodb-without-database",
          "name-with-odd-characters",
          "name-without-value",
          "node-options-at-odds",
          "node-options-of-other-kinds",
          "not-a-mapping",
          "nothing-there",
          "notification-mistakes",
          "port-holds-a-secret",
          "port-out-of-range",
          "property-set-by-widebeam",
          "property-that-is-a-list",
          "relation-empty",
          "relation-of-three",
          "relation-with-stray-path",
          "relation-without-inner-list",
          "replicate-mistakes",
          "rollup-mistakes",
          "rule-mistakes",
          "rules-nobody-is-told-of",
          "secret-file-not-there",
          "two-views-one-target",
          "unquoted-variable",
          "variable-malformed",
          "variable-not-set",
          "view-id-not-yet",
          "view-names-no-table",
          "view-reads-a-target",
          "view-with-unknown-connection",
          "view-without-from",
          "view-without-version",
          "views-empty",
          "views-not-a-list");

  static List<String> cases() {
    return CASES;
  }

  @Test
  void noCaseIsMissing() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      assertThat(files.map(file -> file.getFileName().toString().replace(".yaml", "")))
          .containsExactlyInAnyOrderElementsOf(CASES);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyMistakeIsNamedWithItsPlaceAndItsRemedy(String name) throws IOException {
    String file = Files.readString(DIRECTORY.resolve(name + ".yaml"));
    String text =
        file.lines()
            .filter(line -> !line.startsWith(EXPECTED))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    String expected =
        file.lines()
            .filter(line -> line.startsWith(EXPECTED))
            .map(line -> line.substring(EXPECTED.length()))
            .collect(Collectors.joining("\n"));

    FlowException problems =
        catchThrowableOfType(
            FlowException.class, () -> FlowYaml.parse(text, "flow.yaml", ENVIRONMENT::get));

    assertThat(problems).hasMessage(expected);
  }
}
