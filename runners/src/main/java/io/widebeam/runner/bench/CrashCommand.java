package io.widebeam.runner.bench;

import io.widebeam.runner.shop.ShopSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.annotation.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam bench crash}: kills the flow again and again, and compares with SQL. */
@Command(
    name = "crash",
    description = {
      "Kills the order view's process at random moments while the shop is busy, starts it again,"
          + " and in the end compares every document with SQL."
    })
final class CrashCommand implements Callable<Integer> {
  private static final int ORDERS = 5_000;
  private static final int ORDERS_PER_KILL = 4_000;

  @Option(
      names = "--source",
      defaultValue = "mariadb",
      paramLabel = "mariadb|postgresql",
      description = "Where the shop is (default: ${DEFAULT-VALUE}).")
  private ShopSource.Kind source;

  @Option(
      names = "--kills",
      defaultValue = "20",
      paramLabel = "N",
      description = "How often (default: ${DEFAULT-VALUE}).")
  private int kills;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "What to repeat; the moments are as random as the machine is.")
  private long seed = System.nanoTime() % 1_000_000;

  @Option(
      names = "--orders",
      paramLabel = "N",
      description =
          "Size of the shop (default: 5000; with --while-loading 4000 for each kill if that is more,"
              + " so that the load outlasts them).")
  @Nullable
  private Integer chosenOrders;

  @Option(
      names = "--rate",
      defaultValue = "200",
      paramLabel = "N",
      description = "Transactions per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--while-loading",
      description =
          "Kill it in nothing but the initial load, each time after a checkpoint, and fail if a"
              + " resume gives out more rows again than a chunk for each reader.")
  private boolean whileLoading;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  private int orders() {
    if (chosenOrders != null) {
      return chosenOrders;
    }
    return whileLoading ? Math.max(ORDERS, kills * ORDERS_PER_KILL) : ORDERS;
  }

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    int orders = orders();
    if (kills < 0 || orders < 10 || rate < 1) {
      throw new ParameterException(
          spec.commandLine(), "--kills, --orders and --rate must be numbers that make sense");
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Path directory = Files.createTempDirectory("widebeam-crash");
    out.println("seed " + seed + ", " + orders + " orders, files in " + directory);
    if (whileLoading) {
      out.println(
          "checkpoints as often as they can be, for what comes after the last one is lost with it: "
              + String.join(" ", CrashTrial.ALL_THE_TIME));
    }
    out.flush();
    CrashTrial.Report report =
        CrashTrial.run(
            new CrashTrial.Settings(source, kills, seed, orders, rate, whileLoading, beamArgs),
            directory,
            line -> {
              err.println(line);
              err.flush();
            });
    out.println(report);
    report.faults().forEach(fault -> out.println("  " + fault));
    out.flush();
    if (!report.faults().isEmpty()) {
      out.println("The files are left in " + directory);
      return 1;
    }
    LoadCommand.deleteFiles(directory);
    return 0;
  }
}
