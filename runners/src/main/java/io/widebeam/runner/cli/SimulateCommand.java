package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowSimulation;
import io.widebeam.flow.FlowYaml;
import io.widebeam.simulation.Simulator;
import io.widebeam.simulation.Simulator.Outcome;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows that a flow's documents and groups equal what SQL gives, without any database. */
@Command(
    name = "simulate",
    description = {
      "Runs a flow's joins, rollups and models over generated rows, with no database, and compares"
          + " with the join and the grouping.",
      "Every seed is another history: inserts, updates, deletes, keys that change, messages that"
          + " overtake one another or come twice, crashes. A failure is made as small as it gets."
    })
final class SimulateCommand implements Callable<Integer> {
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "200",
      description = "How many histories to try (${DEFAULT-VALUE}).")
  private int seeds;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Try this one only, as printed by a failure.")
  private Long seed;

  @Override
  public Integer call() {
    if (seeds < 1) {
      throw new ParameterException(spec.commandLine(), "--seeds must be at least 1");
    }
    Flow flow =
        FlowYaml.parse(
            file.path(), name -> Optional.ofNullable(System.getenv(name)).orElse(notNeeded(name)));
    Simulator simulator = FlowSimulation.of(flow);
    boolean groups = !flow.rollups().isEmpty() || !flow.models().isEmpty();
    long first = seed == null ? 1 : seed;
    long last = seed == null ? seeds : seed;
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter out = spec.commandLine().getOut();
    long operations = 0;
    long crashes = 0;
    long shownNanos = System.nanoTime();
    for (long current = first; current <= last; current++) {
      Outcome outcome = simulator.run(current);
      operations += outcome.operations();
      crashes += outcome.crashes();
      if (outcome.failure().isPresent()) {
        err.println("seed " + current + " failed; looking for the smallest case ...");
        err.flush();
        out.println(simulator.smallestCase(outcome));
        out.println("again with: widebeam simulate " + file.path() + " --seed " + current);
        out.flush();
        return Widebeam.FAILED;
      }
      if (System.nanoTime() - shownNanos >= INTERVAL_NANOS) {
        shownNanos = System.nanoTime();
        err.println("seed " + current + " of " + last);
        err.flush();
      }
    }
    out.println(
        String.format(
            Locale.ROOT,
            "%,d %s, %,d operations, %,d crashes: every document equals the join%s",
            last - first + 1,
            first == last ? "seed" : "seeds",
            operations,
            crashes,
            groups ? ", every group the grouping" : ""));
    out.flush();
    return 0;
  }

  /** Nothing is connected to: whatever has the form will do for a variable that is not set. */
  private String notNeeded(String variable) {
    Matcher key =
        Pattern.compile(
                "(\\w+)\\s*:\\s*[\"']?\\$\\{" + Pattern.quote(variable) + "}[\"']?\\s*(?:[,}]|$)",
                Pattern.MULTILINE)
            .matcher(text());
    return switch (key.find() ? key.group(1) : "") {
      case "port" -> "1";
      case "uri" -> "mongodb://not-needed";
      case "url" -> "jdbc:postgresql://not-needed/none";
      case "webhook" -> "https://not-needed";
      default -> "not-needed";
    };
  }

  private String text() {
    try {
      return Files.readString(file.path());
    } catch (IOException e) {
      return ""; // Which the parser says better.
    }
  }
}
