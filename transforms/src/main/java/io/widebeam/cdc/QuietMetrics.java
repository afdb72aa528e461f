package io.widebeam.cdc;

import io.debezium.connector.common.BaseSourceTask;
import io.debezium.pipeline.meters.CommonEventMeter;
import io.debezium.pipeline.source.spi.EventMetadataProvider;
import io.debezium.pipeline.spi.OffsetContext;
import io.debezium.spi.schema.DataCollectionId;
import java.lang.reflect.Field;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the connector from writing every event out as text for its JMX attribute {@code LastEvent},
 * which nobody reads here and which takes a quarter of the connector's time.
 *
 * <p>There is no setting for it, so this reaches into the task; a task that looks different is left
 * as it is.
 */
final class QuietMetrics {
  private static final Logger LOG = LoggerFactory.getLogger(QuietMetrics.class);

  private QuietMetrics() {}

  /** To be called once the task has been started. */
  static void install(SourceTask task) {
    try {
      Object coordinator = valueOf(BaseSourceTask.class, "coordinator", task);
      for (Class<?> type = coordinator.getClass(); type != null; type = type.getSuperclass()) {
        for (Field field : type.getDeclaredFields()) {
          if (field.getName().equals("snapshotMetrics")
              || field.getName().equals("streamingMetrics")) {
            silence(valueOf(type, field.getName(), coordinator));
          }
        }
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.debug("The connector's metrics stay as they are", e);
    }
  }

  private static void silence(Object metrics) throws ReflectiveOperationException {
    for (Class<?> type = metrics.getClass(); type != null; type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (field.getType() == CommonEventMeter.class) {
          Object meter = valueOf(type, field.getName(), metrics);
          Field provider = CommonEventMeter.class.getDeclaredField("metadataProvider");
          provider.setAccessible(true);
          provider.set(meter, new NoSummary((EventMetadataProvider) provider.get(meter)));
        }
      }
    }
  }

  private static Object valueOf(Class<?> type, String name, Object owner)
      throws ReflectiveOperationException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(owner);
  }

  /** Answers everything but the event's text. */
  private static final class NoSummary implements EventMetadataProvider {
    private final EventMetadataProvider provider;

    NoSummary(EventMetadataProvider provider) {
      this.provider = provider;
    }

    @Override
    public Instant getEventTimestamp(
        DataCollectionId source, OffsetContext offset, Object key, Struct value) {
      return provider.getEventTimestamp(source, offset, key, value);
    }

    @Override
    public Map<String, String> getEventSourcePosition(
        DataCollectionId source, OffsetContext offset, Object key, Struct value) {
      return provider.getEventSourcePosition(source, offset, key, value);
    }

    @Override
    public String getTransactionId(
        DataCollectionId source, OffsetContext offset, Object key, Struct value) {
      return provider.getTransactionId(source, offset, key, value);
    }

    @Override
    public String toSummaryString(
        DataCollectionId source, OffsetContext offset, Object key, Struct value) {
      return "";
    }
  }
}
