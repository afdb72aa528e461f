package io.widebeam.runner.cli;

import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.state.StateDirectory;
import java.nio.file.Path;
import javax.annotation.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which flow's state a command is about. */
final class StateOfFlow {
  @Mixin private FlowFile file;

  @Option(
      names = "--state-dir",
      paramLabel = "DIRECTORY",
      description = "Where the flow keeps its state (default: .widebeam/NAME).")
  @Nullable
  private Path directory;

  Path file() {
    return file.path();
  }

  String name() {
    return FlowYaml.nameIn(file.path());
  }

  Path directory() {
    return directory == null ? StateDirectory.ofFlow(name()) : directory;
  }
}
