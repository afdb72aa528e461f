package io.widebeam.cdc;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * The connector's properties: the user's own, and what a live pipeline wants where the user said
 * nothing.
 */
final class ConnectorProperties {
  static final String CONNECTOR_CLASS = "connector.class";
  static final String TOPIC_PREFIX = "topic.prefix";
  static final String NAME = "name";
  static final String MAX_RETRIES = "errors.max.retries";

  /** The topic on which the connector tells of the snapshot's beginning and end. */
  static final String NOTIFICATION_TOPIC = "__widebeam-notification";

  private static final Pattern SECRET =
      Pattern.compile("password|passphrase|secret|token|credential", Pattern.CASE_INSENSITIVE);
  private static final int SHORTEST_REDACTED = 3;

  private ConnectorProperties() {}

  /**
   * The properties as {@link CdcIO} uses them.
   *
   * @throws IllegalArgumentException naming everything that is missing
   */
  static Map<String, String> complete(Map<String, String> given) {
    Map<String, String> properties = new HashMap<>(given);
    // Names of Debezium 1, which DebeziumIO was written for.
    properties.remove("database.history");
    String oldName = properties.remove("database.server.name");
    if (oldName != null) {
      properties.putIfAbsent(TOPIC_PREFIX, oldName);
    }
    List<String> missing = new ArrayList<>();
    for (String name : List.of(CONNECTOR_CLASS, TOPIC_PREFIX)) {
      if (properties.getOrDefault(name, "").isBlank()) {
        missing.add(name);
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "CdcIO: the connector configuration lacks "
              + String.join(", ", missing)
              + ". Set it with withConnectionProperty.");
    }
    defaults(properties).forEach(properties::putIfAbsent);

    properties.put("schema.history.internal", CheckpointedSchemaHistory.class.getName());
    String channels = properties.getOrDefault("notification.enabled.channels", "").strip();
    properties.put(
        "notification.enabled.channels", channels.isEmpty() ? "sink" : channels + ",sink");
    properties.put("notification.sink.topic.name", NOTIFICATION_TOPIC);
    return properties;
  }

  private static Map<String, String> defaults(Map<String, String> given) {
    Map<String, String> defaults = new LinkedHashMap<>();
    defaults.put(NAME, given.get(TOPIC_PREFIX));

    // How long the connector's queue waits for a fuller batch: latency, when there is little to do.
    defaults.put("poll.interval.ms", "2");
    defaults.put("max.batch.size", "2048");
    defaults.put("max.queue.size", "8192");
    // A stopped connector should not wait long for its own thread, which may wait for our queue.
    defaults.put("executor.shutdown.timeout.ms", "1500");

    // Every change, and nothing but changes.
    defaults.put("tombstones.on.delete", "false");
    defaults.put("skipped.operations", "none");
    defaults.put("include.schema.changes", "false");
    defaults.put("schema.history.internal.store.only.captured.tables.ddl", "true");

    // Exact values.
    defaults.put("decimal.handling.mode", "precise");
    defaults.put("bigint.unsigned.handling.mode", "precise");
    defaults.put("time.precision.mode", "adaptive_time_microseconds");
    defaults.put("binary.handling.mode", "bytes");
    defaults.put("column.propagate.source.type", ".*");

    // An idle database's log must not be thrown away unread; transactions' ends drive the
    // watermark.
    defaults.put("heartbeat.interval.ms", "10000");
    defaults.put("provide.transaction.metadata", "true");
    defaults.put(MAX_RETRIES, "30");

    String connector = given.get(CONNECTOR_CLASS).toLowerCase(Locale.ROOT);
    boolean mariaDb = connector.contains("mariadb");
    if (mariaDb || connector.contains("mysql")) {
      defaults.put("snapshot.locking.mode", "minimal");
      // Every reader of a binlog must have a number of its own.
      defaults.put(
          "database.server.id",
          Integer.toString(ThreadLocalRandom.current().nextInt(1_000_000, Integer.MAX_VALUE)));
      if (isLoopback(given.getOrDefault("database.hostname", ""))) {
        // Encrypting what never leaves the machine costs a good part of the reading.
        defaults.put("database.ssl.mode", mariaDb ? "disable" : "disabled");
      }
    }
    return defaults;
  }

  private static boolean isLoopback(String host) {
    return host.equalsIgnoreCase("localhost")
        || host.startsWith("127.")
        || host.equals("::1")
        || host.equals("[::1]");
  }

  /** Where the connector reads, for messages. */
  static String describe(Map<String, String> properties) {
    String connector = properties.get(CONNECTOR_CLASS);
    return properties.get(TOPIC_PREFIX)
        + " ("
        + connector.substring(connector.lastIndexOf('.') + 1)
        + " at "
        + properties.getOrDefault("database.hostname", "?")
        + ":"
        + properties.getOrDefault("database.port", "?")
        + ")";
  }

  /** The text without any of the properties' secrets. */
  static String redact(String text, Map<String, String> properties) {
    String redacted = text;
    for (Map.Entry<String, String> property : properties.entrySet()) {
      String value = property.getValue();
      if (SECRET.matcher(property.getKey()).find()
          && value != null
          && value.length() >= SHORTEST_REDACTED) {
        redacted = redacted.replace(value, "***");
      }
    }
    return redacted;
  }
}
