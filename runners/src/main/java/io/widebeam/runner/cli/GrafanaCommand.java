package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.serve.GrafanaFiles;
import io.widebeam.runner.serve.GrafanaFiles.NothingToShowException;
import io.widebeam.runner.serve.UnavailableException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes what a Grafana needs to show what a flow has written. */
@Command(
    name = "grafana",
    description = {
      "Writes a Grafana data source and a dashboard for the tables that a flow has written, to be"
          + " provisioned: a line for each table that has days and numbers.",
      "Looks at the tables, so run the flow first. Passwords are not written: Grafana reads them"
          + " from environment variables, whose names are printed."
    })
final class GrafanaCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIRECTORY",
      description = "Where to write the files; those of an earlier call are replaced.")
  private Path directory;

  @Option(
      names = "--only",
      paramLabel = "COLUMN=VALUE",
      description =
          "A line of its own for the rows with this value, as in --only order_shop_id=35, in"
              + " addition to that of all rows. May be given for several columns.")
  private Map<String, String> only = Map.of();

  @Override
  public Integer call() throws IOException {
    Flow flow = FlowYaml.parse(file.path());
    try {
      GrafanaFiles.Written written = GrafanaFiles.write(flow, only, directory);
      written.files().forEach(path -> spec.commandLine().getOut().println(path));
      spec.commandLine().getOut().flush();
      written.notes().forEach(this::say);
      say("Grafana needs the environment variables " + String.join(", ", written.variables()));
      return CommandLine.ExitCode.OK;
    } catch (NothingToShowException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    } catch (UnavailableException e) {
      throw new ParameterException(
          spec.commandLine(),
          e.getMessage() + ": the tables are looked at, to know their columns",
          e);
    }
  }

  private void say(String message) {
    spec.commandLine().getErr().println("widebeam: " + message);
  }
}
