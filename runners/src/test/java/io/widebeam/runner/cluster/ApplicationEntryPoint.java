package io.widebeam.runner.cluster;

import java.io.File;
import java.util.Arrays;
import org.apache.flink.client.deployment.application.ApplicationClusterEntryPoint;
import org.apache.flink.client.program.DefaultPackagedProgramRetriever;
import org.apache.flink.client.program.PackagedProgram;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.entrypoint.ClusterEntrypoint;
import org.apache.flink.runtime.resourcemanager.StandaloneResourceManagerFactory;

/**
 * The job manager of an application cluster. Does what Flink's entry points for YARN, Kubernetes
 * and standalone application clusters do, which are in no Maven artifact.
 */
final class ApplicationEntryPoint extends ApplicationClusterEntryPoint {
  /** By its name: it is not on the class path of Flink's processes. */
  private static final String PROGRAM = "io.widebeam.runner.Main";

  private ApplicationEntryPoint(Configuration configuration, PackagedProgram program) {
    super(configuration, program, StandaloneResourceManagerFactory.getInstance());
  }

  /**
   * Starts it.
   *
   * @param arguments the directory of the configuration, that of the program's jars, and what the
   *     program takes
   */
  public static void main(String[] arguments) throws Exception {
    Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
    PackagedProgram program =
        DefaultPackagedProgramRetriever.create(
                new File(arguments[1]),
                PROGRAM,
                Arrays.copyOfRange(arguments, 2, arguments.length),
                configuration)
            .getPackagedProgram();
    configureExecution(configuration, program);
    ClusterEntrypoint.runClusterEntrypoint(new ApplicationEntryPoint(configuration, program));
  }
}
