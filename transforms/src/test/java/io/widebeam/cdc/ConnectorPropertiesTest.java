package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.junit.jupiter.api.Test;

class ConnectorPropertiesTest {
  private static final Map<String, String> MARIADB =
      Map.of(
          "connector.class", "io.debezium.connector.mariadb.MariaDbConnector",
          "topic.prefix", "shop",
          "database.hostname", "127.0.0.1");

  @Test
  void whatIsLeftOutGetsValuesForALivePipeline() {
    assertThat(ConnectorProperties.complete(MARIADB))
        .containsEntry("poll.interval.ms", "2")
        .containsEntry("tombstones.on.delete", "false")
        .containsEntry("skipped.operations", "none")
        .containsEntry("include.schema.changes", "false")
        .containsEntry("decimal.handling.mode", "precise")
        .containsEntry("bigint.unsigned.handling.mode", "precise")
        .containsEntry("heartbeat.interval.ms", "10000")
        .containsEntry("provide.transaction.metadata", "true")
        .containsEntry("snapshot.locking.mode", "minimal")
        .containsEntry("database.ssl.mode", "disable")
        .containsEntry("schema.history.internal", CheckpointedSchemaHistory.class.getName())
        .containsKey("database.server.id")
        .containsEntry("notification.enabled.channels", "sink");
  }

  @Test
  void whatTheUserSetStays() {
    Map<String, String> given = new HashMap<>(MARIADB);
    given.put("poll.interval.ms", "500");
    given.put("database.ssl.mode", "verify-full");
    given.put("database.server.id", "5");
    given.put("heartbeat.interval.ms", "0");
    given.put("skipped.operations", "t");
    given.put("notification.enabled.channels", "log");
    assertThat(ConnectorProperties.complete(given))
        .containsEntry("poll.interval.ms", "500")
        .containsEntry("database.ssl.mode", "verify-full")
        .containsEntry("database.server.id", "5")
        .containsEntry("heartbeat.interval.ms", "0")
        .containsEntry("skipped.operations", "t")
        .containsEntry("notification.enabled.channels", "log,sink");
  }

  @Test
  void aTargetThatFollowsTablesNeedsEveryOperation() {
    assertThat(ConnectorProperties.withEveryChange(ConnectorProperties.complete(MARIADB)))
        .containsEntry("include.schema.changes", "true");
    Map<String, String> given = new HashMap<>(MARIADB);
    given.put("skipped.operations", "t");
    Map<String, String> properties = ConnectorProperties.complete(given);
    assertThatThrownBy(() -> ConnectorProperties.withEveryChange(properties))
        .hasMessageContaining("skipped.operations is t");
  }

  @Test
  void anotherMachineIsReachedAsTheConnectorSees() {
    Map<String, String> given = new HashMap<>(MARIADB);
    given.put("database.hostname", "db.example.org");
    assertThat(ConnectorProperties.complete(given)).doesNotContainKey("database.ssl.mode");
  }

  @Test
  void namesOfDebezium1AreUnderstood() {
    Map<String, String> given = new HashMap<>(MARIADB);
    given.remove("topic.prefix");
    given.put("database.server.name", "old");
    given.put("database.history", "some.Class");
    assertThat(ConnectorProperties.complete(given))
        .containsEntry("topic.prefix", "old")
        .doesNotContainKeys("database.history", "database.server.name");
  }

  @Test
  void everythingMissingIsNamedAtOnce() {
    assertThatThrownBy(() -> ConnectorProperties.complete(Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("connector.class, topic.prefix");
    assertThatThrownBy(
            () ->
                CdcIO.readChanges()
                    .withConnectorConfiguration(ConnectorConfiguration.create())
                    .source())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the host");
    assertThatThrownBy(() -> CdcIO.readChanges().source())
        .hasMessageContaining("withConnectorConfiguration is required");
  }

  @Test
  void messagesCarryNoSecrets() {
    Map<String, String> properties = new HashMap<>(MARIADB);
    properties.put("database.password", "tiger");
    properties.put("database.ssl.keystore.password", "lion");
    Exception failure =
        new RuntimeException(
            "An exception occurred in the change event producer. This connector will be stopped.",
            new RuntimeException(
                "cannot open tiger:lion@db", new java.sql.SQLException("no tiger here")));
    assertThat(ConnectorFailure.toException(failure, properties))
        .hasMessage(
            "Reading the changes of shop (MariaDbConnector at 127.0.0.1:?) failed:"
                + " cannot open ***:***@db: no *** here")
        .hasNoCause();
  }
}
