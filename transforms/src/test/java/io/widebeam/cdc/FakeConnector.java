package io.widebeam.cdc;

import io.debezium.data.Envelope;
import io.debezium.time.ZonedTimestamp;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A connector of four changes, one of which leaves a row that cannot be represented. */
public final class FakeConnector extends SourceConnector {
  private static final String GOOD = "2024-02-29T12:30:15Z";
  private static final String BAD = "yesterday";

  private static final Schema KEY = SchemaBuilder.struct().field("id", Schema.INT32_SCHEMA).build();
  private static final Schema ROW =
      SchemaBuilder.struct()
          .optional()
          .field("id", Schema.INT32_SCHEMA)
          .field("at", ZonedTimestamp.schema())
          .build();
  private static final Schema SOURCE =
      SchemaBuilder.struct()
          .field("connector", Schema.STRING_SCHEMA)
          .field("name", Schema.STRING_SCHEMA)
          .field("ts_ms", Schema.INT64_SCHEMA)
          .field("snapshot", Schema.OPTIONAL_STRING_SCHEMA)
          .field("db", Schema.STRING_SCHEMA)
          .field("table", Schema.STRING_SCHEMA)
          .build();
  private static final Schema ENVELOPE =
      SchemaBuilder.struct()
          .name("shop.sales.orders.Envelope")
          .field(Envelope.FieldName.BEFORE, ROW)
          .field(Envelope.FieldName.AFTER, ROW)
          .field(Envelope.FieldName.SOURCE, SOURCE)
          .field(Envelope.FieldName.OPERATION, Schema.STRING_SCHEMA)
          .build();

  static SourceRecord record(int id, String operation, String before, String after) {
    Struct source =
        new Struct(SOURCE)
            .put("connector", "other")
            .put("name", "shop")
            .put("ts_ms", 1_700_000_000_000L)
            .put("snapshot", "false")
            .put("db", "sales")
            .put("table", "orders");
    Struct value =
        new Struct(ENVELOPE)
            .put(Envelope.FieldName.BEFORE, row(id, before))
            .put(Envelope.FieldName.AFTER, row(id, after))
            .put(Envelope.FieldName.SOURCE, source)
            .put(Envelope.FieldName.OPERATION, operation);
    return new SourceRecord(
        Map.of("server", "shop"),
        Map.of("record", id),
        "shop.sales.orders",
        KEY,
        new Struct(KEY).put("id", id),
        ENVELOPE,
        value);
  }

  private static Struct row(int id, String at) {
    return at == null ? null : new Struct(ROW).put("id", id).put("at", at);
  }

  @Override
  public void start(Map<String, String> properties) {}

  @Override
  public Class<? extends Task> taskClass() {
    return FakeTask.class;
  }

  @Override
  public List<Map<String, String>> taskConfigs(int maxTasks) {
    return List.of(Map.of());
  }

  @Override
  public void stop() {}

  @Override
  public ConfigDef config() {
    return new ConfigDef();
  }

  @Override
  public String version() {
    return "1";
  }

  /** Gives its records once. */
  public static final class FakeTask extends SourceTask {
    private List<SourceRecord> records =
        List.of(
            record(1, "c", null, GOOD),
            record(2, "c", null, BAD),
            record(3, "c", null, GOOD),
            record(2, "u", BAD, GOOD));

    @Override
    public void start(Map<String, String> properties) {}

    @Override
    public List<SourceRecord> poll() {
      List<SourceRecord> once = records;
      records = List.of();
      return once;
    }

    @Override
    public void stop() {}

    @Override
    public String version() {
      return "1";
    }
  }
}
