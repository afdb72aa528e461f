package io.widebeam.cdc;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
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

  /** How often a binlog's server at least says that it is there, in milliseconds. */
  static final String SIGN_OF_LIFE = "connect.keep.alive.interval.ms";

  /** How often a connector says how far it has read, in milliseconds. */
  static final String HEARTBEAT = "heartbeat.interval.ms";

  /** The topic on which the connector tells of the snapshot's beginning and end. */
  static final String NOTIFICATION_TOPIC = "__widebeam-notification";

  /** Our own settings, which no connector is given. */
  private static final String OWN_PREFIX = "widebeam.load.";

  private static final String LOAD_THREADS = OWN_PREFIX + "threads";
  private static final String CHUNK_ROWS = OWN_PREFIX + "chunk.rows";
  private static final String VIEW = OWN_PREFIX + "view.";
  private static final String RELEASE_BY_CHECKPOINT = OWN_PREFIX + "release.by.checkpoint";
  private static final String DEFAULT_CHUNK_ROWS = "16384";
  private static final int MOST_LOAD_THREADS = 4;

  /** What the Postgres connector puts where the log left a value out. */
  static final String UNAVAILABLE = "__widebeam: the log left this value out";

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

  /**
   * The properties with all that a target needs to follow a table: no operation left out, and the
   * statements that take rows away without a word about each.
   *
   * @throws IllegalArgumentException if the user wants operations left out
   */
  static Map<String, String> withEveryChange(Map<String, String> complete) {
    String skipped = complete.get("skipped.operations").strip();
    if (!skipped.equals("none")) {
      throw new IllegalArgumentException(
          "CdcIO: skipped.operations is "
              + skipped
              + ", but readChanges() must see every operation. Leave it out.");
    }
    if (hasBinlog(complete.get(CONNECTOR_CLASS))) {
      complete.put("include.schema.changes", "true");
    }
    return complete;
  }

  private static boolean hasBinlog(String connector) {
    String name = connector.toLowerCase(Locale.ROOT);
    return name.contains("mariadb") || name.contains("mysql");
  }

  private static Map<String, String> defaults(Map<String, String> given) {
    Map<String, String> defaults = new LinkedHashMap<>();
    defaults.put(NAME, given.get(TOPIC_PREFIX));

    // Two connectors of one database would wait a minute for each other's JMX beans.
    defaults.put(
        "custom.metric.tags", "reader=" + given.getOrDefault(NAME, given.get(TOPIC_PREFIX)));

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
    // Left alone, a value that cannot be converted would silently become null.
    defaults.put("event.converting.failure.handling.mode", "fail");

    // An idle database's log must not be thrown away unread; transactions' ends drive the
    // watermark.
    defaults.put(HEARTBEAT, "10000");
    defaults.put("provide.transaction.metadata", "true");
    // A database that is down comes back; the pipeline waits for it, and says so.
    defaults.put(MAX_RETRIES, "-1");

    String connector = given.get(CONNECTOR_CLASS);
    if (connector.toLowerCase(Locale.ROOT).contains("postgres")) {
      defaults.put("converters", "widebeam");
      defaults.put("widebeam.type", PostgresValues.class.getName());
      defaults.put("interval.handling.mode", "string");
      defaults.put("include.unknown.datatypes", "true");
      defaults.put("unavailable.value.placeholder", UNAVAILABLE);
      // Nothing but a message in its log moves the slot of a database in which nothing is changed,
      // and it shows that the server is there.
      defaults.put(
          "heartbeat.action.query",
          "SELECT pg_logical_emit_message(false, '" + SourceDatabase.MARKER_PREFIX + "', '')");
    }
    if (hasBinlog(connector)) {
      boolean mariaDb = connector.toLowerCase(Locale.ROOT).contains("mariadb");
      defaults.put("converters", "widebeam");
      defaults.put("widebeam.type", MySqlValues.class.getName());
      defaults.put("widebeam." + MySqlValues.BINARY_JSON, Boolean.toString(!mariaDb));
      // The drivers have no date for the year 0.
      defaults.put("driver.yearIsDateType", "false");
      // The year 24 is none of a shortened 2024.
      defaults.put("enable.time.adjuster", "false");
      defaults.put("snapshot.locking.mode", "minimal");
      // The client's own watchdog takes a pipeline that holds up the reading for a dead server.
      // What
      // is wanted of it is the server's sign of life, a little before each interval ends.
      defaults.put("connect.keep.alive", "false");
      defaults.put(SIGN_OF_LIFE, "1000");
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

  /** The properties without our own settings. */
  static Map<String, String> ofConnector(Map<String, String> properties) {
    Map<String, String> others = new HashMap<>(properties);
    others.keySet().removeIf(name -> name.startsWith(OWN_PREFIX));
    return others;
  }

  /** Says what is made of the changes; see {@link CdcIO.Read#withViews}. */
  static void putViews(Map<String, String> views, Map<String, String> properties) {
    views.forEach((view, checksum) -> properties.put(VIEW + view, checksum));
  }

  /** What is made of the changes. */
  static Map<String, String> views(Map<String, String> properties) {
    Map<String, String> views = new TreeMap<>();
    properties.forEach(
        (name, value) -> {
          if (name.startsWith(VIEW)) {
            views.put(name.substring(VIEW.length()), value);
          }
        });
    return views;
  }

  /** Lets nothing of the first load be acted on before a checkpoint has been completed. */
  static void releaseByCheckpoint(Map<String, String> properties) {
    properties.put(RELEASE_BY_CHECKPOINT, "true");
  }

  static boolean isReleasedByCheckpoint(Map<String, String> properties) {
    return properties.containsKey(RELEASE_BY_CHECKPOINT);
  }

  /** How many connections read the tables at the same time. */
  static int loadThreads(Map<String, String> properties) {
    String given = properties.get(LOAD_THREADS);
    return given != null
        ? Math.max(1, Integer.parseInt(given))
        : Math.max(1, Math.min(MOST_LOAD_THREADS, Runtime.getRuntime().availableProcessors() / 2));
  }

  /** How many rows are read at a time, and read again after a crash. */
  static int chunkRows(Map<String, String> properties) {
    return Math.max(1, Integer.parseInt(properties.getOrDefault(CHUNK_ROWS, DEFAULT_CHUNK_ROWS)));
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
