package io.widebeam.runner.cli;

import io.widebeam.runner.launch.FlinkCluster;
import java.nio.file.Path;
import java.util.Optional;
import javax.annotation.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** What commands do about a flow that a Flink cluster runs. */
final class OnCluster {
  @Option(
      names = "--flinkMaster",
      paramLabel = "HOST:PORT",
      description = "The Flink cluster that runs the flow, if one does, by its REST address.")
  @Nullable
  private String master;

  @Option(
      names = "--flinkConfDir",
      paramLabel = "DIRECTORY",
      description = "Flink's configuration, for a cluster whose REST interface is encrypted.")
  @Nullable
  private Path configurationDirectory;

  /** Whether the command is about a cluster, and not about this machine. */
  boolean isMeant() {
    return master != null;
  }

  /** Says how the flow is doing; the exit status is 0 if it runs or was stopped. */
  int status(String flow, CommandLine command) throws InterruptedException {
    try (FlinkCluster cluster = FlinkCluster.at(master, configurationDirectory)) {
      Optional<FlinkCluster.Job> found = cluster.find(flow);
      if (found.isEmpty()) {
        command.getOut().println("the cluster does not know it: it has not run yet, or long ago");
        return CommandLine.ExitCode.OK;
      }
      FlinkCluster.Job job = found.get();
      command.getOut().println(cluster.status(job));
      command
          .getOut()
          .println(
              job.status()
                  + " as job "
                  + job.id()
                  + cluster.generation(job).map(g -> ", generation " + g).orElse(""));
      return job.failed() ? Widebeam.FAILED : CommandLine.ExitCode.OK;
    }
  }

  /**
   * Stops the flow with a savepoint, and prints what {@code run} needs to go on from there.
   *
   * @param savepointDirectory null to leave the choice to the job and the cluster
   */
  int stop(String flow, @Nullable String savepointDirectory, CommandLine command) {
    try (FlinkCluster cluster = FlinkCluster.at(master, configurationDirectory)) {
      Optional<FlinkCluster.Job> found = cluster.find(flow).filter(FlinkCluster.Job::isAlive);
      if (found.isEmpty()) {
        command.getErr().println("widebeam: it is not running");
        return CommandLine.ExitCode.OK;
      }
      FlinkCluster.Job job = found.get();
      String generation = cluster.generation(job).map(g -> " --generation=" + g).orElse("");
      String savepoint = cluster.stop(job, savepointDirectory);
      command
          .getErr()
          .println("widebeam: stopped; without --state-dir, 'run' goes on from there by");
      command.getOut().println("--savepointPath=" + savepoint + generation);
      return CommandLine.ExitCode.OK;
    }
  }
}
