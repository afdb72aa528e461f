package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class WidebeamTest {
  @TempDir private Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void withoutACommandItSaysWhichThereAre() {
    assertThat(execute()).isEqualTo(2);
    assertThat(err.toString())
        .contains("run, status, stop, forget, validate, plan")
        .contains("--help");
    assertThat(err.toString()).doesNotContain("warm-up");
  }

  @Test
  void anUnknownCommandIsAMistakeInTheCall() {
    assertThat(execute("rum")).isEqualTo(2);
    assertThat(err.toString()).contains("rum");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void aMissingFlowFileArgumentIsAMistakeInTheCall() {
    assertThat(execute("run")).isEqualTo(2);
    assertThat(err.toString()).contains("FLOW.yaml").contains("widebeam run --help");
  }

  @Test
  void aFlowFileThatIsNotThereIsAMistakeInTheCall() {
    assertThat(execute("validate", directory.resolve("none.yaml").toString())).isEqualTo(2);
    assertThat(err.toString()).contains("none.yaml").doesNotContain("Exception");
  }

  @Test
  void aBadFlowFileIsOneClearMessage() throws IOException {
    Path file = Files.writeString(directory.resolve("bad.yaml"), "name: Orders\nviewz: []\n");

    assertThat(execute("run", file.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("bad.yaml:2").contains("viewz").doesNotContain("\tat ");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void anUnknownBeamOptionIsToldBeforeAnyDatabaseIsAsked() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("flow.yaml"),
            """
            name: Orders
            connections:
              Shop: {type: mysql, host: 127.0.0.1, port: 1, database: shop, user: u, password: p}
            views:
              - from: Shop.orders
            """);

    assertThat(execute("run", file.toString(), "--paralelism=2")).isEqualTo(2);
    assertThat(err.toString()).contains("unknown option --paralelism");
  }

  @Test
  void simulateNeedsNoDatabaseAndSaysThatEveryDocumentEqualsTheJoin() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("flow.yaml"),
            """
            name: Orders
            connections:
              Shop: {type: mysql, host: none, port: "${NO_SUCH_PORT}", database: shop, user: u, password: "${NO_SUCH_VARIABLE}"}
              Docs: {type: mongodb, uri: "${NO_SUCH_URI}", database: docs}
            views:
              - from: Shop.orders
                lookups:
                  - {from: Shop.items, path: items, type: array, relation: [[id, order_id]]}
                to: Docs.orders
            """);

    assertThat(execute("simulate", file.toString(), "--seeds", "5")).isZero();
    assertThat(out.toString()).startsWith("5 seeds, ").contains("every document equals the join");
    assertThat(execute("simulate", file.toString(), "--seeds", "0")).isEqualTo(2);
    assertThat(err.toString()).contains("--seeds");
  }

  @Test
  void helpIsAResult() {
    assertThat(execute("--help")).isZero();
    assertThat(out.toString()).contains("run").contains("validate").contains("plan");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void theVersionIsAResult() {
    assertThat(execute("--version")).isZero();
    assertThat(out.toString()).startsWith("widebeam ");
  }

  private int execute(String... arguments) {
    CommandLine commandLine = Widebeam.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine.execute(arguments);
  }
}
