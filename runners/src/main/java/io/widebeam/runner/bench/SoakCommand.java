package io.widebeam.runner.bench;

import io.widebeam.runner.bench.SoakTrial.Sample;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam bench soak}: a steady load for long, and what grows under it. */
@Command(
    name = "soak",
    description = {
      "Keeps the shop busy at a steady rate, and measures what the order view's process takes up:"
          + " heap after a collection, checkpoints, threads and connections.",
      "Exit status: 1 if something has grown between the second fifth and the end, or a document is"
          + " not what SQL joins."
    })
final class SoakCommand implements Callable<Integer> {
  @Option(
      names = "--minutes",
      defaultValue = "30",
      paramLabel = "N",
      description = "How long (default: ${DEFAULT-VALUE}).")
  private int minutes;

  @Option(
      names = "--rate",
      defaultValue = "500",
      paramLabel = "N",
      description = "Changes per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--orders",
      defaultValue = "20000",
      paramLabel = "N",
      description = "Size of the shop (default: ${DEFAULT-VALUE}).")
  private int orders;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws SQLException, IOException, InterruptedException {
    if (minutes < 1 || rate < 1 || orders < 10) {
      throw new ParameterException(
          spec.commandLine(), "--minutes, --rate and --orders must be numbers that make sense");
    }
    PrintWriter out = spec.commandLine().getOut();
    Path directory = Files.createTempDirectory("widebeam-soak");
    out.println(Sample.HEADER);
    out.flush();
    SoakTrial.Report report =
        SoakTrial.run(
            new SoakTrial.Settings(Duration.ofMinutes(minutes), rate, orders, beamArgs),
            directory,
            sample -> {
              out.println(sample);
              out.flush();
            });
    out.println(report);
    report.faults().forEach(fault -> out.println("  " + fault));
    out.flush();
    LoadCommand.deleteFiles(directory);
    return report.faults().isEmpty() ? 0 : 1;
  }
}
