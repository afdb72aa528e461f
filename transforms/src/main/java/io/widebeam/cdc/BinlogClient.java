package io.widebeam.cdc;

import io.debezium.connector.common.BaseSourceTask;
import io.debezium.pipeline.ChangeEventSourceCoordinator;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.Optional;
import javax.annotation.Nullable;
import org.apache.kafka.connect.source.SourceTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client through which a running task of the MySQL or MariaDB connector reads the server's log.
 * It knows what the connector's records do not tell: how far it has read where nothing was of
 * interest, and when it last heard of the server.
 *
 * <p>The connector does not show it, so this reaches into the task; of a task that looks different
 * there is none.
 */
final class BinlogClient {
  private static final Logger LOG = LoggerFactory.getLogger(BinlogClient.class);

  private final Object client;
  private final Field lastHeard;

  private BinlogClient(Object client, Field lastHeard) {
    this.client = client;
    this.lastHeard = lastHeard;
  }

  /** The task's client, or null if it has none, or not yet. */
  @Nullable
  static BinlogClient of(SourceTask task) {
    try {
      Field field = BaseSourceTask.class.getDeclaredField("coordinator");
      field.setAccessible(true);
      if (!(field.get(task) instanceof ChangeEventSourceCoordinator<?, ?> coordinator)) {
        return null;
      }
      Optional<?> source = coordinator.getStreamingSource();
      if (source.isEmpty()) {
        return null;
      }
      Object client = call(source.get(), "getBinaryLogClient");
      Field lastHeard = client.getClass().getDeclaredField("eventLastSeen");
      lastHeard.setAccessible(true);
      return new BinlogClient(client, lastHeard);
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.debug("The connector's client stays unknown", e);
      return null;
    }
  }

  /** False before the connection is made, and after the server has closed it. */
  boolean isConnected() {
    try {
      return (boolean) call(client, "isConnected");
    } catch (ReflectiveOperationException e) {
      LOG.debug("The connector's client does not tell whether it is connected", e);
      return false;
    }
  }

  /**
   * Up to where the connector has made records of the log and queued them; null when it is not
   * connected yet, or just between two files.
   */
  @Nullable
  LogPosition position() {
    try {
      if (!isConnected()) {
        return null;
      }
      String file = (String) call(client, "getBinlogFilename");
      long offset = (long) call(client, "getBinlogPosition");
      return file == null || file.isEmpty() || !file.equals(call(client, "getBinlogFilename"))
          ? null
          : new LogPosition(file, offset);
    } catch (ReflectiveOperationException e) {
      LOG.debug("The connector's client does not tell its position", e);
      return null;
    }
  }

  /** When the server last sent anything, in milliseconds since the epoch; 0 for never. */
  long lastHeardMillis() {
    try {
      return lastHeard.getLong(client);
    } catch (ReflectiveOperationException e) {
      LOG.debug("The connector's client does not tell when it heard of the server", e);
      return 0;
    }
  }

  private static Object call(Object owner, String method) throws ReflectiveOperationException {
    try {
      return owner.getClass().getMethod(method).invoke(owner);
    } catch (InvocationTargetException e) {
      throw new NoSuchMethodException(method + ": " + e.getCause());
    }
  }
}
