package io.widebeam.join;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.List;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.testing.TestPipelineExtension;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TimestampedValue;
import org.apache.beam.sdk.values.TupleTagList;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes whose rows are not their tables' own: rows left out, columns left out and renamed. */
@ExtendWith(TestPipelineExtension.class)
class NodeRowsTest {
  private static final TableId ORDERS = new TableId("shop", "db", "orders");
  private static final TableId CUSTOMERS = new TableId("shop", "db", "customers");
  private static final TableId ITEMS = new TableId("shop", "db", "items");
  private static final TableId STOCK = new TableId("shop", "db", "stock");

  private TestPipeline pipeline;

  @BeforeEach
  void take(TestPipeline ownPipeline) {
    pipeline = ownPipeline;
  }

  private static ViewNode orders(ViewNode... lookups) {
    return ViewNode.root(ORDERS, List.of("id"), List.of(lookups));
  }

  private static ViewNode customer() {
    return new ViewNode(
        CUSTOMERS,
        List.of("id"),
        List.of("customer"),
        Embedding.OBJECT,
        List.of(new JoinColumn("buyer", "id")),
        List.of(),
        List.of());
  }

  private static ViewNode items() {
    return new ViewNode(
        ITEMS,
        List.of("order", "line"),
        List.of("items"),
        Embedding.ARRAY,
        List.of(new JoinColumn("id", "order")),
        List.of(),
        List.of());
  }

  /** Only rows with a true {@code on}, without their {@code unused}. */
  private static RowFunction switchedOn() {
    return row -> {
      BsonDocument kept = new BsonDocument();
      row.forEach(
          (name, value) -> {
            if (!Set.of("on", "unused").contains(name)) {
              kept.append(name, value);
            }
          });
      return row.getBoolean("on").getValue() ? raw(kept) : null;
    };
  }

  @Test
  void aRootRowThatStartsOrStopsMatchingIsADocumentThatAppearsOrDisappears() {
    documentsOf(
        orders(items()).withRows(switchedOn()),
        changes()
            .load(ITEMS, "{order: 1, line: 1}")
            .load(ORDERS, "{id: 1, on: false}")
            .update(ORDERS, "{id: 1, on: false}", "{id: 1, on: true}")
            .update(ORDERS, "{id: 1, on: true}", "{id: 1, on: false}")
            .update(ORDERS, "{id: 1, on: false}", "{id: 1, on: true, late: 1}"),
        "1: {\"id\": 1, \"items\": [{\"order\": 1, \"line\": 1}]}",
        "1: gone",
        "1: {\"id\": 1, \"late\": 1, \"items\": [{\"order\": 1, \"line\": 1}]}");
  }

  @Test
  void aRootRowThatDoesNotMatchWhenItIsDeletedIsNoDocument() {
    documentsOf(
        orders().withRows(switchedOn()),
        changes().load(ORDERS, "{id: 1, on: false}").update(ORDERS, "{id: 1, on: false}", null));
  }

  @Test
  void anObjectThatStartsOrStopsMatchingAppearsOrDisappears() {
    documentsOf(
        orders(customer().withRows(switchedOn())),
        changes()
            .load(CUSTOMERS, "{id: 'c', on: false}")
            .load(ORDERS, "{id: 1, buyer: 'c'}")
            .update(CUSTOMERS, "{id: 'c', on: false}", "{id: 'c', on: true}")
            .update(CUSTOMERS, "{id: 'c', on: true}", "{id: 'c', on: false}"),
        "1: {\"id\": 1, \"buyer\": \"c\"}",
        "1: {\"id\": 1, \"buyer\": \"c\", \"customer\": {\"id\": \"c\"}}",
        "1: {\"id\": 1, \"buyer\": \"c\"}");
  }

  @Test
  void anElementThatStartsOrStopsMatchingAppearsInOrDisappearsFromItsArray() {
    documentsOf(
        orders(items().withRows(switchedOn())),
        changes()
            .load(ITEMS, "{order: 1, line: 1, on: true}")
            .load(ITEMS, "{order: 1, line: 2, on: false}")
            .load(ORDERS, "{id: 1}")
            .update(ITEMS, "{order: 1, line: 2, on: false}", "{order: 1, line: 2, on: true}")
            .update(ITEMS, "{order: 1, line: 1, on: true}", "{order: 1, line: 1, on: false}"),
        "1: {\"id\": 1, \"items\": [{\"order\": 1, \"line\": 1}]}",
        "1: {\"id\": 1, \"items\": [{\"order\": 1, \"line\": 1}, {\"order\": 1, \"line\": 2}]}",
        "1: {\"id\": 1, \"items\": [{\"order\": 1, \"line\": 2}]}");
  }

  @Test
  void anUpdateOfUnusedColumnsIsNoMessage() {
    JoinPlan plan = JoinPlan.of(orders(customer()).withRows(switchedOn()));
    Stage lookup = new Stage(Stage.Kind.LOOKUP, 0);
    Stage assemble = new Stage(Stage.Kind.ASSEMBLE, 1);
    PCollectionTuple routed =
        pipeline
            .apply(
                changes()
                    .update(
                        ORDERS,
                        "{id: 1, buyer: 'c', on: true, unused: 1}",
                        "{id: 1, buyer: 'c', on: true, unused: 2}")
                    .update(ORDERS, "{id: 2, on: false}", "{id: 3, on: false}")
                    .stream
                    .advanceWatermarkToInfinity())
            .apply(
                ParDo.of(new RouteFn(plan))
                    .withOutputTags(
                        AssembleFn.DOCUMENTS, TupleTagList.of(lookup.tag()).and(assemble.tag())));
    PAssert.that(routed.get(lookup.tag()).setCoder(WideDocuments.MESSAGES)).empty();
    PAssert.that(routed.get(assemble.tag()).setCoder(WideDocuments.MESSAGES)).empty();
    pipeline.run();
  }

  @Test
  void columnsThatOnlyTheJoinsNeedAreNotShown() {
    String order = ViewNode.hidden("order");
    String line = ViewNode.hidden("line");
    String buyer = ViewNode.hidden("buyer");
    String id = ViewNode.hidden("id");
    ViewNode root =
        new ViewNode(
            ORDERS,
            List.of("id"),
            List.of(),
            Embedding.ROOT,
            List.of(),
            List.of(),
            List.of(
                new ViewNode(
                        CUSTOMERS,
                        List.of(id),
                        List.of("customer"),
                        Embedding.OBJECT,
                        List.of(new JoinColumn(buyer, id)),
                        List.of(),
                        List.of())
                    .withRows(renaming("id", id)),
                new ViewNode(
                        ITEMS,
                        List.of(order, line),
                        List.of("items"),
                        Embedding.ARRAY,
                        List.of(new JoinColumn("id", order)),
                        List.of(),
                        List.of(
                            new ViewNode(
                                    STOCK,
                                    List.of(id),
                                    List.of(),
                                    Embedding.MERGED,
                                    List.of(new JoinColumn("product", id)),
                                    List.of(),
                                    List.of())
                                .withRows(renaming("id", id))))
                    .withRows(renaming("order", order, "line", line))),
            renaming("buyer", buyer));
    documentsOf(
        root,
        changes()
            .load(STOCK, "{id: 'p', left: 3}")
            .load(CUSTOMERS, "{id: 'c', city: 'x'}")
            .load(ITEMS, "{order: 1, line: 2, product: 'q'}")
            .load(ITEMS, "{order: 1, line: 1, product: 'p'}")
            .load(ORDERS, "{id: 1, buyer: 'c'}"),
        "1: {\"id\": 1, \"customer\": {\"city\": \"x\"}, "
            + "\"items\": [{\"product\": \"p\", \"left\": 3}, {\"product\": \"q\"}]}");
  }

  @Test
  void anAssembledRowCarriesItsHiddenColumnsToItsParentAndNoFurther() {
    String id = ViewNode.hidden("id");
    String city = ViewNode.hidden("city");
    ViewNode root =
        orders(
            new ViewNode(
                    CUSTOMERS,
                    List.of(id),
                    List.of("customer"),
                    Embedding.OBJECT,
                    List.of(new JoinColumn("buyer", id)),
                    List.of(),
                    List.of(
                        new ViewNode(
                            STOCK,
                            List.of("id"),
                            List.of("city"),
                            Embedding.OBJECT,
                            List.of(new JoinColumn(city, "id")),
                            List.of(),
                            List.of())))
                .withRows(renaming("id", id, "city", city)));
    documentsOf(
        root,
        changes()
            .load(STOCK, "{id: 'x', size: 3}")
            .load(CUSTOMERS, "{id: 'c', city: 'x', name: 'n'}")
            .load(ORDERS, "{id: 1, buyer: 'c'}")
            .update(
                CUSTOMERS, "{id: 'c', city: 'x', name: 'n'}", "{id: 'c', city: 'y', name: 'n'}"),
        "1: {\"id\": 1, \"buyer\": \"c\", "
            + "\"customer\": {\"name\": \"n\", \"city\": {\"id\": \"x\", \"size\": 3}}}",
        "1: {\"id\": 1, \"buyer\": \"c\", \"customer\": {\"name\": \"n\"}}");
  }

  @Test
  void aCompositeKeyHasItsPublicNamesWhereItIsNotShown() {
    String line = ViewNode.hidden("line");
    ViewNode root =
        ViewNode.root(ITEMS, List.of("order", line), List.of()).withRows(renaming("line", line));
    documentsOf(
        root,
        changes().load(ITEMS, "{order: 1, line: 2, product: 'q'}"),
        "{\"order\": 1, \"line\": 2}: {\"order\": 1, \"product\": \"q\"}");
  }

  /** Other names for some columns: from, to, from, to. */
  private static RowFunction renaming(String... names) {
    return row -> {
      BsonDocument renamed = new BsonDocument();
      row.forEach(
          (name, value) -> {
            int at = List.of(names).indexOf(name);
            renamed.append(at < 0 ? name : names[at + 1], value);
          });
      return raw(renamed);
    };
  }

  private void documentsOf(ViewNode root, Changes changes, String... expectedInAnyOrder) {
    PAssert.that(
            pipeline
                .apply(changes.stream.advanceWatermarkToInfinity())
                .apply(WideDocuments.of(root))
                .apply(MapElements.into(TypeDescriptors.strings()).via(NodeRowsTest::describe)))
        .satisfies(
            documents -> {
              assertThat(documents).containsExactlyInAnyOrder(expectedInAnyOrder);
              return null;
            });
    pipeline.run();
  }

  private static String describe(DocumentChange change) {
    String key =
        change.key().isDocument()
            ? change.key().asDocument().toJson()
            : Integer.toString(change.key().asInt32().getValue());
    return key + ": " + (change.after() == null ? "gone" : change.after().toJson());
  }

  private static Changes changes() {
    return new Changes();
  }

  /** A load, and updates that each come when what was before is through. */
  private static final class Changes {
    private TestStream.Builder<Change> stream = TestStream.create(ChangeCoder.of());
    private long sequence;
    private Instant now = Instant.ofEpochMilli(1_000);

    Changes load(TableId table, String row) {
      return add(table, null, row);
    }

    Changes update(TableId table, @Nullable String before, @Nullable String after) {
      now = now.plus(Duration.standardSeconds(1));
      stream = stream.advanceWatermarkTo(now);
      return add(table, before, after);
    }

    private Changes add(TableId table, @Nullable String before, @Nullable String after) {
      sequence++;
      stream =
          stream.addElements(
              TimestampedValue.of(
                  new Change(table, parsed(before), parsed(after), sequence, sequence, false),
                  now));
      return this;
    }
  }

  @Nullable
  private static RawBsonDocument parsed(@Nullable String json) {
    return json == null ? null : raw(BsonDocument.parse(json));
  }

  private static RawBsonDocument raw(BsonDocument document) {
    return new RawBsonDocument(document, new BsonDocumentCodec());
  }
}
