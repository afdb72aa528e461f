package io.widebeam.runner.bench;

import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam bench load}: the initial load, beside what the connector alone can do. */
@Command(
    name = "load",
    description = {
      "Measures the initial load of the order view in rows per second, from the start of the"
          + " process to the last document complete at the target, and the same connector with"
          + " nothing behind it, from the start of its process to the last row."
    })
final class LoadCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofMinutes(15);

  @Option(
      names = "--orders",
      defaultValue = "99441",
      paramLabel = "N",
      description = "Size of the shop (default: ${DEFAULT-VALUE}).")
  private int orders;

  @Option(
      names = "--runs",
      defaultValue = "1",
      paramLabel = "N",
      description =
          "How often to measure each, in turn, for the medians (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    if (orders < 1 || runs < 1) {
      throw new ParameterException(spec.commandLine(), "--orders and --runs must be at least 1");
    }
    PrintWriter out = spec.commandLine().getOut();
    Path directory = Files.createTempDirectory("widebeam-bench");
    List<Double> raw = new ArrayList<>();
    List<Double> flow = new ArrayList<>();
    try (ShopServers servers = ShopServers.start(orders)) {
      int rows = servers.totalRows();
      out.printf(
          Locale.ROOT,
          "%,d orders, %,d rows in six tables, each run in a new process with a heap of %,d MiB%n",
          orders,
          rows,
          MeasuredProcess.HEAP_MEGABYTES);
      for (int run = 0; run < runs; run++) {
        // Each goes first as often as the other: the machine's speed drifts.
        for (boolean isRaw : run % 2 == 0 ? List.of(true, false) : List.of(false, true)) {
          double seconds = isRaw ? rawDrain(servers, directory) : load(servers, directory);
          (isRaw ? raw : flow).add(rows / seconds);
          out.printf(
              Locale.ROOT,
              "%-9s %8.1f s  %,10.0f rows/s%n",
              isRaw ? "raw drain" : "flow",
              seconds,
              rows / seconds);
          out.flush();
        }
      }
    } finally {
      deleteFiles(directory);
    }
    out.printf(
        Locale.ROOT,
        "flow %,.0f rows/s, raw drain %,.0f rows/s, ratio %.2f%s%n",
        median(flow),
        median(raw),
        median(flow) / median(raw),
        runs > 1 ? " (medians of " + runs + ")" : "");
    out.flush();
    return 0;
  }

  private static double rawDrain(ShopServers servers, Path directory) {
    try (ChildProcess process = MeasuredProcess.rawDrain(servers, directory)) {
      String done = process.awaitLine(line -> line.startsWith(RawDrain.DONE), PATIENCE);
      long millis = Long.parseLong(done.substring(RawDrain.DONE.length()));
      return (millis - process.startTime().toEpochMilli()) / 1e3;
    }
  }

  private double load(ShopServers servers, Path directory)
      throws SQLException, InterruptedException {
    servers.documents().drop();
    Instant end;
    Instant start;
    try (ChildProcess process = MeasuredProcess.newFlow(servers, directory, beamArgs)) {
      start = process.startTime();
      awaitDocuments(servers, process, orders, PATIENCE);
      end = Instant.now();
    }
    // The process is gone: what is compared now is what was there at that moment.
    try (Connection source = servers.connect()) {
      ShopVerifier.Report report =
          ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
      if (!report.agrees()) {
        throw new IllegalStateException(
            "the load is not what SQL joins: " + report + " " + report.differences());
      }
    }
    return Duration.between(start, end).toNanos() / 1e9;
  }

  /** Waits until the target has as many documents, with few and cheap questions. */
  static void awaitDocuments(
      ShopServers servers, ChildProcess process, int documents, Duration patience)
      throws InterruptedException {
    long start = System.nanoTime();
    while (servers.documents().estimatedDocumentCount() < documents) {
      if (!process.isAlive()) {
        throw new IllegalStateException(process.failure("ended early"));
      }
      if (System.nanoTime() - start > patience.toNanos()) {
        throw new IllegalStateException(
            process.failure("had not loaded after " + patience.toSeconds() + " s"));
      }
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  static void deleteFiles(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static double median(List<Double> values) {
    List<Double> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
