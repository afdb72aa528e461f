package io.widebeam.cdc;

import io.debezium.connector.common.BaseSourceTask;
import io.widebeam.cdc.CdcCheckpoint.Offset;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connector and its one task, from start to stop. Not thread-safe. */
final class ConnectorTask {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectorTask.class);

  /**
   * A server that has sent no sign of life for so long, nor for several of its intervals, is gone.
   */
  private static final long DEAF_MILLIS = 10_000;

  private static final long DEAF_INTERVALS = 3;
  private static final long STOP_MILLIS = 8_000;

  /** A task takes long to connect; only a machine that stands still makes another start needed. */
  private static final int MAX_STARTS = 10;

  private final Map<String, String> properties;
  private final SourceConnector connector;
  private final Context context;
  private final boolean takesRows;
  @Nullable private SourceTask task;
  @Nullable private BinlogWatch watch;
  private boolean connected;
  private long lastRecordNanos = System.nanoTime();

  /** When a message of the connector's own last came out of the log, or 0. */
  private long lastMarkerNanos;

  private ConnectorTask(
      Map<String, String> properties,
      SourceConnector connector,
      Context context,
      boolean takesRows) {
    this.properties = properties;
    this.connector = connector;
    this.context = context;
    this.takesRows = takesRows;
  }

  /**
   * Starts a task.
   *
   * @param offsets where it begins in each partition; read again whenever the connector asks
   * @param takesRows whether the tables' rows are followed, and not the connector's records alone
   */
  static ConnectorTask start(
      Map<String, String> properties,
      Map<Map<String, ?>, Map<String, ?>> offsets,
      boolean takesRows,
      ClassLoader classes)
      throws Exception {
    for (int i = 1; i < MAX_STARTS; i++) {
      try {
        return startOnce(properties, offsets, takesRows, classes);
      } catch (BinlogWatch.TooLateException e) {
        LOG.debug("Starting again", e);
      }
    }
    return startOnce(properties, offsets, takesRows, classes);
  }

  private static ConnectorTask startOnce(
      Map<String, String> properties,
      Map<Map<String, ?>, Map<String, ?>> offsets,
      boolean takesRows,
      ClassLoader classes)
      throws Exception {
    SourceConnector connector =
        Class.forName(properties.get(ConnectorProperties.CONNECTOR_CLASS), true, classes)
            .asSubclass(SourceConnector.class)
            .getDeclaredConstructor()
            .newInstance();
    Context context = new Context(properties, offsets);
    ConnectorTask started = new ConnectorTask(properties, connector, context, takesRows);
    try {
      connector.start(properties);
      SourceTask task = (SourceTask) connector.taskClass().getDeclaredConstructor().newInstance();
      started.task = task;
      task.initialize(context);
      task.start(connector.taskConfigs(1).get(0));
      started.watch();
      QuietMetrics.install(task);
    } catch (Exception | Error e) {
      started.stop();
      throw e;
    }
    started.lastRecordNanos = System.nanoTime();
    return started;
  }

  /** What came since the last call; empty if there is nothing at the moment. */
  List<SourceRecord> poll() throws Exception {
    // Asked before: what follows a failure does not come, but what precedes it may come in this
    // poll.
    Exception failure = watch == null ? null : watch.failure();
    List<SourceRecord> records = task.poll();
    watch();
    if (records == null || records.isEmpty()) {
      if (failure != null) {
        throw failure;
      }
      checkConnection();
      return List.of();
    }
    lastRecordNanos = System.nanoTime();
    return records;
  }

  private void watch() throws IOException {
    SourceDatabase.Kind kind = SourceDatabase.Kind.of(properties);
    if (kind != null && kind.hasBinlog()) {
      watch = BinlogWatch.of(task, watch, properties, takesRows);
    }
  }

  /** How long there has been nothing to poll. */
  long silentMillis() {
    return millisSince(lastRecordNanos);
  }

  /** The client that reads a binlog; null if there is none, or not yet. */
  @Nullable
  BinlogClient binlogClient() {
    return BinlogClient.of(task);
  }

  /** Tells the database that it may forget its log up to the offsets, and no further. */
  void acknowledge(List<Offset> safe) throws InterruptedException {
    safe.forEach(offset -> context.safe.put(offset.partition(), offset.offset()));
    for (Offset offset : safe) {
      task.commitRecord(
          new SourceRecord(offset.partition(), offset.offset(), "", null, null), null);
    }
    if (!(task instanceof BaseSourceTask<?, ?> debezium)) {
      task.commit();
      return;
    }
    context.committing = true;
    try {
      debezium.performCommit();
    } finally {
      context.committing = false;
    }
  }

  /** A message that the connector itself has written to Postgres' log has come out of it. */
  void heardOfServer() {
    lastMarkerNanos = System.nanoTime();
  }

  /**
   * The connectors do not notice when the server goes away without a word, that of a binlog not
   * even when it says so. (Its own watchdog, if it is on, asks once a minute, and disturbs a client
   * that has to wait for the pipeline.)
   */
  private void checkConnection() throws IOException {
    long marker = lastMarkerNanos;
    long patience = patience(ConnectorProperties.HEARTBEAT);
    if (marker != 0 && millisSince(marker) > patience) {
      throw new IOException("the server has not been heard of for " + patience + " ms");
    }
    BinlogClient client = binlogClient();
    if (client == null) {
      return;
    }
    boolean before = connected;
    connected = client.isConnected();
    if (before && !connected) {
      throw new IOException("the server has closed the connection");
    }
    patience = patience(ConnectorProperties.SIGN_OF_LIFE);
    if (connected
        && silentMillis() > patience
        && System.currentTimeMillis() - client.lastHeardMillis() > patience) {
      throw new IOException("the server has not been heard of for " + patience + " ms");
    }
  }

  private long patience(String interval) {
    return Math.max(DEAF_MILLIS, DEAF_INTERVALS * Long.parseLong(properties.get(interval)));
  }

  private static long millisSince(long nanos) {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
  }

  /** Stops the task; one that waits for a server that does not answer is left to itself. */
  void stop() {
    // The connector's own waiting in stop() must not be cut short by the wish to stop it.
    boolean interrupted = Thread.interrupted();
    Thread stopping = new Thread(this::stopNow, Thread.currentThread().getName() + "-stop");
    stopping.setDaemon(true);
    stopping.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    stopping.start();
    try {
      stopping.join(STOP_MILLIS);
      if (stopping.isAlive()) {
        LOG.warn(
            "The connector of {} does not stop; it is left to itself",
            ConnectorProperties.describe(properties));
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void stopNow() {
    // A task commits once more when it ends.
    context.committing = true;
    if (watch != null) {
      watch.stop();
    }
    try {
      if (task != null) {
        task.stop();
      }
      connector.stop();
    } catch (RuntimeException e) {
      LOG.warn(
          "Stopping the connector of {}: {}",
          ConnectorProperties.describe(properties),
          ConnectorFailure.describe(e, properties));
    }
  }

  /**
   * Gives the connector the offsets that it last reported itself, where it starts over; but those
   * that are safe where it commits: the Postgres connector asks here how far it may.
   */
  private static final class Context implements SourceTaskContext, OffsetStorageReader {
    /** Postgres' own: of the last change, of the last one that was done, and of a commit. */
    private static final String LSN = "lsn";

    private static final String LAST_DONE_LSN = "lsn_proc";
    private static final String LAST_COMMIT_LSN = "lsn_commit";

    private final Map<String, String> configs;
    private final Map<Map<String, ?>, Map<String, ?>> reported;
    private final Map<Map<String, ?>, Map<String, ?>> safe = new ConcurrentHashMap<>();
    private volatile boolean committing;

    Context(Map<String, String> configs, Map<Map<String, ?>, Map<String, ?>> reported) {
      this.configs = configs;
      this.reported = reported;
    }

    @Override
    public Map<String, String> configs() {
      return configs;
    }

    @Override
    public OffsetStorageReader offsetStorageReader() {
      return this;
    }

    @Override
    public PluginMetrics pluginMetrics() {
      throw new UnsupportedOperationException("connectors do not report metrics here");
    }

    @Override
    @Nullable
    public <V> Map<String, Object> offset(Map<String, V> partition) {
      Map<String, ?> offset = (committing ? safe : reported).get(partition);
      if (offset == null) {
        return null;
      }
      return committing ? new HashMap<>(offset) : fromLastCommit(offset);
    }

    /**
     * The Postgres connector looks among the changes that it is sent for the last one that it has
     * given out, by its position, and leaves out all before. But a position does not tell a change:
     * where a transaction or a message ends, a change may begin, of a transaction that was open
     * then; and rows that are inserted together have one position. Without the position it does not
     * look, and gives out again what was not committed at the last commit.
     */
    private static Map<String, Object> fromLastCommit(Map<String, ?> offset) {
      Map<String, Object> start = new HashMap<>(offset);
      start.remove(LAST_DONE_LSN);
      if (start.containsKey(LAST_COMMIT_LSN)) {
        start.put(LSN, start.get(LAST_COMMIT_LSN));
      }
      return start;
    }

    @Override
    public <V> Map<Map<String, V>, Map<String, Object>> offsets(
        Collection<Map<String, V>> partitions) {
      Map<Map<String, V>, Map<String, Object>> found = new HashMap<>();
      for (Map<String, V> partition : partitions) {
        found.put(partition, offset(partition));
      }
      return found;
    }
  }
}
