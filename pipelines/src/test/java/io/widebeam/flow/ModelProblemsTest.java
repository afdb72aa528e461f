package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each file is a model with mistakes, beside the warehouse's models; the comment at its end is the
 * message that it must give.
 */
class ModelProblemsTest {
  private static final Path DIRECTORY = Path.of("src/test/resources/model-problems");
  private static final String EXPECTED = "--| ";

  static List<String> cases() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      assertThat(names).hasSizeGreaterThan(30);
      return names;
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyMistakeIsNamedWithItsPlaceAndItsRemedy(String file) throws IOException {
    String text = Files.readString(DIRECTORY.resolve(file));
    String expected =
        text.lines()
            .filter(line -> line.startsWith(EXPECTED))
            .map(line -> line.substring(EXPECTED.length()))
            .collect(Collectors.joining("\n"));
    String name = file.replace(".sql", "").replace('-', '_');

    FlowException problems =
        catchThrowableOfType(
            FlowException.class,
            () -> ModelsTest.plan(ModelsTest.seed().model(Model.of(name, text))));

    assertThat(problems).isNotNull();
    assertThat(problems.getMessage()).isEqualTo(expected);
  }
}
