package io.widebeam.cdc;

import io.debezium.data.Envelope;
import java.util.IdentityHashMap;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.source.SourceRecord;

/** What one of the connector's records is, as its schema tells. */
enum RecordKind {
  CHANGE,
  SNAPSHOT_NOTIFICATION,
  HEARTBEAT,
  TRANSACTION,
  /** A message in Postgres' log. */
  MESSAGE,
  /** A table was created, altered or dropped. */
  SCHEMA_CHANGE,
  OTHER;

  /** Remembers the schemas it has seen. Not thread-safe. */
  static final class Memory {
    private static final int MAX_KNOWN = 10_000;

    private final IdentityHashMap<Schema, RecordKind> kinds = new IdentityHashMap<>();

    RecordKind of(SourceRecord record) {
      Schema schema = record.valueSchema();
      if (schema == null) {
        return OTHER;
      }
      RecordKind kind = kinds.get(schema);
      if (kind == null) {
        kind = find(record, schema);
        if (kinds.size() > MAX_KNOWN) {
          kinds.clear();
        }
        kinds.put(schema, kind);
      }
      return kind;
    }

    private static RecordKind find(SourceRecord record, Schema schema) {
      String name = schema.name() == null ? "" : schema.name();
      if (ConnectorProperties.NOTIFICATION_TOPIC.equals(record.topic())) {
        return SNAPSHOT_NOTIFICATION;
      } else if (Envelope.isEnvelopeSchema(schema)) {
        return CHANGE;
      } else if (name.endsWith(".Heartbeat")) {
        return HEARTBEAT;
      } else if (name.endsWith(".TransactionMetadataValue")) {
        return TRANSACTION;
      } else if (name.endsWith(".MessageValue")) {
        return MESSAGE;
      } else if (name.endsWith(".SchemaChangeValue")) {
        return SCHEMA_CHANGE;
      }
      return OTHER;
    }
  }
}
