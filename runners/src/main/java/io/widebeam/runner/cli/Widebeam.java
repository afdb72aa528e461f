package io.widebeam.runner.cli;

import io.widebeam.flow.FlowException;
import io.widebeam.runner.bench.BenchCommand;
import io.widebeam.runner.launch.Failures;
import io.widebeam.runner.launch.OptionsException;
import io.widebeam.runner.state.StateException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line. Results go to standard output, messages for people to standard error, and the
 * exit status tells whose turn it is: 0 nobody's, 1 the job failed, 2 the call or the flow file is
 * wrong.
 */
@Command(
    name = "widebeam",
    description = "Keeps wide tables up to date from change data capture.",
    scope = ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    version = "widebeam 0.1.0",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      StatusCommand.class,
      StopCommand.class,
      ForgetCommand.class,
      ValidateCommand.class,
      PlanCommand.class,
      ServeCommand.class,
      GrafanaCommand.class,
      SimulateCommand.class,
      BenchCommand.class,
      WarmUpCommand.class,
    })
public final class Widebeam implements Runnable {
  static final int FAILED = CommandLine.ExitCode.SOFTWARE;
  static final int USAGE = CommandLine.ExitCode.USAGE;

  private static final Path LOGS = Path.of(".widebeam", "log");

  @Spec private CommandSpec spec;

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Show the log, and where failures come from.")
  private boolean verbose;

  private Widebeam() {}

  /** The command line, ready to execute arguments. */
  public static CommandLine commandLine() {
    Widebeam widebeam = new Widebeam();
    return new CommandLine(widebeam)
        .setExecutionStrategy(widebeam::execute)
        .setParameterExceptionHandler(Widebeam::usageMistake)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(widebeam::failure);
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "say what to do: " + String.join(", ", visibleCommands()));
  }

  private List<String> visibleCommands() {
    return spec.subcommands().entrySet().stream()
        .filter(entry -> !entry.getValue().getCommandSpec().usageMessage().hidden())
        .map(Map.Entry::getKey)
        .toList();
  }

  private int execute(ParseResult parsed) {
    ParseResult command = parsed.hasSubcommand() ? parsed.subcommand() : parsed;
    Logging.configure(verbose, LOGS.resolve(command.commandSpec().name() + ".log"));
    return new CommandLine.RunLast().execute(parsed);
  }

  private static int usageMistake(ParameterException mistake, String[] arguments) {
    CommandLine command = mistake.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("widebeam: " + mistake.getMessage());
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return USAGE;
  }

  private int failure(Exception failure, CommandLine command, ParseResult parsed) {
    Logger log = LoggerFactory.getLogger(Widebeam.class);
    PrintWriter err = command.getErr();
    if (failure instanceof FlowException
        || failure instanceof OptionsException
        || failure instanceof StateException) {
      log.debug("mistake", failure);
      err.println("widebeam: " + failure.getMessage());
      return USAGE;
    }
    // The file, or with --verbose the terminal, gets the stack trace; people get the reason.
    log.info("failure", failure);
    err.println("widebeam: " + Failures.describe(failure));
    if (!verbose) {
      err.println("The log is in " + LOGS + "; --verbose shows it.");
    }
    return FAILED;
  }
}
