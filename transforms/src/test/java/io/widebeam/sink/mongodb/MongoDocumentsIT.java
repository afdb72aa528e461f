package io.widebeam.sink.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.IndexOptions;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentChangeCoder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.io.mongodb.AggregationQuery;
import org.apache.beam.sdk.io.mongodb.MongoDbIO;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricQueryResults;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.Count;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.Filter;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PDone;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class MongoDocumentsIT {

  private static final String DATABASE = "shop";
  private static final String COLLECTION = "orders";
  private static final BsonValue KEY = new BsonString("o1");
  private static final TableId ORDERS = new TableId("shop", "sales", "orders");

  private final LocalMongo server = new LocalMongo();
  private final MongoClient client = MongoClients.create(server.uri());
  private final MongoCollection<Document> stored =
      client.getDatabase(DATABASE).getCollection(COLLECTION);

  @AfterEach
  void stop() {
    client.close();
    server.close();
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aDocumentIsInsertedReplacedAndDeleted(VersionGuard guard) {
    try (var forced = force(guard)) {
      PipelineResult inserted = write(upsert(KEY, 1, "{a: 1, b: 1}"));
      assertThat(documents())
          .containsExactly("{\"_id\": \"o1\", \"_version\": 1, \"a\": 1, \"b\": 1}");
      assertThat(counter(inserted, "documentsInserted")).isEqualTo(1);
      assertThat(counter(inserted, "documentsWritten")).isEqualTo(1);

      PipelineResult replaced = write(replace(KEY, 2, "{a: 2}"));
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 2, \"a\": 2}");
      assertThat(counter(replaced, "documentsInserted")).isZero();
      assertThat(counter(replaced, "documentsWritten")).isEqualTo(1);

      PipelineResult deleted = write(delete(KEY, 3));
      assertThat(documents()).isEmpty();
      assertThat(counter(deleted, "documentsDeleted")).isEqualTo(1);
      assertThat(counter(deleted, "documentsWritten")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aDocumentThatIsThereIsReplacedEvenIfTheChangeDoesNotKnow(VersionGuard guard) {
    try (var forced = force(guard)) {
      write(upsert(KEY, 1, "{a: 1}"));
      PipelineResult result = write(upsert(KEY, 2, "{a: 2}"));
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 2, \"a\": 2}");
      assertThat(counter(result, "documentsInserted")).isZero();
      assertThat(counter(result, "documentsWritten")).isEqualTo(1);
      assertThat(counter(result, "staleWritesRefused")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aDocumentThatShouldBeThereButIsNotIsInserted(VersionGuard guard) {
    try (var forced = force(guard)) {
      PipelineResult result = write(replace(KEY, 2, "{a: 2}"));
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 2, \"a\": 2}");
      assertThat(counter(result, "documentsInserted")).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void compositeKeysAreSubdocuments(VersionGuard guard) {
    try (var forced = force(guard)) {
      BsonValue key =
          new BsonDocument("order", new BsonString("o1")).append("item", new BsonInt32(2));
      write(upsert(key, 1, "{a: 1}"));
      write(replace(key, 2, "{a: 2}"));
      assertThat(documents())
          .containsExactly(
              "{\"_id\": {\"order\": \"o1\", \"item\": 2}, \"_version\": 2, \"a\": 2}");
      assertThat(counter(write(replace(key, 1, "{a: 0}")), "staleWritesRefused")).isEqualTo(1);
      assertThat(counter(write(delete(key, 3)), "documentsDeleted")).isEqualTo(1);
      assertThat(documents()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aStaleOrRepeatedVersionIsRefusedAndCounted(VersionGuard guard) {
    try (var forced = force(guard)) {
      write(upsert(KEY, 5, "{a: 5}"));
      for (DocumentChange late :
          List.of(
              upsert(KEY, 4, "{a: 4}"),
              replace(KEY, 4, "{a: 4}"),
              upsert(KEY, 5, "{a: 0}"),
              replace(KEY, 5, "{a: 0}"))) {
        PipelineResult result = write(late);
        assertThat(counter(result, "staleWritesRefused")).isEqualTo(1);
        assertThat(counter(result, "documentsWritten")).isZero();
      }
      assertThat(counter(write(delete(KEY, 4)), "documentsDeleted")).isZero();
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 5, \"a\": 5}");
    }
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aDocumentWithoutAVersionIsOlderThanAny(VersionGuard guard) {
    try (var forced = force(guard)) {
      stored.insertMany(
          List.of(Document.parse("{_id: 'o1', old: 1}"), Document.parse("{_id: 'o2', old: 1}")));
      write(replace(KEY, 1, "{a: 1}"), delete(new BsonString("o2"), 1));
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 1, \"a\": 1}");
    }
  }

  @Test
  void ofManyChangesOfADocumentInABundleTheNewestIsWrittenOnce() {
    List<DocumentChange> changes = new ArrayList<>();
    IntStream.rangeClosed(1, 2500).forEach(v -> changes.add(upsert(KEY, v, "{a: " + v + "}")));
    changes.add(upsert(KEY, 7, "{a: 'late'}"));
    PipelineResult result = write(changes.toArray(DocumentChange[]::new));
    assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 2500, \"a\": 2500}");
    assertThat(counter(result, "documentsWritten")).isEqualTo(1);
    assertThat(counter(result, "documentsInserted")).isEqualTo(1);
    assertThat(counter(result, "staleWritesRefused")).isEqualTo(1);
  }

  @Test
  void batchesOfABundleKeepTheOrderOfADocument() {
    List<DocumentChange> changes = new ArrayList<>();
    for (int version = 1; version <= 4; version++) {
      for (int key = 0; key < 1000; key++) {
        changes.add(replace(new BsonInt32(key), version, "{a: " + version + "}"));
      }
    }
    PipelineResult result = write(changes.toArray(DocumentChange[]::new));
    assertThat(counter(result, "documentsWritten")).isEqualTo(4000);
    assertThat(counter(result, "staleWritesRefused")).isZero();

    Pipeline verification = Pipeline.create();
    PAssert.thatSingleton(
            verification
                .apply(
                    MongoDbIO.read()
                        .withUri(server.uri())
                        .withDatabase(DATABASE)
                        .withCollection(COLLECTION)
                        // Splitting needs commands that the server at hand lacks; a limit keeps the
                        // read in one piece.
                        .withQueryFn(
                            AggregationQuery.create()
                                .withMongoDbPipeline(
                                    List.of(new BsonDocument("$limit", new BsonInt32(10_000))))))
                .apply(Filter.by(document -> document.getInteger("a") == 4))
                .apply(Count.globally()))
        .satisfies(
            count -> {
              assertThat(count).isEqualTo(1000);
              return null;
            });
    verification.run().waitUntilFinish();
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aStaleUpsertDoesNotBringADeletedDocumentBack(VersionGuard guard) {
    try (var forced = force(guard)) {
      write(upsert(KEY, 1, "{a: 1}"));
      write(delete(KEY, 3));
      PipelineResult result = write(upsert(KEY, 2, "{a: 2}"));
      assertThat(documents()).isEmpty();
      assertThat(counter(result, "staleWritesRefused")).isEqualTo(1);

      write(upsert(KEY, 4, "{a: 4}"));
      assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 4, \"a\": 4}");
    }
  }

  @Test
  void whenTheLoadIsWrittenWhatOlderGenerationsLeftIsRemoved() {
    stored.insertMany(
        List.of(
            Document.parse("{_id: 'older', _version: {$numberLong: '99'}}"),
            Document.parse("{_id: 'same', _version: {$numberLong: '100'}}"),
            Document.parse("{_id: 'foreign'}"),
            Document.parse("{_id: 'foreign text', _version: 'a'}"),
            Document.parse("{_id: 'foreign number', _version: 5}")));
    write(upsert(KEY, 50, "{a: 1}"));

    PipelineResult result = load(100, upsert(KEY, 150, "{a: 2}"));

    assertThat(stored.distinct("_id", String.class))
        .containsExactlyInAnyOrder("same", "foreign", "foreign text", "foreign number", "o1");
    assertThat(counter(result, "documentsSwept")).isEqualTo(1);
    assertThat(counter(result, "documentsWritten")).isEqualTo(1);
  }

  @Test
  void aLoadWithoutDocumentsRemovesThoseOfOlderGenerations() {
    write(upsert(KEY, 50, "{a: 1}"));

    assertThat(counter(load(100), "documentsSwept")).isEqualTo(1);
    assertThat(documents()).isEmpty();
  }

  @Test
  void withoutAFirstVersionNothingIsRemoved() {
    write(upsert(KEY, 50, "{a: 1}"));

    assertThat(counter(load(0), "documentsSwept")).isZero();
    assertThat(documents()).hasSize(1);
  }

  /** Writes changes, then lets the watermark move on. */
  private PipelineResult load(long firstVersion, DocumentChange... changes) {
    TestStream.Builder<DocumentChange> stream = TestStream.create(DocumentChangeCoder.of());
    for (DocumentChange change : changes) {
      stream = stream.addElements(change);
    }
    Pipeline pipeline = Pipeline.create();
    pipeline
        .apply(stream.advanceWatermarkToInfinity())
        .apply(
            "Write",
            MongoDocuments.write()
                .withUri(server.uri())
                .withDatabase(DATABASE)
                .withCollection(COLLECTION)
                .withFirstVersion(firstVersion));
    PipelineResult result = pipeline.run();
    result.waitUntilFinish();
    return result;
  }

  @Test
  void nothingIsLostWhenTheServerRestartsInTheMiddle() throws Exception {
    int documents = 20_000;
    OutageWatch outage = new OutageWatch();
    Thread restart =
        new Thread(
            () -> {
              awaitDocuments(2000);
              server.stop();
              outage.await();
              server.startAgain();
            });
    try (outage) {
      restart.start();
      PipelineResult result =
          write(
              IntStream.range(0, documents)
                  .mapToObj(i -> upsert(new BsonInt32(i), 1, "{a: " + i + "}"))
                  .toArray(DocumentChange[]::new));
      restart.join();
      assertThat(counter(result, "writeRetries")).isPositive();
      assertThat(counter(result, "documentsWritten")).isEqualTo(documents);
      assertThat(counter(result, "documentsInserted")).isEqualTo(documents);
      assertThat(counter(result, "staleWritesRefused")).isZero();
    }
    assertThat(stored.countDocuments()).isEqualTo(documents);
  }

  @Test
  void wrongCredentialsFailWithoutShowingThem() {
    assertThatThrownBy(
            () ->
                write(
                    sink().withUri("mongodb://cdc:s3cret@127.0.0.1:" + server.port()),
                    upsert(KEY, 1, "{a: 1}")))
        .rootCause()
        .isInstanceOf(MongoTargetException.class)
        .hasMessageContaining("shop.orders at 127.0.0.1")
        .hasMessageNotContaining("s3cret");
  }

  @Test
  void aDocumentThatTheServerRefusesIsNamed() {
    BsonValue array = new BsonArray(List.of(new BsonInt32(1)));
    assertThatThrownBy(() -> write(upsert(array, 1, "{a: 1}"), upsert(KEY, 1, "{a: 1}")))
        .rootCause()
        .isInstanceOf(MongoTargetException.class)
        .hasMessageStartingWith(
            "Cannot write to shop.orders at 127.0.0.1:"
                + server.port()
                + ": the document with {\"_id\": [1]} was refused: ");
    assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 1, \"a\": 1}");
  }

  @Test
  void aUniqueIndexInTheWayIsNotTakenForAStaleVersion() {
    stored.createIndex(Document.parse("{mail: 1}"), new IndexOptions().unique(true));
    write(upsert(new BsonString("o0"), 1, "{mail: 'x'}"));
    assertThatThrownBy(() -> write(upsert(KEY, 1, "{mail: 'x'}")))
        .rootCause()
        .isInstanceOf(MongoTargetException.class)
        .hasMessageContaining("the document with {\"_id\": \"o1\"} was refused: ")
        .hasMessageContaining("mail");
  }

  @ParameterizedTest
  @EnumSource(VersionGuard.class)
  void aDocumentOver16MegabytesIsADeadLetterAndNoStaleOneStays(VersionGuard guard) {
    try (var forced = force(guard)) {
      write(upsert(KEY, 1, "{a: 1}"), upsert(new BsonInt32(2), 1, "{b: 1}"));

      PipelineResult refused =
          writeWithLetters(replace(KEY, 2, large()), replace(new BsonInt32(2), 2, "{b: 2}"));
      assertThat(documents()).containsExactly("{\"_id\": 2, \"_version\": 2, \"b\": 2}");
      assertThat(counter(refused, "deadLetters")).isEqualTo(1);
      assertThat(counter(refused, "documentsDeleted")).isEqualTo(1);
      assertThat(counter(refused, "documentsWritten")).isEqualTo(1);
      Document letter = letters().get(0);
      assertThat(letter)
          .containsEntry("stage", "write")
          .containsEntry("place", "shop.orders")
          .containsEntry("source", "shop")
          .containsEntry("namespace", "sales")
          .containsEntry("table", "orders")
          .containsEntry("key", new Document("_id", "o1"))
          .containsEntry("position", new Document("sequence", 2L))
          .doesNotContainKeys("before", "after");
      assertThat(letter.getString("reason"))
          .contains("shop.orders", "o1")
          .contains("is 17.0 MB large, and MongoDB stores at most 16 MB");

      // What is older than the refused version must not fill the gap.
      writeWithLetters(replace(KEY, 1, "{a: 1}"));
      assertThat(documents()).hasSize(1);
      writeWithLetters(replace(KEY, 3, "{a: 3}"));
      assertThat(documents()).contains("{\"_id\": \"o1\", \"_version\": 3, \"a\": 3}");
      assertThat(letters()).hasSize(1);
    }
  }

  @Test
  void aDocumentThatIsOutOfDateAnywayIsNotDeletedForItsSize() {
    write(upsert(KEY, 5, "{a: 5}"));
    writeWithLetters(replace(KEY, 4, large()));
    assertThat(documents()).containsExactly("{\"_id\": \"o1\", \"_version\": 5, \"a\": 5}");
  }

  @Test
  void aDocumentThatTheServerRefusesIsADeadLetterWithTheDocument() {
    stored.createIndex(Document.parse("{mail: 1}"), new IndexOptions().unique(true));
    write(upsert(new BsonString("o0"), 1, "{mail: 'x'}"), upsert(KEY, 1, "{mail: 'y'}"));
    PipelineResult result = writeWithLetters(replace(KEY, 2, "{mail: 'x'}"));
    assertThat(documents()).containsExactly("{\"_id\": \"o0\", \"_version\": 1, \"mail\": \"x\"}");
    assertThat(counter(result, "deadLetters")).isEqualTo(1);
    assertThat(letters())
        .singleElement()
        .satisfies(
            letter -> {
              assertThat(letter).containsEntry("after", new Document("mail", "x"));
              assertThat(letter.getString("reason")).contains("was refused").contains("mail");
            });
  }

  @Test
  void aLetterThatComesAgainWithAHigherNumberIsStillOneLetter() {
    DeadLetter first = letter(1, "{id: 1, a: 2}");
    for (DeadLetter letter : List.of(first, letter(7, "{id: 1, a: 2}"), first)) {
      writeLetters(letter);
    }
    assertThat(letters())
        .singleElement()
        .satisfies(
            letter ->
                assertThat(letter)
                    .containsEntry(
                        "position",
                        new Document("sequence", 7L).append("log", new Document("pos", 4)))
                    .containsEntry("before", new Document("id", 1))
                    .containsEntry("after", new Document("id", 1).append("a", 2)));
    writeLetters(letter(8, "{id: 1, a: 3}"));
    assertThat(letters()).hasSize(2);
  }

  @Test
  void aLetterWhoseRowIsTooLargeSaysSo() {
    writeLetters(letter(1, large()));
    assertThat(letters())
        .singleElement()
        .satisfies(
            letter ->
                assertThat(letter)
                    .containsEntry("omitted", List.of("after"))
                    .containsEntry("before", new Document("id", 1)));
  }

  @Test
  void lettersDoNotCountAsDocuments() {
    PipelineResult result = writeLetters(letter(1, "{id: 1}"));
    assertThat(counter(result, "documentsInserted")).isZero();
    assertThat(counter(result, "documentsWritten")).isZero();
  }

  @Test
  void theDelayIsThatOfTheNewestChange() {
    long now = System.currentTimeMillis();
    PipelineResult result =
        write(
            new DocumentChange(new BsonInt32(1), null, RawBsonDocument.parse("{}"), 1, 0),
            new DocumentChange(new BsonInt32(2), null, RawBsonDocument.parse("{}"), 1, now));
    assertThat(metrics(result, "delayMillis").getGauges())
        .singleElement()
        .satisfies(
            gauge ->
                assertThat(gauge.getCommitted().getValue())
                    .isBetween(0L, System.currentTimeMillis() - now));
  }

  private static DeadLetter letter(long sequence, String after) {
    return new DeadLetter(
        DeadLetter.Stage.READ,
        "",
        ORDERS,
        RawBsonDocument.parse("{id: 1}"),
        sequence,
        RawBsonDocument.parse("{pos: 4}"),
        1_700_000_000_000L,
        "because",
        RawBsonDocument.parse("{id: 1}"),
        RawBsonDocument.parse(after));
  }

  private static String large() {
    return "{a: '" + "x".repeat(17 * 1024 * 1024) + "'}";
  }

  private List<Document> letters() {
    return client.getDatabase(DATABASE).getCollection("letters").find().into(new ArrayList<>());
  }

  private PipelineResult writeLetters(DeadLetter... letters) {
    Pipeline pipeline = Pipeline.create();
    pipeline
        .apply(Create.of(List.of(letters)).withCoder(DeadLetterCoder.of()))
        .apply(sink().withCollection("letters").ofDeadLetters());
    PipelineResult result = pipeline.run();
    result.waitUntilFinish();
    return result;
  }

  private PipelineResult writeWithLetters(DocumentChange... changes) {
    Pipeline pipeline = Pipeline.create();
    try (DeadLetters<PDone> letters =
        DeadLetters.to(pipeline, sink().withCollection("letters").ofDeadLetters())) {
      apply(pipeline, sink().withDeadLetters(letters, ORDERS), changes);
    }
    PipelineResult result = pipeline.run();
    result.waitUntilFinish();
    return result;
  }

  private PipelineResult write(DocumentChange... changes) {
    return write(sink(), changes);
  }

  private MongoDocuments.Write sink() {
    return MongoDocuments.write()
        .withUri(server.uri())
        .withDatabase(DATABASE)
        .withCollection(COLLECTION);
  }

  /** Writes the changes in one bundle: a bundle is not split within an element's output. */
  private static PipelineResult write(MongoDocuments.Write write, DocumentChange... changes) {
    Pipeline pipeline = Pipeline.create();
    apply(pipeline, write, changes);
    PipelineResult result = pipeline.run();
    result.waitUntilFinish();
    return result;
  }

  private static void apply(
      Pipeline pipeline, MongoDocuments.Write write, DocumentChange... changes) {
    pipeline
        .apply(
            Create.of(List.of(List.of(changes))).withCoder(ListCoder.of(DocumentChangeCoder.of())))
        .apply(Flatten.iterables())
        .apply(write);
  }

  /** Both guards work on the server at hand, if not at the same speed. */
  private SharedTarget force(VersionGuard guard) {
    SharedTarget shared =
        SharedTarget.open(
            new MongoTarget(
                server.uri(), DATABASE, COLLECTION, MongoDocuments.DEFAULT_VERSION_FIELD));
    shared.setGuard(guard);
    return shared;
  }

  private List<String> documents() {
    return stored.find().map(Document::toJson).into(new ArrayList<>());
  }

  private void awaitDocuments(long count) {
    while (stored.estimatedDocumentCount() < count) {
      Thread.onSpinWait();
    }
  }

  private static DocumentChange upsert(BsonValue key, long version, String after) {
    return change(key, null, RawBsonDocument.parse(after), version);
  }

  private static DocumentChange replace(BsonValue key, long version, String after) {
    return change(key, RawBsonDocument.parse("{}"), RawBsonDocument.parse(after), version);
  }

  private static DocumentChange delete(BsonValue key, long version) {
    return change(key, RawBsonDocument.parse("{}"), null, version);
  }

  private static DocumentChange change(
      BsonValue key,
      @Nullable RawBsonDocument before,
      @Nullable RawBsonDocument after,
      long version) {
    return new DocumentChange(key, before, after, version, 0);
  }

  private static long counter(PipelineResult result, String name) {
    long sum = 0;
    for (var counter : metrics(result, name).getCounters()) {
      sum += counter.getCommitted();
    }
    return sum;
  }

  private static MetricQueryResults metrics(PipelineResult result, String name) {
    return result
        .metrics()
        .queryMetrics(
            MetricsFilter.builder()
                .addNameFilter(MetricNameFilter.named("widebeam", name))
                .build());
  }

  /** Notices when the sink says that its server is gone. */
  private static final class OutageWatch extends AppenderBase<ILoggingEvent>
      implements AutoCloseable {
    private final Logger logger = (Logger) LoggerFactory.getLogger(SharedTarget.class);
    private final CountDownLatch reported = new CountDownLatch(1);

    OutageWatch() {
      start();
      logger.addAppender(this);
    }

    @Override
    protected void append(ILoggingEvent event) {
      if (event.getLevel() == Level.WARN) {
        reported.countDown();
      }
    }

    void await() {
      try {
        reported.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() {
      logger.detachAppender(this);
    }
  }
}
