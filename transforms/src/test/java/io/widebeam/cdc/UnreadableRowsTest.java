package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.debezium.data.Envelope;
import io.debezium.time.ZonedTimestamp;
import io.widebeam.change.Change;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetters;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Rows that cannot be represented, through the whole reader, from a connector that has some. */
@Timeout(60)
class UnreadableRowsTest {
  private static final String GOOD = "2024-02-29T12:30:15Z";
  private static final String BAD = "yesterday";

  @Test
  void theyBecomeLettersBesideTheOtherChanges() {
    Pipeline pipeline = Pipeline.create();
    DeadLetters<PCollection<String>> letters =
        DeadLetters.to(
            pipeline,
            MapElements.into(TypeDescriptors.strings())
                .via((DeadLetter letter) -> letter.key().toJson() + " " + letter.logPosition()));
    PCollection<Change> changes =
        pipeline.apply(read().withMaxNumberOfRecords(4).withDeadLetters(letters));
    letters.close();
    PAssert.that(
            changes.apply(
                MapElements.into(TypeDescriptors.strings())
                    .via(
                        change ->
                            change.sequence() % 4096
                                + " "
                                + (change.before() == null ? "-" : change.before().keySet())
                                + " "
                                + (change.after() == null ? "-" : change.after().keySet()))))
        .containsInAnyOrder("1 - [id, at]", "2 [id] -", "3 - [id, at]", "4 [id] [id, at]");
    PAssert.that(letters.getOutput()).containsInAnyOrder("{\"id\": 2} {\"record\": 2}");
    pipeline.run();
  }

  @Test
  void withoutAHandlerTheReadEndsAfterTheChangesBefore() throws Exception {
    try (CdcReader<Change> reader = read().source().createReader(null, null)) {
      List<Change> changes = new ArrayList<>();
      assertThatThrownBy(
              () -> {
                for (boolean available = reader.start(); ; available = reader.advance()) {
                  if (available) {
                    changes.addAll(reader.getCurrent().values());
                  }
                }
              })
          .hasMessageContaining("The value of column sales.orders.at")
          .hasMessageContaining("cannot be represented");
      assertThat(changes).hasSize(1);
    }
  }

  @Test
  void aBatchOfLettersAloneSurvivesItsCoder() throws Exception {
    DebeziumChanges decoder = new DebeziumChanges(Map.of(), true);
    assertThat(decoder.decode(FakeTask.record(2, "c", null, BAD), 7)).isNotNull();
    DeadLetter letter = decoder.takeDeadLetter();
    CdcBatch<Change> batch =
        new CdcBatch<>(List.of(), new long[0], List.of(new CdcBatch.Letter(letter, 5)));
    CdcBatch<Change> copy =
        CoderUtils.clone(new CdcBatch.BatchCoder<>(io.widebeam.change.ChangeCoder.of()), batch);
    assertThat(copy.size()).isZero();
    assertThat(copy.firstMillis()).isEqualTo(5);
    assertThat(copy.letters()).containsExactly(new CdcBatch.Letter(letter, 5));
  }

  private static CdcIO.Read<Change> read() {
    return CdcIO.readChanges()
        .withConnectorConfiguration(
            ConnectorConfiguration.create()
                .withConnectorClass(FakeConnector.class)
                .withHostName("nowhere")
                .withPort("1")
                .withUsername("nobody")
                .withPassword("secret")
                .withConnectionProperty("topic.prefix", "shop"));
  }

  /** A connector of four changes. */
  public static final class FakeConnector extends SourceConnector {
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
  }

  /** Gives its records once. */
  public static final class FakeTask extends SourceTask {
    private static final Schema KEY =
        SchemaBuilder.struct().field("id", Schema.INT32_SCHEMA).build();
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

    private List<SourceRecord> records =
        List.of(
            record(1, "c", null, GOOD),
            record(2, "c", null, BAD),
            record(3, "c", null, GOOD),
            record(2, "u", BAD, GOOD));

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
