package io.widebeam.runner.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.flow.FlowComposer.Recovery;
import java.nio.file.Path;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.runners.direct.DirectRunner;
import org.apache.beam.runners.flink.FlinkPipelineOptions;
import org.apache.beam.runners.flink.FlinkRunner;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.junit.jupiter.api.Test;

class BeamOptionsTest {
  @Test
  void embeddedFlinkIsTheDefaultAndSetForSpeed() {
    BeamOptions options = BeamOptions.parse();
    FlinkPipelineOptions flink = options.pipelineOptions().as(FlinkPipelineOptions.class);

    assertThat(options.kind()).isEqualTo(BeamOptions.Kind.FLINK);
    assertThat(flink.getRunner()).isEqualTo(FlinkRunner.class);
    assertThat(flink.getFlinkMaster()).isEqualTo("[local]");
    assertThat(flink.getFasterCopy()).isTrue();
    assertThat(flink.getObjectReuse()).isTrue();
    assertThat(flink.getParallelism()).isEqualTo(1);
    assertThat(flink.getAutoWatermarkInterval()).isEqualTo(10);
    assertThat(flink.getMaxBundleTimeMills()).isEqualTo(10);
    assertThat(flink.getAttachedMode()).isFalse();
  }

  @Test
  void anApplicationClusterHasFlinksSettingsAndCheckpointsThatStay() {
    BeamOptions options = BeamOptions.parse("--flinkMaster=[auto]");
    FlinkPipelineOptions flink = options.pipelineOptions().as(FlinkPipelineOptions.class);

    assertThat(options.kind()).isEqualTo(BeamOptions.Kind.APPLICATION);
    assertThat(options.canKeepState()).isFalse();
    assertThat(options.recovery()).isEqualTo(Recovery.RESTARTS);
    assertThat(flink.getFlinkConfDir()).isNull();
    assertThat(flink.getCheckpointingInterval()).isEqualTo(10_000);
    assertThat(flink.isExternalizedCheckpointsEnabled()).isTrue();
    assertThat(flink.getRetainExternalizedCheckpointsOnCancellation()).isTrue();
  }

  @Test
  void whatTheUserSaysWins() {
    FlinkPipelineOptions flink =
        BeamOptions.parse(
                "--runner=flink",
                "--flinkMaster=cluster:8081",
                "--fasterCopy=false",
                "--objectReuse=false",
                "--parallelism=4",
                "--autoWatermarkInterval=200",
                "--maxBundleTimeMills=1000",
                "--attachedMode",
                "--flinkConfDir=/etc/flink")
            .pipelineOptions()
            .as(FlinkPipelineOptions.class);

    assertThat(flink.getFlinkMaster()).isEqualTo("cluster:8081");
    assertThat(flink.getFasterCopy()).isFalse();
    assertThat(flink.getObjectReuse()).isFalse();
    assertThat(flink.getParallelism()).isEqualTo(4);
    assertThat(flink.getAutoWatermarkInterval()).isEqualTo(200);
    assertThat(flink.getMaxBundleTimeMills()).isEqualTo(1000);
    assertThat(flink.getAttachedMode()).isTrue();
    assertThat(flink.getFlinkConfDir()).isEqualTo("/etc/flink");
  }

  @Test
  void flinksOwnSettingsComeFromAGeneratedDirectory() {
    String directory =
        BeamOptions.parse().pipelineOptions().as(FlinkPipelineOptions.class).getFlinkConfDir();
    Configuration configuration = GlobalConfiguration.loadConfiguration(directory);

    assertThat(Path.of(directory)).isDirectory();
    assertThat(configuration.get(ExecutionOptions.BUFFER_TIMEOUT).toMillis()).isEqualTo(5);
    assertThat(configuration.get(RestartStrategyOptions.RESTART_STRATEGY)).isEqualTo("none");
  }

  @Test
  void theDirectRunnerChecksNothingTwiceAndDoesNotBlock() {
    BeamOptions options = BeamOptions.parse("--runner=DirectRunner");
    DirectOptions direct = options.pipelineOptions().as(DirectOptions.class);

    assertThat(options.kind()).isEqualTo(BeamOptions.Kind.DIRECT);
    assertThat(direct.getRunner()).isEqualTo(DirectRunner.class);
    assertThat(direct.isEnforceImmutability()).isFalse();
    assertThat(direct.isEnforceEncodability()).isFalse();
    assertThat(direct.isBlockOnRun()).isFalse();
  }

  @Test
  void anUnknownOptionIsNamed() {
    assertThatThrownBy(() -> BeamOptions.parse("--paralelism=2"))
        .isInstanceOf(OptionsException.class)
        .hasMessageStartingWith("unknown option --paralelism");
  }

  @Test
  void aValueOfTheWrongTypeIsRefused() {
    assertThatThrownBy(() -> BeamOptions.parse("--parallelism=many"))
        .isInstanceOf(OptionsException.class)
        .hasMessageContaining("many");
  }

  @Test
  void anArgumentThatIsNoOptionIsRefused() {
    assertThatThrownBy(() -> BeamOptions.parse("other.yaml"))
        .isInstanceOf(OptionsException.class)
        .hasMessageContaining("other.yaml");
  }

  @Test
  void anUnknownRunnerIsRefused() {
    assertThatThrownBy(() -> BeamOptions.parse("--runner=FlinkRuner"))
        .isInstanceOf(OptionsException.class)
        .hasMessageContaining("FlinkRuner");
  }
}
