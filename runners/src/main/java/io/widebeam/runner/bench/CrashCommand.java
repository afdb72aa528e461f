package io.widebeam.runner.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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
      defaultValue = "5000",
      paramLabel = "N",
      description = "Size of the shop (default: ${DEFAULT-VALUE}).")
  private int orders;

  @Option(
      names = "--rate",
      defaultValue = "200",
      paramLabel = "N",
      description = "Transactions per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(names = "--while-loading", description = "Kill it in nothing but the initial load.")
  private boolean whileLoading;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    if (kills < 0 || orders < 10 || rate < 1) {
      throw new ParameterException(
          spec.commandLine(), "--kills, --orders and --rate must be numbers that make sense");
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Path directory = Files.createTempDirectory("widebeam-crash");
    out.println("seed " + seed + ", files in " + directory);
    out.flush();
    CrashTrial.Report report =
        CrashTrial.run(
            new CrashTrial.Settings(kills, seed, orders, rate, whileLoading, beamArgs),
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
