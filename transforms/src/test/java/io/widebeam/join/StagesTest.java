package io.widebeam.join;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.BsonRow;
import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.metrics.MetricNameFilter;
import org.apache.beam.sdk.metrics.MetricsFilter;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.testing.TestPipelineExtension;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TimestampedValue;
import org.apache.beam.sdk.values.TupleTagList;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Each stage on its own, and all together, on Beam's direct runner. */
@ExtendWith(TestPipelineExtension.class)
class StagesTest {
  private static final Duration TOMBSTONES = Duration.standardHours(1);

  private static final TableId ORDERS = new TableId("shop", "db", "orders");
  private static final TableId CUSTOMERS = new TableId("shop", "db", "customers");
  private static final TableId ITEMS = new TableId("shop", "db", "items");

  private static final ViewNode VIEW =
      ViewNode.root(
          ORDERS,
          List.of("id"),
          List.of(
              new ViewNode(
                  CUSTOMERS,
                  List.of("id"),
                  List.of("customer"),
                  Embedding.OBJECT,
                  List.of(new JoinColumn("buyer", "id")),
                  List.of(),
                  List.of()),
              new ViewNode(
                  ITEMS,
                  List.of("order", "line"),
                  List.of("items"),
                  Embedding.ARRAY,
                  List.of(new JoinColumn("id", "order")),
                  List.of(),
                  List.of())));

  private static final JoinPlan PLAN = JoinPlan.of(VIEW);
  private static final Stage LOOKUP = new Stage(Stage.Kind.LOOKUP, 0);
  private static final Stage ASSEMBLE = new Stage(Stage.Kind.ASSEMBLE, 1);

  private static final Instant LOAD = Instant.ofEpochMilli(1_000);
  private static final Instant AFTER = LOAD.plus(Duration.millis(2));
  private static final Instant LIVE = LOAD.plus(Duration.standardSeconds(1));

  private TestPipeline pipeline;

  @BeforeEach
  void take(TestPipeline ownPipeline) {
    pipeline = ownPipeline;
  }

  @Test
  void routeSendsARowToItsStageAndTellsTheLookupItPointsAt() {
    PCollectionTuple routed = route(change(ORDERS, null, "{id: 1, buyer: 'c'}", 7));
    PAssert.that(described(routed.get(ASSEMBLE.tag())))
        .containsInAnyOrder("orders row 7 {\"id\": 1, \"buyer\": \"c\"}");
    PAssert.that(described(routed.get(LOOKUP.tag()))).containsInAnyOrder("customer points 7");
    pipeline.run();
  }

  @Test
  void routeTakesBackWhereARowPointedBefore() {
    PCollectionTuple routed =
        route(change(ORDERS, "{id: 1, buyer: 'a'}", "{id: 1, buyer: 'b'}", 8));
    PAssert.that(described(routed.get(LOOKUP.tag())))
        .containsInAnyOrder("customer points 8", "customer leaves 8");
    pipeline.run();
  }

  @Test
  void routeMovesAChildFromOneParentToAnother() {
    PCollectionTuple routed = route(change(ITEMS, "{order: 1, line: 1}", "{order: 2, line: 1}", 9));
    PAssert.that(described(routed.get(ASSEMBLE.tag())))
        .containsInAnyOrder("items row 9 gone", "items row 9 {\"order\": 2, \"line\": 1}");
    pipeline.run();
  }

  @Test
  void routeSubscribesToNothingForANullForeignKey() {
    PCollectionTuple routed = route(change(ORDERS, null, "{id: 1, buyer: null}", 7));
    PAssert.that(described(routed.get(LOOKUP.tag()))).empty();
    pipeline.run();
  }

  @Test
  void aLookupAnswersWhoeverPointsAtItAndAgainWhenTheRowChanges() {
    PCollectionTuple answers =
        lookUp(
            messages()
                .addElements(at(LOAD, row(CUSTOMERS, "{id: 'c', city: 'x'}", 1)))
                .addElements(at(LOAD, points("{id: 1, buyer: 'c'}", 2)))
                .advanceWatermarkTo(LIVE)
                .addElements(at(LIVE, row(CUSTOMERS, "{id: 'c', city: 'y'}", 3)))
                .advanceWatermarkToInfinity());
    PAssert.that(described(answers.get(ASSEMBLE.tag())))
        .containsInAnyOrder(
            "customer answers 2 [{\"id\": \"c\", \"city\": \"x\"}]",
            "customer answers 2 [{\"id\": \"c\", \"city\": \"y\"}]");
    pipeline.run();
  }

  @Test
  void aLookupAnswersWithNothingOnlyWhenTheLoadIsOver() {
    PCollectionTuple answers =
        lookUp(
            messages()
                .addElements(at(LOAD, points("{id: 1, buyer: 'c'}", 2)))
                .addElements(at(LOAD, points("{id: 2, buyer: 'd'}", 3)))
                .addElements(at(LOAD, row(CUSTOMERS, "{id: 'c'}", 4)))
                .advanceWatermarkTo(AFTER)
                .advanceWatermarkToInfinity());
    PAssert.that(described(answers.get(ASSEMBLE.tag())))
        .containsInAnyOrder("customer answers 2 [{\"id\": \"c\"}]", "customer answers 3 []");
    pipeline.run();
  }

  @Test
  void aLookupForgetsWhoHasLeftAndDropsWhatComesLate() {
    PCollectionTuple answers =
        lookUp(
            messages()
                .addElements(at(LOAD, leaves("{id: 1, buyer: 'c'}", 5)))
                .addElements(at(LOAD, points("{id: 1, buyer: 'c'}", 2)))
                .addElements(at(LOAD, row(CUSTOMERS, "{id: 'c'}", 6)))
                .addElements(at(LOAD, row(CUSTOMERS, "{id: 'c', old: true}", 4)))
                .advanceWatermarkToInfinity());
    PAssert.that(described(answers.get(ASSEMBLE.tag()))).empty();
    PipelineResult result = pipeline.run();
    assertThat(counter(result, "staleMessages")).isEqualTo(2);
  }

  @Test
  void anAssemblyHoldsTheLoadBackAndThenEmitsEachDocumentOnceAndComplete() {
    PCollection<DocumentChange> documents =
        pipeline
            .apply(
                TestStream.create(ChangeCoder.of())
                    .addElements(at(LOAD, change(ITEMS, null, "{order: 1, line: 2}", 1)))
                    .addElements(at(LOAD, change(ORDERS, null, "{id: 1, buyer: 'c'}", 2)))
                    .addElements(at(LOAD, change(ITEMS, null, "{order: 1, line: 1}", 3)))
                    .addElements(at(LOAD, change(CUSTOMERS, null, "{id: 'c'}", 4)))
                    .addElements(at(LOAD, change(ORDERS, null, "{id: 2, buyer: 'd'}", 5)))
                    .advanceWatermarkTo(AFTER)
                    .advanceWatermarkToInfinity())
            .apply(WideDocuments.of(VIEW));
    PAssert.that(documents.apply(describeDocuments()))
        .containsInAnyOrder(
            "1: {\"id\": 1, \"buyer\": \"c\", \"customer\": {\"id\": \"c\"}, "
                + "\"items\": [{\"order\": 1, \"line\": 1}, {\"order\": 1, \"line\": 2}]}",
            "2: {\"id\": 2, \"buyer\": \"d\", \"items\": []}");
    pipeline.run();
  }

  @Test
  void anAssemblyWaitsForTheAnswerToANewForeignKey() {
    PCollectionTuple outputs =
        assemble(
            messages()
                .addElements(at(LOAD, row(ORDERS, "{id: 1, buyer: 'a'}", 1)))
                .addElements(at(LOAD, answer("{id: 1, buyer: 'a'}", 1, "{id: 'a'}")))
                .advanceWatermarkTo(AFTER)
                .addElements(at(LIVE, row(ORDERS, "{id: 1, buyer: 'b'}", 5)))
                .addElements(at(LIVE, answer("{id: 1, buyer: 'b'}", 5, "{id: 'b'}")))
                .advanceWatermarkToInfinity());
    PAssert.that(outputs.get(AssembleFn.DOCUMENTS).apply(describeDocuments()))
        .satisfies(
            emitted -> {
              assertThat(emitted)
                  .allMatch(
                      document ->
                          document.contains("\"buyer\": \"a\", \"customer\": {\"id\": \"a\"}")
                              || document.contains(
                                  "\"buyer\": \"b\", \"customer\": {\"id\": \"b\"}"))
                  .anyMatch(document -> document.contains("\"b\""));
              return null;
            });
    pipeline.run();
  }

  @Test
  void anAssemblyWithoutItsHeadIsNoDocument() {
    PCollectionTuple outputs =
        assemble(
            messages()
                .addElements(at(LOAD, row(ITEMS, "{order: 1, line: 1}", 1)))
                .advanceWatermarkToInfinity());
    PAssert.that(outputs.get(AssembleFn.DOCUMENTS)).empty();
    pipeline.run();
  }

  @Test
  void aDeletedRootIsADeletedDocument() {
    PCollection<DocumentChange> documents =
        pipeline
            .apply(
                TestStream.create(ChangeCoder.of())
                    .addElements(at(LOAD, change(ORDERS, null, "{id: 1, buyer: null}", 1)))
                    .advanceWatermarkTo(AFTER)
                    .addElements(at(LIVE, change(ORDERS, "{id: 1, buyer: null}", null, 2)))
                    .advanceWatermarkToInfinity())
            .apply(WideDocuments.of(VIEW));
    PAssert.that(documents.apply(describeDocuments()))
        .containsInAnyOrder("1: {\"id\": 1, \"buyer\": null, \"items\": []}", "1: gone");
    pipeline.run();
  }

  @Test
  void aKeyThatIsGivenAnotherTypeIsTheSameDocument() {
    PCollection<DocumentChange> documents =
        pipeline
            .apply(
                TestStream.create(ChangeCoder.of())
                    .addElements(at(LOAD, change(ORDERS, null, "{id: 1, buyer: null}", 1)))
                    .advanceWatermarkTo(AFTER)
                    .addElements(
                        at(LIVE, change(ORDERS, null, "{id: {$numberLong: '1'}, buyer: null}", 2)))
                    .addElements(
                        at(
                            LIVE.plus(Duration.millis(1)),
                            change(
                                ORDERS,
                                "{id: {$numberLong: '1'}, buyer: null}",
                                "{id: {$numberDecimal: '1.00'}, buyer: null}",
                                3)))
                    .advanceWatermarkToInfinity())
            .apply(WideDocuments.of(VIEW));
    PAssert.that(documents.apply(describeDocuments()))
        .satisfies(
            emitted -> {
              assertThat(emitted).noneMatch(document -> document.endsWith("gone"));
              assertThat(emitted)
                  .anyMatch(document -> document.contains("\"$numberDecimal\": \"1.00\""));
              return null;
            });
    pipeline.run();
  }

  @Test
  void aRowWithoutItsKeyIsADeadLetterAndGoneFromTheDocument() {
    PCollection<DeadLetter> letters =
        joinItems(
            "{\"id\": 1, \"items\": []}",
            change(ITEMS, null, "{order: 1, line: 4}", 2),
            change(ITEMS, null, "{order: 1, line: null}", 3),
            change(ITEMS, "{order: 1, line: 4}", "{order: 1, x: 5}", 4));
    PAssert.that(letters)
        .containsInAnyOrder(
            itemWithoutKey(3, null, "{order: 1, line: null}"),
            itemWithoutKey(4, "{order: 1, line: 4}", "{order: 1, x: 5}"));
    assertThat(counter(pipeline.run(), "deadLetters")).isEqualTo(2);
  }

  @Test
  void aRowThatWasADeadLetterComesBackWhenItIsMended() {
    PCollection<DeadLetter> letters =
        joinItems(
            "{\"id\": 1, \"items\": [{\"order\": 1, \"line\": 6}]}",
            change(ITEMS, null, "{order: 1, x: 5}", 2),
            change(ITEMS, "{order: 1, x: 5}", "{order: 1, line: 6}", 3),
            change(ITEMS, "{order: 1, x: 7}", null, 4));
    PAssert.that(letters).containsInAnyOrder(itemWithoutKey(2, null, "{order: 1, x: 5}"));
    pipeline.run();
  }

  /** The dead letters, and in the end that document. */
  private PCollection<DeadLetter> joinItems(String expected, Change... items) {
    DeadLetters<PCollection<DeadLetter>> letters =
        DeadLetters.to(
            pipeline,
            MapElements.into(TypeDescriptor.of(DeadLetter.class))
                .via((DeadLetter letter) -> letter));
    TestStream.Builder<Change> changes =
        TestStream.create(ChangeCoder.of())
            .addElements(at(LOAD, change(ORDERS, null, "{id: 1}", 1)));
    for (Change item : items) {
      changes = changes.addElements(at(LOAD, item));
    }
    PCollection<DocumentChange> documents =
        pipeline
            .apply(changes.advanceWatermarkToInfinity())
            .apply(WideDocuments.of(VIEW).withDeadLetters(letters));
    letters.close();
    PAssert.that(documents.apply(describeDocuments())).containsInAnyOrder("1: " + expected);
    return letters.getOutput();
  }

  private static DeadLetter itemWithoutKey(long sequence, @Nullable String before, String after) {
    return new DeadLetter(
        DeadLetter.Stage.JOIN,
        "items",
        ITEMS,
        null,
        sequence,
        null,
        sequence,
        "A row of shop.db.items cannot be joined: it has no value in its primary key order, line",
        raw(before),
        raw(after));
  }

  @Test
  void withoutAHandlerARowWithoutItsKeyFailsThePipeline() {
    pipeline
        .apply(
            TestStream.create(ChangeCoder.of())
                .addElements(change(ITEMS, null, "{order: 1}", 1))
                .advanceWatermarkToInfinity())
        .apply(WideDocuments.of(VIEW));
    assertThatThrownBy(() -> pipeline.run())
        .hasStackTraceContaining("A row of shop.db.items cannot be joined: it has no value");
  }

  private PCollectionTuple route(Change change) {
    return withCoders(
        pipeline
            .apply(
                TestStream.create(ChangeCoder.of())
                    .addElements(change)
                    .advanceWatermarkToInfinity())
            .apply(ParDo.of(new RouteFn(PLAN)).withOutputTags(AssembleFn.DOCUMENTS, tags())));
  }

  private PCollectionTuple lookUp(TestStream<KV<JoinKey, Message>> input) {
    return withCoders(
        pipeline
            .apply(input)
            .apply(
                ParDo.of(new LookupFn(PLAN, TOMBSTONES))
                    .withOutputTags(AssembleFn.DOCUMENTS, tags())));
  }

  private PCollectionTuple assemble(TestStream<KV<JoinKey, Message>> input) {
    return withCoders(
        pipeline
            .apply(input)
            .apply(
                ParDo.of(new AssembleFn(PLAN, false, 0, TOMBSTONES))
                    .withOutputTags(AssembleFn.DOCUMENTS, tags())));
  }

  private static PCollectionTuple withCoders(PCollectionTuple outputs) {
    outputs.get(LOOKUP.tag()).setCoder(WideDocuments.MESSAGES);
    outputs.get(ASSEMBLE.tag()).setCoder(WideDocuments.MESSAGES);
    return outputs;
  }

  private static TupleTagList tags() {
    return TupleTagList.of(LOOKUP.tag()).and(ASSEMBLE.tag());
  }

  private static TestStream.Builder<KV<JoinKey, Message>> messages() {
    return TestStream.create(WideDocuments.MESSAGES);
  }

  private static <T> TimestampedValue<T> at(Instant time, T value) {
    return TimestampedValue.of(value, time);
  }

  private static Change change(
      TableId table, @Nullable String before, @Nullable String after, long sequence) {
    return new Change(table, raw(before), raw(after), sequence, sequence, false);
  }

  private static JoinPlan.Node node(TableId table) {
    return PLAN.nodesByTable().get(table).get(0);
  }

  private static KV<JoinKey, Message> row(TableId table, String json, long version) {
    JoinPlan.Node node = node(table);
    byte[] row = bytes(json);
    Place place = node.isPlainLookup() ? Place.lookup(node, row) : Place.assembly(node, row);
    return KV.of(
        place.key(),
        new Message.Row(
            node.index, place.address(), row, version, null, new long[] {version}, version, false));
  }

  private static KV<JoinKey, Message> points(String order, long version) {
    return subscription(order, version, true);
  }

  private static KV<JoinKey, Message> leaves(String order, long version) {
    return subscription(order, version, false);
  }

  private static KV<JoinKey, Message> subscription(String order, long version, boolean pointing) {
    JoinPlan.Node customers = node(CUSTOMERS);
    Place place = Place.assembly(node(ORDERS), bytes(order));
    return KV.of(
        customers.lookupKeyOf(bytes(order)),
        new Message.Subscription(
            customers.index,
            place.key(),
            place.address(),
            pointing,
            version,
            new long[] {version},
            version));
  }

  private static KV<JoinKey, Message> answer(String order, long subscription, String customer) {
    JoinPlan.Node customers = node(CUSTOMERS);
    Place place = Place.assembly(node(ORDERS), bytes(order));
    return KV.of(
        place.key(),
        new Message.Answer(
            customers.index,
            place.address(),
            customers.lookupKeyOf(bytes(order)),
            subscription,
            1,
            new byte[][] {bytes(customer)},
            new long[] {subscription},
            subscription,
            false));
  }

  private static PCollection<String> described(PCollection<KV<JoinKey, Message>> messages) {
    return messages.apply(
        "Describe " + messages.getName(),
        MapElements.into(TypeDescriptors.strings()).via(message -> describe(message.getValue())));
  }

  private static String describe(Message message) {
    if (message instanceof Message.Row row) {
      return PLAN.nodes.get(row.node())
          + " row "
          + row.version()
          + " "
          + (row.row() == null ? "gone" : new RawBsonDocument(row.row()).toJson());
    } else if (message instanceof Message.Subscription subscription) {
      return PLAN.nodes.get(subscription.node())
          + (subscription.pointing() ? " points " : " leaves ")
          + subscription.version();
    }
    Message.Answer answer = (Message.Answer) message;
    return PLAN.nodes.get(answer.node())
        + " answers "
        + answer.subscription()
        + " "
        + List.of(answer.rows()).stream().map(row -> new RawBsonDocument(row).toJson()).toList();
  }

  private static MapElements<DocumentChange, String> describeDocuments() {
    return MapElements.into(TypeDescriptors.strings())
        .via(
            change ->
                change.key().asNumber().intValue()
                    + ": "
                    + (change.after() == null ? "gone" : change.after().toJson()));
  }

  private static long counter(PipelineResult result, String name) {
    long sum = 0;
    for (var counter :
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

  @Nullable
  private static RawBsonDocument raw(@Nullable String json) {
    return json == null ? null : new RawBsonDocument(bytes(json));
  }

  private static byte[] bytes(String json) {
    return BsonRow.bytes(new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec()));
  }
}
