package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.Main;
import io.widebeam.runner.serve.Browser;
import java.io.BufferedReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The dashboard of the warehouse's demo in a browser, from its own process until Ctrl-C. */
@Tag("slow")
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class WarehousePageIT {
  private static final String DASHBOARD = "The dashboard: ";

  @TempDir private Path directory;

  @Test
  void theFivePurchasesAreOnTheScreenWhenAllTablesAreEqual() throws Exception {
    Process process = demo();
    try (BufferedReader out = process.inputReader()) {
      List<String> lines = new ArrayList<>();
      String url = null;
      String line = "";
      while (!line.startsWith("Left running")) {
        line = out.readLine();
        assertThat(line).as("after %s %s", lines, messages()).isNotNull();
        lines.add(line);
        if (line.startsWith(DASHBOARD)) {
          url = line.substring(DASHBOARD.length());
        }
      }
      assertThat(lines).anyMatch(said -> said.startsWith("All equal"));
      try (Browser browser = Browser.open(url)) {
        browser.awaitText("latest", "32,495.00");
        assertThat(browser.chartLabel()).contains("3 daily sums").endsWith("is 32,495.00");
        browser.screenshot("warehouse");
      }
      process.toHandle().destroy();
      assertThat(process.waitFor()).as("exit status; %s", messages()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private Process demo() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens") || option.startsWith("-Xmx"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("demo", "warehouse", "--keep"));
    return new ProcessBuilder(command)
        .directory(directory.toFile())
        .redirectError(directory.resolve("messages").toFile())
        .start();
  }

  private String messages() throws Exception {
    return Files.readString(directory.resolve("messages"));
  }
}
