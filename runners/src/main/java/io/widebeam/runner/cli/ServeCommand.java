package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.serve.Dashboard;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows what a flow has written. */
@Command(
    name = "serve",
    description = {
      "Serves a page that shows what a flow has written, and keeps showing what changes: daily sums"
          + " as a line, and rows, of one group or of all.",
      "Reads the flow's targets only, beside a 'widebeam run' of the flow or after it, until"
          + " Ctrl-C."
    })
final class ServeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private FlowFile file;

  @Option(
      names = "--port",
      defaultValue = "8090",
      paramLabel = "PORT",
      description = "Where to serve (default: ${DEFAULT-VALUE}); 0 for any port that is free.")
  private int port;

  @Option(
      names = "--host",
      defaultValue = "127.0.0.1",
      paramLabel = "ADDRESS",
      description =
          "The address to listen at (default: ${DEFAULT-VALUE}, for this machine alone). There are"
              + " no passwords: whoever reaches another address sees the tables.")
  private String host;

  @Override
  public Integer call() throws InterruptedException {
    StopSignal stop = StopSignal.install();
    Flow flow = FlowYaml.parse(file.path());
    if (flow.targets().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "the flow names no target (to:), and the embedded one of a 'widebeam run' cannot be"
              + " looked into from here");
    }
    try (Dashboard dashboard = Dashboard.start(flow, address(), port)) {
      dashboard.problems().forEach(this::say);
      spec.commandLine().getOut().println(dashboard.url());
      spec.commandLine().getOut().flush();
      if (!address().isLoopbackAddress()) {
        say("whoever reaches this address sees the tables: there are no passwords");
      }
      stop.await(Long.MAX_VALUE);
      return CommandLine.ExitCode.OK;
    } catch (BindException e) {
      throw new ParameterException(
          spec.commandLine(),
          "cannot listen at "
              + host
              + ":"
              + port
              + " ("
              + e.getMessage()
              + "): choose another --port, or --host",
          e);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private InetAddress address() {
    if (port < 0 || port > 65535) {
      throw new ParameterException(
          spec.commandLine(), "--port must be from 0 to 65535, not " + port);
    }
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new ParameterException(
          spec.commandLine(), "--host " + host + " is no address of this machine", e);
    }
  }

  private void say(String message) {
    spec.commandLine().getErr().println("widebeam: " + message);
  }
}
