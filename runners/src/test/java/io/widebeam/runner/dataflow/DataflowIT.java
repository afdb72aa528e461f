package io.widebeam.runner.dataflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.api.services.dataflow.model.DataflowPackage;
import io.widebeam.flow.FlowComposer;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.runner.launch.BeamOptions;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.runners.dataflow.util.PackageUtil;
import org.apache.beam.runners.dataflow.util.Stager;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory;
import org.apache.beam.sdk.extensions.gcp.storage.NoopPathValidator;
import org.apache.beam.sdk.options.PipelineOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What Dataflow is asked to run. The runner translates the pipeline as it does for a job, and
 * writes what it would send to a file: no network, and no account, are needed for that.
 */
class DataflowIT {
  private static final String PASSWORD = "open-sesame-4711";

  @TempDir private Path directory;

  @Test
  void theOrderViewBecomesAStreamingJobThatShowsNoPassword() throws Exception {
    JsonNode job;
    try (ShopServers servers = ShopServers.start(10)) {
      try (Connection connection = servers.connect();
          Statement statement = connection.createStatement()) {
        statement.execute("SET PASSWORD FOR cdc@'%' = PASSWORD('" + PASSWORD + "')");
      }
      Map<String, String> environment =
          new HashMap<>(ShopFlow.environment(servers.source(), servers.target()));
      environment.put("SHOP_PASSWORD", PASSWORD);
      job =
          translate(
              FlowPlanner.connected()
                  .plan(FlowYaml.parse(ShopFlow.yaml(), "flow", environment::get))
                  .withGeneration(1L << 40));
    }

    assertThat(job.get("type").asText()).isEqualTo("JOB_TYPE_STREAMING");
    Map<String, String> kinds = new TreeMap<>();
    for (JsonNode step : job.get("steps")) {
      kinds.put(
          step.get("properties").get("user_name").get("value").asText(), step.get("kind").asText());
    }
    String view = "MongoDB_ECommerce.orderSingleView";
    assertThat(kinds)
        .containsEntry("Read/MySQL_ECommerce/Explode", "ParallelDo")
        .containsEntry(view + "/Join/Lookup/0", "ParallelDo")
        .containsEntry(view + "/Join/Assemble/1", "ParallelDo")
        .containsEntry(view + "/Write/Write", "ParallelDo")
        .containsEntry(view + "/Write/Sweep", "ParallelDo");
    assertThat(kinds.entrySet())
        .anyMatch(
            step ->
                step.getKey().startsWith("Read/MySQL_ECommerce/Read")
                    && step.getValue().equals("ParallelRead"));
    assertThat(job.toString()).contains("ecommerce").doesNotContain(PASSWORD);
  }

  private JsonNode translate(PlannedFlow flow) throws Exception {
    Path template = directory.resolve("job.json");
    PipelineOptions options =
        BeamOptions.parse(
                "--runner=DataflowRunner",
                "--project=some-project",
                "--region=europe-west1",
                "--gcpTempLocation=gs://some-bucket/temp",
                "--enableStreamingEngine",
                "--templateLocation=" + template,
                "--credentialFactoryClass=" + NoopCredentialFactory.class.getName(),
                "--pathValidatorClass=" + NoopPathValidator.class.getName(),
                "--stagerClass=" + NothingStaged.class.getName())
            .pipelineOptions();
    options.setJobName("orders");
    Pipeline pipeline = Pipeline.create(options);
    FlowComposer.compose(pipeline, flow);
    PipelineResult unused = pipeline.run();
    return new ObjectMapper().readTree(Files.readString(template));
  }

  /** Says where the files would be. */
  public static final class NothingStaged implements Stager {
    public static NothingStaged fromOptions(PipelineOptions options) {
      return new NothingStaged();
    }

    @Override
    public List<DataflowPackage> stageFiles(List<PackageUtil.StagedFile> files) {
      return files.stream().map(file -> location(file.getDestination())).toList();
    }

    @Override
    public DataflowPackage stageToFile(byte[] bytes, String baseName) {
      return location(baseName);
    }

    private static DataflowPackage location(String name) {
      return new DataflowPackage()
          .setName(name)
          .setLocation("gs://some-bucket/temp/staging/" + name);
    }
  }
}
