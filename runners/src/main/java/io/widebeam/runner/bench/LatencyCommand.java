package io.widebeam.runner.bench;

import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopServers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam bench latency}: from a commit in the source to a read at the target. */
@Command(
    name = "latency",
    description = {
      "Measures the time from a payment's commit in the source to the moment that a client reads"
          + " its order at the target as it is then, at a steady rate of single updates."
    })
final class LatencyCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  @Option(
      names = "--rate",
      defaultValue = "500",
      paramLabel = "N",
      description = "Updates per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--seconds",
      defaultValue = "30",
      paramLabel = "N",
      description = "How long to measure (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--warm-up",
      defaultValue = "15",
      paramLabel = "N",
      description =
          "Seconds at the same rate before that, not counted (default: ${DEFAULT-VALUE}).")
  private int warmUpSeconds;

  @Option(
      names = "--orders",
      defaultValue = "5000",
      paramLabel = "N",
      description = "Size of the shop (default: ${DEFAULT-VALUE}).")
  private int orders;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    if (orders < 1 || rate < 1 || seconds < 1 || warmUpSeconds < 0) {
      throw new ParameterException(
          spec.commandLine(), "--orders, --rate and --seconds must be at least 1");
    }
    PrintWriter out = spec.commandLine().getOut();
    Path directory = Files.createTempDirectory("widebeam-bench");
    try (ShopServers servers = ShopServers.start(orders);
        ChildProcess process = MeasuredProcess.newFlow(servers, directory, beamArgs)) {
      LoadCommand.awaitDocuments(servers, process, orders, PATIENCE);
      out.printf(
          Locale.ROOT,
          "%,d orders loaded; %,d payments a second for %d s, after %d s to warm up%n",
          orders,
          rate,
          seconds,
          warmUpSeconds);
      out.flush();
      PaymentProbe probe = new PaymentProbe(servers, process, rate);
      if (warmUpSeconds > 0) {
        probe.measure(Duration.ofSeconds(warmUpSeconds));
      }
      Histogram micros = probe.measure(Duration.ofSeconds(seconds));
      out.printf(
          Locale.ROOT,
          "commit to visible: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms"
              + " (%,d updates, %,.0f a second)%n",
          micros.getValueAtPercentile(50) / 1e3,
          micros.getValueAtPercentile(95) / 1e3,
          micros.getValueAtPercentile(99) / 1e3,
          micros.getMaxValue() / 1e3,
          micros.getTotalCount(),
          probe.achievedRate());
      out.flush();
    } finally {
      LoadCommand.deleteFiles(directory);
    }
    return 0;
  }
}
