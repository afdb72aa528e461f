package io.widebeam.runner.bench;

import io.debezium.relational.history.MemorySchemaHistory;
import io.widebeam.runner.embedded.ChildProcess;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;

/**
 * Reads a snapshot with a connector and drops it: the speed that nothing behind the connector can
 * exceed. Prints when the last row was read.
 */
final class RawDrain {
  /** What the line with the result starts with: milliseconds since the epoch follow. */
  static final String DONE = "read at ";

  private RawDrain() {}

  /**
   * Reads until the last row.
   *
   * @param arguments the connector's properties file, and the number of rows that the tables have
   */
  public static void main(String[] arguments) throws Exception {
    ChildProcess.logWarningsOnly();
    Properties file = new Properties();
    try (Reader in = Files.newBufferedReader(Path.of(arguments[0]))) {
      file.load(in);
    }
    long expectedRows = Long.parseLong(arguments[1]);
    Map<String, String> properties = new HashMap<>();
    file.forEach((key, value) -> properties.put(key.toString(), value.toString()));
    properties.put("schema.history.internal", MemorySchemaHistory.class.getName());

    SourceConnector connector =
        Class.forName(properties.get("connector.class"))
            .asSubclass(SourceConnector.class)
            .getDeclaredConstructor()
            .newInstance();
    connector.start(properties);
    Map<String, String> taskProperties = connector.taskConfigs(1).get(0);
    Class<? extends Task> taskClass = connector.taskClass();
    SourceTask task = (SourceTask) taskClass.getDeclaredConstructor().newInstance();
    task.initialize(new NothingRead(taskProperties));
    task.start(taskProperties);
    long rows = 0;
    while (rows < expectedRows) {
      List<SourceRecord> records = task.poll();
      if (records != null) {
        for (SourceRecord record : records) {
          rows += isRow(record) ? 1 : 0;
        }
      }
    }
    System.out.println(DONE + System.currentTimeMillis());
    System.out.flush();
    // Nobody needs an orderly stop.
    Runtime.getRuntime().halt(0);
  }

  /** Heartbeats and schema changes are no rows. */
  private static boolean isRow(SourceRecord record) {
    return record.value() instanceof Struct value && value.schema().field("op") != null;
  }

  /** A task that starts from the beginning. */
  private record NothingRead(Map<String, String> configs) implements SourceTaskContext {
    @Override
    public PluginMetrics pluginMetrics() {
      return null; // As in Kafka Connect versions that have none.
    }

    @Override
    public OffsetStorageReader offsetStorageReader() {
      return new OffsetStorageReader() {
        @Override
        public <T> Map<String, Object> offset(Map<String, T> partition) {
          return null;
        }

        @Override
        public <T> Map<Map<String, T>, Map<String, Object>> offsets(
            Collection<Map<String, T>> partitions) {
          return new HashMap<>();
        }
      };
    }
  }
}
