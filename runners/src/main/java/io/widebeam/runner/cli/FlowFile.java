package io.widebeam.runner.cli;

import java.nio.file.Path;
import picocli.CommandLine.Parameters;

/** The one argument that commands about a flow take. */
final class FlowFile {
  @Parameters(index = "0", paramLabel = "FLOW.yaml", description = "The flow file.")
  private Path path;

  Path path() {
    return path;
  }
}
