package io.widebeam.notify;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentChangeCoder;
import io.widebeam.view.RowFunction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricResult;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TimestampedValue;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RuleNotificationsTest {
  private static final TableId ORDERS = new TableId("tp", "db", "orders");
  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();
  private static final long LOAD = 1_727_776_800_000L;
  private static final long LATER = LOAD + 60_000;
  private static final int QUESTIONS = 20;

  private final List<TimestampedValue<DocumentChange>> changes = new ArrayList<>();
  private TestHook hook;
  private long version;

  @BeforeEach
  void startHook() throws IOException {
    hook = new TestHook();
  }

  @AfterEach
  void stopHook() {
    hook.close();
  }

  @Test
  void aRuleFiresWhenItComesTrueAndNotAgainWhileItIs() throws Exception {
    emit("a", 9_000, 10_500);
    emit("a", 10_500, 12_000);
    emit("b", null, 11_000);
    emit("c", null, 10_000);
    run();

    assertThat(groups()).containsExactlyInAnyOrder("a", "b");
  }

  @Test
  void itFiresAgainAfterItWasFalseOrTheGroupWasGone() throws Exception {
    emit("a", 9_000, 10_500);
    emit("a", 10_500, 10_000);
    emit("a", 10_000, 10_001);
    emit("b", 11_000, null);
    emit("b", null, 11_000);
    run();

    assertThat(groups()).containsExactlyInAnyOrder("a", "a", "b");
    assertThat(ids()).hasSize(3);
  }

  @Test
  void theOrderOfArrivalMakesNoDifference() throws Exception {
    emit("a", 10_500, 10_000);
    emit("a", 10_000, 10_001);
    emit("a", 9_000, 10_500);
    run();

    assertThat(groups()).containsExactly("a", "a");
  }

  @Test
  void whatTheLoadFindsTrueFiresNothingButWhatCameTrueSinceTheCheckpointDoes() throws Exception {
    emit(LOAD + 2, false, "loaded", null, 20_000);
    emit(LATER, false, "known", 20_000, 21_000);
    emit(LATER, false, "crossed", 9_000, 21_000);
    emit(LATER, false, "new", null, 21_000);
    emit(LATER, true, "loaded", 20_000, 22_000);
    run();

    assertThat(groups()).containsExactlyInAnyOrder("crossed", "new");
  }

  @Test
  void whatIsNotKnownIsNotTrue() throws Exception {
    DocumentChange unknown =
        new DocumentChange(key("a"), row("a", 20_000), nullRow("a"), ++version, LATER);
    changes.add(TimestampedValue.of(unknown, Instant.ofEpochMilli(LATER)));
    changes.add(
        TimestampedValue.of(
            new DocumentChange(key("a"), nullRow("a"), row("a", 20_000), ++version, LATER),
            Instant.ofEpochMilli(LATER)));
    run();

    assertThat(groups()).containsExactly("a");
  }

  @Test
  void theNotificationSaysTheRuleTheGroupAndTheRow() throws Exception {
    emit("a", 9_000, 10_500);
    run();

    Document posted = hook.posted().get(0);
    assertThat(posted.getString("id")).isEqualTo("shop/big_day/{\"day\": \"a\"}/1");
    assertThat(posted.getString("text")).isEqualTo("big_day: fee > 10000, for day a");
    assertThat(posted.getString("event")).isEqualTo("rules");
    assertThat(posted.get("group", Document.class)).isEqualTo(new Document("day", "a"));
    assertThat(posted.get("row", Document.class))
        .isEqualTo(new Document("day", "a").append("fee", 10_500));
    assertThat(posted.get("version")).isEqualTo(1);
  }

  @Test
  void whatCannotBeDeliveredBeforeThePipelineEndsIsLostAndCounted() throws Exception {
    hook.answer(503);
    emit("a", 9_000, 10_500);
    PipelineResult result = run();

    assertThat(hook.attempts()).isPositive();
    assertThat(counter(result, "notificationFailures")).isPositive();
    assertThat(counter(result, "notificationsLost")).isEqualTo(1);
    assertThat(counter(result, "ruleCrossings")).isEqualTo(1);
  }

  @Test
  void whatIsDeliveredIsCounted() throws Exception {
    emit("a", 9_000, 10_500);
    emit("b", 9_000, 10_500);
    PipelineResult result = run();

    assertThat(counter(result, "notificationsDelivered")).isEqualTo(2);
    assertThat(counter(result, "notificationsLost")).isZero();
  }

  private void emit(String day, @Nullable Integer before, @Nullable Integer after) {
    emit(LATER, true, day, before, after);
  }

  private void emit(
      long time, boolean certain, String day, @Nullable Integer before, @Nullable Integer after) {
    changes.add(
        TimestampedValue.of(
            new DocumentChange(
                key(day),
                before == null ? null : row(day, before),
                after == null ? null : row(day, after),
                before != null,
                certain,
                ++version,
                time),
            Instant.ofEpochMilli(time)));
  }

  private static BsonDocument key(String day) {
    return new RawBsonDocument(new BsonDocument("day", new BsonString(day)), CODEC);
  }

  private static RawBsonDocument row(String day, int fee) {
    return new RawBsonDocument(
        new BsonDocument("day", new BsonString(day)).append("fee", new BsonInt32(fee)), CODEC);
  }

  private static RawBsonDocument nullRow(String day) {
    return new RawBsonDocument(
        new BsonDocument("day", new BsonString(day)).append("fee", BsonNull.VALUE), CODEC);
  }

  private PipelineResult run() {
    Pipeline pipeline = Pipeline.create(PipelineOptionsFactory.create());
    TestStream.Builder<DocumentChange> stream =
        TestStream.create(DocumentChangeCoder.of()).advanceWatermarkTo(Instant.ofEpochMilli(LOAD));
    for (TimestampedValue<DocumentChange> change : changes) {
      stream = stream.addElements(change);
    }
    // Each is a question how the delivery went, which takes its time on a busy machine.
    for (int i = 0; i < QUESTIONS; i++) {
      stream = stream.advanceProcessingTime(Duration.standardSeconds(10));
    }
    PCollection<DocumentChange> rows = pipeline.apply(stream.advanceWatermarkToInfinity());
    RuleNotifications rules =
        new RuleNotifications("shop", List.of(Channel.webhook(hook.url("/"))));
    rules.add(rows, "big_day", "fee > 10000", bigDay(), LOAD, Optional.empty(), ORDERS);
    rules.send(false);
    PipelineResult result = pipeline.run();
    result.waitUntilFinish();
    return result;
  }

  /** As SQL has it. */
  private static RowFunction bigDay() {
    return row -> row.isNumber("fee") && row.getNumber("fee").intValue() > 10_000 ? row : null;
  }

  private List<String> groups() {
    return hook.posted().stream()
        .map(posted -> posted.get("group", Document.class).getString("day"))
        .toList();
  }

  private Set<String> ids() {
    Set<String> ids = new HashSet<>();
    hook.posted().forEach(posted -> ids.add(posted.getString("id")));
    return ids;
  }

  private static long counter(PipelineResult result, String name) {
    long sum = 0;
    for (MetricResult<Long> counter :
        result
            .metrics()
            .queryMetrics(
                MetricsFilter.builder()
                    .addNameFilter(MetricNameFilter.named("widebeam", name))
                    .build())
            .getCounters()) {
      sum += counter.getAttempted();
    }
    return sum;
  }
}
