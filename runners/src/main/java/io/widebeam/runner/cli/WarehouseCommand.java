package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.BeamOptions;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.serve.Dashboard;
import io.widebeam.runner.warehouse.PhoneShop;
import io.widebeam.runner.warehouse.Warehouse;
import io.widebeam.runner.warehouse.WarehouseFlow;
import io.widebeam.runner.warehouse.WarehouseServers;
import io.widebeam.runner.warehouse.WarehouseVerifier;
import io.widebeam.runner.warehouse.WarehouseVerifier.Comparison;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam demo warehouse}: copies, dbt models and a dashboard, on embedded servers. */
@Command(
    name = "warehouse",
    description = {
      "Keeps a warehouse of four dbt models up to date, and proves it.",
      "Starts a MariaDB server with a shop and an empty warehouse, copies, joins and sums up the"
          + " shop's tables, sells five phones on one day, and compares every table of the"
          + " warehouse with the same SQL run in the shop. A dashboard shows the sums meanwhile."
          + " Options of Beam and of the runner are passed on."
    })
final class WarehouseCommand implements Callable<Integer> {
  private static final Duration LOAD_PATIENCE = Duration.ofMinutes(5);
  private static final Duration ARRIVAL_PATIENCE = Duration.ofMinutes(2);
  private static final int PURCHASES = 5;

  @Option(
      names = "--target",
      defaultValue = "postgres",
      paramLabel = "postgres|mariadb",
      description = "The warehouse's server (default: ${DEFAULT-VALUE}).")
  private Warehouse.Kind target;

  @Option(
      names = "--port",
      defaultValue = "0",
      paramLabel = "PORT",
      description = "Where to serve the dashboard (default: any port that is free).")
  private int port;

  @Option(
      names = "--keep",
      description = "Leave everything running until Ctrl-C, and say how to connect.")
  private boolean keep;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  private PrintWriter out;
  private WarehouseServers servers;
  private RunningBeamFlow running;

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    out = spec.commandLine().getOut();
    StopSignal stop = StopSignal.install();
    BeamOptions options = BeamOptions.parse(beamArgs.toArray(String[]::new));
    long start = System.nanoTime();
    Path directory = Files.createTempDirectory("widebeam-warehouse");
    try (WarehouseServers started = WarehouseServers.start(target)) {
      servers = started;
      say(
          "A shop in MariaDB at %s:%d (%d payments were entered twice: the key let each in once);"
              + " an empty warehouse at %s  (%.1f s)",
          servers.shop().host(),
          servers.shop().port(),
          servers.refusedInserts(),
          servers.warehouse().url(),
          seconds(start));
      Path file = WarehouseFlow.unpack(directory);
      say("The flow: %s, with the models beside it", file);
      Flow flow = WarehouseFlow.between(servers, file);
      try (Dashboard dashboard = Dashboard.start(flow, InetAddress.getLoopbackAddress(), port);
          RunningBeamFlow launched =
              new BeamLauncher().launch(FlowPlanner.connected().plan(flow), options)) {
        running = launched;
        say(
            "The dashboard:"
                + " %s?table=ap.dwd_shops&date=ds&number=sum_fee&group=order_shop_id&value=%d",
            dashboard.url(), PhoneShop.SHOP);
        try {
          boolean equal = play(start);
          if (keep) {
            sayHowToConnect(file);
            stop.await(Long.MAX_VALUE);
          }
          return equal ? CommandLine.ExitCode.OK : Widebeam.FAILED;
        } finally {
          running.stop();
        }
      }
    } finally {
      delete(directory);
    }
  }

  private boolean play(long start) throws SQLException, InterruptedException {
    awaitEqual(LOAD_PATIENCE);
    say("Loaded, after %.1f s.", seconds(start));
    LocalDate day;
    say("");
    try (PhoneShop.Customer customer = PhoneShop.Customer.in(servers.shop())) {
      day = customer.day();
      for (int i = 1; i <= PURCHASES; i++) {
        customer.buy();
        long bought = System.nanoTime();
        BigDecimal expected = PhoneShop.fee().multiply(BigDecimal.valueOf(i));
        awaitSum(day, expected);
        say(
            "  purchase %d of %,.2f: the day's sum is %,.2f after %.1f s",
            i, PhoneShop.fee(), expected, seconds(bought));
      }
    }
    say("");
    List<Comparison> comparisons = awaitEqual(ARRIVAL_PATIENCE);
    say("Each table, and the same SQL run in the shop:");
    comparisons.forEach(comparison -> say("  %s", comparison));
    say("");
    say("Shop %d on %s: %,.2f", PhoneShop.SHOP, day, sum(day).orElse(BigDecimal.ZERO));
    boolean equal = comparisons.stream().allMatch(Comparison::isEqual);
    say(equal ? "All equal, after %.1f s." : "NOT all equal, after %.1f s.", seconds(start));
    return equal;
  }

  /** The comparison when all are equal, or what it is when patience has run out. */
  private List<Comparison> awaitEqual(Duration patience) throws SQLException, InterruptedException {
    long start = System.nanoTime();
    while (true) {
      List<Comparison> comparisons = WarehouseVerifier.compare(servers);
      if (comparisons.stream().allMatch(Comparison::isEqual)
          || seconds(start) > patience.toSeconds()) {
        return comparisons;
      }
      pause();
    }
  }

  private void awaitSum(LocalDate day, BigDecimal expected)
      throws SQLException, InterruptedException {
    long start = System.nanoTime();
    while (sum(day).filter(sum -> sum.compareTo(expected) == 0).isEmpty()) {
      if (seconds(start) > ARRIVAL_PATIENCE.toSeconds()) {
        throw new IllegalStateException(
            "the sum of shop %d on %s did not become %s within %d s, but is %s"
                .formatted(PhoneShop.SHOP, day, expected, ARRIVAL_PATIENCE.toSeconds(), sum(day)));
      }
      pause();
    }
  }

  private Optional<BigDecimal> sum(LocalDate day) throws SQLException {
    return WarehouseVerifier.sum(servers.warehouse(), PhoneShop.SHOP, day);
  }

  /** Ends the demo if the flow has ended. */
  private void pause() throws InterruptedException {
    switch (running.status().state()) {
      case STARTING, RUNNING -> TimeUnit.MILLISECONDS.sleep(20);
      case STOPPED, ERROR -> {
        running.awaitEnd();
        Optional<FlowFailedException> failure = running.failure();
        if (failure.isPresent()) {
          throw failure.get();
        }
        throw new IllegalStateException("the flow ended by itself");
      }
    }
  }

  private void sayHowToConnect(Path file) {
    say("");
    say("Left running until Ctrl-C. Change rows here, and see the sums there:");
    say("  %s", String.join(" ", servers.shop().clientCommand(PhoneShop.DATABASE)));
    say(
        "  %s  (user %s, password %s)",
        servers.warehouse().url(), servers.warehouse().user(), servers.warehouse().password());
    say("  %s", file);
  }

  private static void delete(Path directory) {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("could not delete " + directory, e);
    }
  }

  private void say(String format, Object... arguments) {
    out.printf(Locale.ROOT, format + "%n", arguments);
    out.flush();
  }

  private static double seconds(long sinceNanoTime) {
    return (System.nanoTime() - sinceNanoTime) / 1e9;
  }
}
