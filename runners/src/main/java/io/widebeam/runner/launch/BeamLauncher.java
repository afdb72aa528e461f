package io.widebeam.runner.launch;

import io.widebeam.flow.FlowComposer;
import io.widebeam.flow.FlowLauncher;
import io.widebeam.flow.PlannedFlow;
import org.apache.beam.sdk.Pipeline;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs flows as Beam pipelines: on Flink embedded in this JVM unless the options say otherwise
 * ({@code --flinkMaster=host:port} for a cluster, {@code --runner=DirectRunner}, or any runner on
 * the class path).
 */
public final class BeamLauncher implements FlowLauncher {
  private static final Logger LOG = LoggerFactory.getLogger(BeamLauncher.class);

  /**
   * {@inheritDoc}
   *
   * @throws OptionsException if an option is unknown or has a value that it cannot take
   * @throws FlowFailedException if the runner does not start the pipeline
   */
  @Override
  public RunningBeamFlow launch(PlannedFlow flow, String... beamArgs) {
    return launch(flow, BeamOptions.parse(beamArgs));
  }

  /** Starts a flow with options that were read before. */
  public RunningBeamFlow launch(PlannedFlow flow, BeamOptions options) {
    return launch(flow, options, 0);
  }

  /**
   * Starts a flow whose targets are not empty.
   *
   * @param documents how many documents the targets have now
   */
  public RunningBeamFlow launch(PlannedFlow flow, BeamOptions options, long documents) {
    if (options.kind() == BeamOptions.Kind.DIRECT) {
      LOG.warn(
          "the direct runner is for tests and small data; leave --runner out for embedded Flink");
    }
    options.pipelineOptions().setJobName(flow.name());
    WidebeamOptions shown = options.pipelineOptions().as(WidebeamOptions.class);
    shown.setGeneration(flow.generation());
    shown.setDocumentsBefore(documents);
    Pipeline pipeline = Pipeline.create(options.pipelineOptions());
    FlowComposer.compose(pipeline, flow, options.recovery());
    return new RunningBeamFlow(flow, PipelineRun.start(options, pipeline), documents);
  }
}
