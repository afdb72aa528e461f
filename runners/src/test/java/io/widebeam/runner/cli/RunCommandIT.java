package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process of its own: what it prints where, and with which status it ends. */
@Timeout(180)
class RunCommandIT {
  private static EmbeddedMariaDb server;

  @TempDir private Path directory;

  @BeforeAll
  static void startServer() throws SQLException {
    server = EmbeddedMariaDb.start();
    try (Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE shop");
      statement.execute("CREATE TABLE shop.orders (order_id INT PRIMARY KEY, status VARCHAR(20))");
      statement.execute("INSERT INTO shop.orders VALUES (1, 'paid'), (2, 'sent'), (3, 'paid')");
    }
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  @Test
  void aFlowWithoutATargetRunsOnAnEmbeddedOneUntilItIsTerminated() throws Exception {
    Process process = start("run", flow("orders").toString());
    List<String> lines = new ArrayList<>();
    try (BufferedReader out = process.inputReader()) {
      String line;
      while ((line = out.readLine()) != null) {
        lines.add(line);
        if (line.contains("is: running") && line.contains("total rows: 3")) {
          process.toHandle().destroy();
        }
      }
    }

    assertThat(process.waitFor()).as("exit status; %s", messages()).isZero();
    assertThat(lines.get(lines.size() - 1))
        .startsWith("job current status is: stopped, qps is: ")
        .contains("total rows: 3");
    assertThat(messages()).contains("mongodb://127.0.0.1:").contains("orders 3 of 3");
    assertThat(Files.readString(directory.resolve(".widebeam/log/run.log"))).isNotEmpty();
  }

  @Test
  void aTableThatIsNotThereIsAMistakeInTheFile() throws Exception {
    Process process = start("run", flow("odrers").toString());

    assertThat(process.waitFor()).isEqualTo(2);
    assertThat(process.inputReader().readLine()).isNull();
    assertThat(messages()).contains("odrers").doesNotContain("Exception");
  }

  @Test
  void aFlowThatFailsFastEndsWithTheReasonInALine() throws Exception {
    Path flow = flow("orders");
    Files.writeString(
        flow,
        "    computed: {far: \"9223372036854775807 + order_id\"}\n",
        StandardOpenOption.APPEND);
    Process process = start("run", flow.toString(), "--fail-fast");

    assertThat(process.waitFor()).as("exit status; %s", messages()).isEqualTo(1);
    assertThat(messages())
        .containsPattern("(?m)^widebeam: A row of Shop.shop.orders cannot be joined: .*overflow$")
        .doesNotContain("\tat ");
  }

  @Test
  void aPlanShowsWhatIsReadAndHowItIsJoined() throws Exception {
    Process process = start("plan", flow("orders").toString());

    assertThat(process.waitFor()).as("exit status; %s", messages()).isZero();
    assertThat(process.inputReader().lines().toList())
        .contains(
            "Shop.orders  by order_id",
            "write orders.orders",
            "dead letters to orders.widebeam_dead_letters")
        .anyMatch(line -> line.matches(" *orders +3 rows"));
  }

  private Path flow(String table) throws IOException {
    return Files.writeString(
        directory.resolve("flow.yaml"),
        """
        name: orders
        connections:
          Shop: {type: mariadb, host: %s, port: %d, database: shop, user: %s, password: "${CDC}"}
        views:
          - from: Shop.%s
        """
            .formatted(server.host(), server.port(), EmbeddedMariaDb.CDC_USER, table));
  }

  private Process start(String... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens") || option.startsWith("-Xmx"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectError(directory.resolve("messages").toFile());
    builder.environment().put("CDC", EmbeddedMariaDb.CDC_PASSWORD);
    return builder.start();
  }

  private String messages() throws IOException {
    return Files.readString(directory.resolve("messages"));
  }
}
