package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnvironmentTest {
  private final Environment environment = new Environment(Map.of("USER", "cdc")::get);

  @TempDir private Path directory;

  @Test
  void aFileStandsForItsTextWithoutTheLastLineEnd() throws IOException {
    Path secret = Files.writeString(directory.resolve("secret"), "open $1 sesame\n\n");

    assertThat(environment.resolve("${USER}:${file:" + secret + "}@host").text())
        .isEqualTo("cdc:open $1 sesame\n@host");
  }

  @Test
  void aFileThatIsNotThereIsNamedWithTheReason() {
    Path nowhere = directory.resolve("nowhere");

    Environment.Resolved resolved = environment.resolve("${file:" + nowhere + "}");

    assertThat(resolved.isComplete()).isFalse();
    assertThat(resolved.unreadable())
        .containsExactly(Map.entry(nowhere.toString(), "there is no such file"));
  }

  @Test
  void anEscapedReferenceToAFileIsText() {
    assertThat(environment.resolve("$${file:/etc/passwd}").text()).isEqualTo("${file:/etc/passwd}");
  }
}
