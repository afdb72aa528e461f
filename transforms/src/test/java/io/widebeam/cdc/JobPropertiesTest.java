package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.debezium.connector.mariadb.MariaDbConnector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.runners.direct.DirectRunner;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.PipelineRunner;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.jupiter.api.Test;

class JobPropertiesTest {
  private static final String PASSWORD = "open-sesame-4711";

  private final String name = "orders." + UUID.randomUUID();

  @Test
  void whatGoesIntoStateHasNoValues() throws IOException {
    JobProperties state = properties(PASSWORD).withoutValues();

    assertThat(text(state)).contains(name).doesNotContain(PASSWORD).doesNotContain("db.example");
    assertThat(copy(state).values()).containsEntry("database.password", PASSWORD);
  }

  @Test
  void aResumedJobHasItsOwnValuesNotThoseOfTheJobBefore() {
    JobProperties stateOfAnotherJvm = new JobProperties(name, "another job", null);
    JobProperties before = properties("old");

    JobProperties now = properties("rotated");

    assertThat(copy(before.withoutValues()).values()).containsEntry("database.password", "old");
    assertThat(copy(now.withoutValues()).values()).containsEntry("database.password", "rotated");
    assertThat(stateOfAnotherJvm.values()).containsEntry("database.password", "rotated");
  }

  @Test
  void aConnectorThatNoJobHereKnowsIsNamed() {
    assertThatThrownBy(new JobProperties("no.such.connector", "another job", null)::values)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no.such.connector");
  }

  @Test
  void aSplitForFlinkGoesIntoStateAndHasNoPassword() throws IOException {
    CdcSource<?> source = source();
    PipelineOptions options = PipelineOptionsFactory.create();

    options.setRunner(FlinkRunner.class);
    assertThat(text(source.split(4, options).get(0))).doesNotContain(PASSWORD);
    // The state of these is nowhere to be read, and their workers may know nothing but the split.
    options.setRunner(DirectRunner.class);
    assertThat(text(source.split(4, options).get(0))).contains(PASSWORD);
  }

  private CdcSource<?> source() {
    return CdcIO.readChanges()
        .withConnectorConfiguration(
            ConnectorConfiguration.create()
                .withConnectorClass(MariaDbConnector.class)
                .withHostName("db.example")
                .withPort("3306")
                .withUsername("cdc")
                .withPassword(PASSWORD)
                .withConnectionProperty("topic.prefix", name))
        .source();
  }

  /** Has the name by which the source knows the runner; what it runs does not matter. */
  private static final class FlinkRunner extends PipelineRunner<PipelineResult> {
    @Override
    public PipelineResult run(Pipeline pipeline) {
      throw new UnsupportedOperationException();
    }
  }

  private JobProperties properties(String password) {
    return JobProperties.of(
        Map.of("name", name, "database.hostname", "db.example", "database.password", password));
  }

  /** Serialized without Beam's compression, which could hide what the bytes contain. */
  private static String text(Serializable value) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(value);
    }
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }

  private static JobProperties copy(JobProperties properties) {
    return SerializableUtils.ensureSerializable(properties);
  }
}
