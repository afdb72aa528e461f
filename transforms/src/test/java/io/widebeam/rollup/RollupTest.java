package io.widebeam.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentChangeCoder;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.view.RowException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.util.CoderUtils;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TimestampedValue;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.bson.BsonArray;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.jupiter.api.Test;

class RollupTest {
  private static final int SEEDS = Integer.getInteger("widebeam.rollupSeeds", 3);
  private static final long FIRST = Long.getLong("widebeam.seed", 1);

  private static final Instant LOAD = Instant.ofEpochMilli(1_000_000);

  private static final Aggregation EVERYTHING =
      new Aggregation(
          RollupTest::rows,
          List.of("shop", "day"),
          List.of(
              new Aggregate("rows", Function.COUNT_ROWS),
              new Aggregate("fees", Function.COUNT),
              new Aggregate("sum", Function.SUM),
              new Aggregate("avg", Function.AVG, 6),
              new Aggregate("least", Function.MIN),
              new Aggregate("most", Function.MAX),
              new Aggregate("different", Function.COUNT_DISTINCT)));

  /** One row per item, in the shop's group of the day. */
  private static void rows(RawBsonDocument document, BiConsumer<BsonDocument, BsonDocument> row) {
    for (BsonValue item : document.getArray("items")) {
      BsonDocument values = new BsonDocument();
      for (String field : List.of("fees", "sum", "avg", "least", "most", "different")) {
        values.put(field, item.asDocument().get("fee"));
      }
      BsonDocument group = new BsonDocument("shop", document.get("shop"));
      row.accept(group.append("day", item.asDocument().get("day")), values);
    }
  }

  @Test
  void anyHistoryInAnyOrderEndsEqualToTheGrouping() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      Random random = new Random(seed);
      TreeMap<Integer, BsonDocument> documents = new TreeMap<>();
      List<DocumentChange> load = history(random, documents, 10, 1);
      List<DocumentChange> live = history(random, documents, 40, 1_000);
      Collections.shuffle(load, random);
      Collections.shuffle(live, random);
      try {
        run(
            EVERYTHING,
            random.nextBoolean() ? Duration.ZERO : Duration.standardSeconds(1),
            GroupsInTarget.NONE,
            expected(documents.values()),
            load,
            live);
      } catch (Throwable failure) {
        throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
      }
    }
  }

  @Test
  void theGreatestValueComesBackWhenAGreaterOneIsDeleted() {
    BsonDocument high = document(1, item(1, new BsonInt32(10)));
    BsonDocument low = document(1, item(1, new BsonInt32(4)));
    run(
        aggregation(Function.MAX),
        Duration.ZERO,
        GroupsInTarget.NONE,
        Map.of(group(1, 1), row(1, 1, new BsonInt32(4))),
        List.of(change(1, null, low, 1), change(2, null, high, 2)),
        List.of(change(2, high, null, 3)));
  }

  @Test
  void aDocumentThatMovesLeavesNoEmptyGroupBehind() {
    BsonDocument before = document(1, item(1, new BsonInt32(10)));
    BsonDocument after = document(2, item(1, new BsonInt32(10)));
    run(
        aggregation(Function.SUM),
        Duration.standardSeconds(1),
        GroupsInTarget.NONE,
        Map.of(group(2, 1), row(2, 1, new BsonInt64(10))),
        List.of(change(1, null, before, 1)),
        List.of(change(1, before, after, 2)));
  }

  @Test
  void whatCannotBeRolledUpIsADeadLetterAndTheRestGoesOn() {
    BsonDocument good = document(1, item(1, new BsonInt32(10)));
    BsonDocument bad = document(1, item(1, new BsonString("ten")));
    Pipeline pipeline = pipeline();
    List<String> reasons =
        List.of(
            "A document cannot be rolled up: `value` cannot be computed of"
                + " BsonString{value='ten'}: it is no number",
            "The row of a group cannot be computed: too much");
    DeadLetters<PCollection<String>> letters =
        DeadLetters.to(
            pipeline,
            MapElements.into(TypeDescriptors.strings())
                .via((DeadLetter letter) -> letter.reason()));
    PAssert.that(
            pipeline
                .apply(
                    stream(
                        List.of(change(1, null, good, 1), change(2, null, bad, 2)),
                        List.of(
                            change(2, bad, document(2, item(1, new BsonInt32(99))), 3),
                            change(3, null, document(3, item(1, new BsonInt32(1))), 4))))
                .apply(
                    Rollup.of(aggregation(Function.SUM))
                        .withRow(RollupTest::notTooMuch)
                        .withDeadLetters(letters, new TableId("s", "d", "orders"))))
        .satisfies(
            changes -> {
              assertThat(last(changes).keySet())
                  .extracting(group -> group.getInt32("shop").getValue())
                  .containsExactlyInAnyOrder(1, 3);
              return null;
            });
    letters.close();
    PAssert.that(letters.getOutput())
        .satisfies(
            found -> {
              assertThat(found).containsOnlyOnceElementsOf(reasons).hasSameSizeAs(reasons);
              return null;
            });
    pipeline.run();
  }

  private static RawBsonDocument notTooMuch(RawBsonDocument row) {
    if (row.get("value").asNumber().intValue() > 50) {
      throw new RowException("too much");
    }
    return row;
  }

  @Test
  void aGroupThatOnlyACrashedRunKnewIsDeletedFromTheTarget() {
    BsonDocument document = document(1, item(1, new BsonInt32(10)));
    Pipeline pipeline = pipeline();
    PAssert.that(
            pipeline
                .apply(stream(List.of(change(1, null, document, 1)), List.of()))
                .apply(
                    Rollup.of(aggregation(Function.SUM))
                        .reconciledWith(groups -> groups.accept(group(7, 7)))))
        .satisfies(
            changes -> {
              List<DocumentChange> deleted = new ArrayList<>();
              changes.forEach(
                  change -> {
                    if (change.after() == null) {
                      deleted.add(change);
                    }
                  });
              assertThat(deleted).hasSize(1);
              assertThat(deleted.get(0).existed()).isTrue();
              assertThat(new HashMap<>(deleted.get(0).key().asDocument()))
                  .isEqualTo(new HashMap<>(group(7, 7)));
              return null;
            });
    pipeline.run();
  }

  @Test
  void aGroupThatComesBackOutranksItsDeletionAlsoWithinAMillisecond() {
    BsonDocument one = document(1, item(1, new BsonInt32(1)));
    BsonDocument seven = document(7, item(7, new BsonInt32(7)));
    Pipeline pipeline = pipeline();
    PAssert.that(
            pipeline
                .apply(stream(List.of(change(1, null, one, 1)), List.of(change(2, null, seven, 2))))
                .apply(
                    Rollup.of(aggregation(Function.SUM))
                        .every(Duration.ZERO)
                        .reconciledWith(groups -> groups.accept(group(7, 7)))
                        .withClock(() -> 5)))
        .satisfies(
            changes -> {
              assertThat(last(changes)).containsKey(group(7, 7));
              List<Long> versions = new ArrayList<>();
              for (DocumentChange change : changes) {
                if (plain(change.key().asDocument()).equals(group(7, 7))) {
                  versions.add(change.version());
                }
              }
              // The row may be emitted once more when the source lets go.
              assertThat(versions).hasSizeGreaterThanOrEqualTo(2).doesNotHaveDuplicates();
              return null;
            });
    pipeline.run();
  }

  @Test
  void ofWhatChangedWithinAPeriodOneRowIsEmitted() {
    BsonDocument one = document(1, item(1, new BsonInt32(1)));
    BsonDocument two = document(1, item(1, new BsonInt32(2)));
    BsonDocument three = document(1, item(1, new BsonInt32(3)));
    Pipeline pipeline = pipeline();
    PAssert.that(
            pipeline
                .apply(
                    stream(
                        List.of(change(1, null, one, 1)),
                        List.of(change(1, one, two, 2), change(1, two, three, 3))))
                .apply(Rollup.of(aggregation(Function.SUM)).every(Duration.standardMinutes(1))))
        .satisfies(
            changes -> {
              List<BsonValue> sums = new ArrayList<>();
              changes.forEach(change -> sums.add(change.after().get("value")));
              assertThat(sums).containsExactlyInAnyOrder(new BsonInt64(1), new BsonInt64(3));
              return null;
            });
    pipeline.run();
  }

  @Test
  void oneGroupOfEverythingStaysWhenItIsEmpty() {
    Aggregation all =
        new Aggregation(
            RollupTest::rows, List.of(), List.of(new Aggregate("fees", Function.COUNT)));
    BsonDocument document = document(1, item(1, new BsonInt32(10)));
    run(
        all,
        Duration.ZERO,
        GroupsInTarget.NONE,
        Map.of(new BsonDocument(), new BsonDocument("fees", new BsonInt64(0))),
        List.of(change(1, null, document, 1)),
        List.of(change(1, document, null, 2)));
  }

  @Test
  void sumsOfDoublesLeaveNoTraceOfWhatWasTakenBack() {
    BsonDocument tenth = document(1, item(1, new BsonDouble(0.1)));
    BsonDocument huge = document(1, item(1, new BsonDouble(1e18)));
    run(
        aggregation(Function.SUM),
        Duration.ZERO,
        GroupsInTarget.NONE,
        Map.of(group(1, 1), row(1, 1, new BsonDouble(0.1))),
        List.of(change(1, null, tenth, 1)),
        List.of(change(2, null, huge, 2), change(2, huge, null, 3)));
  }

  @Test
  void decimalsWithMoreDigitsThanBsonHasCompareAsNumbers() {
    BsonValue small = new BsonDecimal128(Decimal128.parse("-7.5"));
    BsonValue less = new BsonString("99999.123456789012345678901234567890");
    BsonValue more = new BsonString("123456.000000000000000000000000000001");
    BsonValue most = new BsonString("123456.000000000000000000000000000002");
    BsonValue least = new BsonString("-99999.123456789012345678901234567891");
    BsonDocument all =
        document(1, item(1, small), item(1, less), item(1, more), item(1, most), item(1, least));
    for (Function function : List.of(Function.MIN, Function.MAX)) {
      run(
          aggregation(new Aggregate("value", function, -1, true)),
          Duration.ZERO,
          GroupsInTarget.NONE,
          Map.of(group(1, 1), row(1, 1, function == Function.MIN ? least : most)),
          List.of(change(1, null, all, 1)),
          List.of());
    }
    // What is gone is found again, and the next one is.
    run(
        aggregation(new Aggregate("value", Function.MAX, -1, true)),
        Duration.ZERO,
        GroupsInTarget.NONE,
        Map.of(group(1, 1), row(1, 1, more)),
        List.of(change(1, null, all, 1)),
        List.of(change(1, all, document(1, item(1, small), item(1, less), item(1, more)), 2)));
    // Texts of digits are texts.
    run(
        aggregation(Function.MAX),
        Duration.ZERO,
        GroupsInTarget.NONE,
        Map.of(group(1, 1), row(1, 1, less)),
        List.of(change(1, null, document(1, item(1, less), item(1, more)), 1)),
        List.of());
  }

  @Test
  void sumsAndMeansAreInfiniteWhereSqlsAre() {
    BsonValue one = new BsonDouble(1);
    BsonValue up = new BsonDouble(Double.POSITIVE_INFINITY);
    BsonValue down = new BsonDouble(Double.NEGATIVE_INFINITY);
    BsonValue none = new BsonDouble(Double.NaN);
    BsonValue decimalUp = new BsonDecimal128(Decimal128.POSITIVE_INFINITY);
    BsonValue decimalNone = new BsonDecimal128(Decimal128.NaN);
    assertThat(totals(one, up, up)).containsExactly(up, up);
    assertThat(totals(one, down)).containsExactly(down, down);
    assertThat(totals(up, down)).containsExactly(none, none);
    assertThat(totals(up, none)).containsExactly(none, none);
    assertThat(totals(new BsonInt32(1), decimalUp)).containsExactly(decimalUp, decimalUp);
    assertThat(totals(decimalUp, decimalNone)).containsExactly(decimalNone, decimalNone);
    assertThat(totals(decimalUp, one)).containsExactly(up, up);

    Tally tally = Tally.NOTHING.plus(one, 1).plus(up, 1).plus(down, 1).plus(none, 1);
    tally = copy(tally.plus(none, -1));
    assertThat(copy(tally.plus(down, -1)).total()).isEqualTo(up);
    assertThat(copy(tally.plus(up, -1)).total()).isEqualTo(down);
    assertThat(copy(tally.plus(down, -1).plus(up, -1)).total()).isEqualTo(one);
  }

  /** The sum and the mean, as they are after a checkpoint. */
  private static List<BsonValue> totals(BsonValue... values) {
    Tally tally = Tally.NOTHING;
    for (BsonValue value : values) {
      tally = copy(tally.plus(value, 1));
    }
    return List.of(tally.total(), tally.mean(2));
  }

  private static Tally copy(Tally tally) {
    try {
      return CoderUtils.clone(new Tally.TallyCoder(), tally);
    } catch (CoderException e) {
      throw new AssertionError(e);
    }
  }

  private static Aggregation aggregation(Function function) {
    return aggregation(new Aggregate("value", function));
  }

  private static Aggregation aggregation(Aggregate aggregate) {
    return new Aggregation(
        (document, row) ->
            rows(
                document,
                (group, values) -> row.accept(group, new BsonDocument("value", values.get("sum")))),
        List.of("shop", "day"),
        List.of(aggregate));
  }

  private static void run(
      Aggregation aggregation,
      Duration period,
      GroupsInTarget target,
      Map<BsonDocument, BsonDocument> expected,
      List<DocumentChange> load,
      List<DocumentChange> live) {
    Pipeline pipeline = pipeline();
    SerializableFunction<Iterable<DocumentChange>, Void> check =
        changes -> {
          Map<BsonDocument, BsonDocument> byValue = new HashMap<>();
          expected.forEach((key, row) -> byValue.put(key, numbersByValue(row)));
          assertThat(last(changes)).isEqualTo(byValue);
          return null;
        };
    PAssert.that(
            pipeline
                .apply(stream(load, live))
                .apply(Rollup.of(aggregation).every(period).reconciledWith(target)))
        .satisfies(check);
    pipeline.run();
  }

  private static Pipeline pipeline() {
    return Pipeline.create(PipelineOptionsFactory.create());
  }

  /** The load at one time, and then each change twice, a little later each. */
  private static TestStream<DocumentChange> stream(
      List<DocumentChange> load, List<DocumentChange> live) {
    TestStream.Builder<DocumentChange> stream =
        TestStream.create(DocumentChangeCoder.of()).advanceWatermarkTo(LOAD);
    for (DocumentChange change : load) {
      stream = stream.addElements(TimestampedValue.of(change, LOAD));
    }
    stream = stream.advanceWatermarkTo(LOAD.plus(Duration.standardMinutes(2)));
    Instant time = LOAD.plus(Duration.standardSeconds(121));
    for (DocumentChange change : live) {
      stream =
          stream.addElements(TimestampedValue.of(change, time), TimestampedValue.of(change, time));
      time = time.plus(Duration.millis(100));
      if (change.version() % 10 == 0) {
        stream = stream.advanceWatermarkTo(time);
      }
    }
    return stream.advanceWatermarkToInfinity();
  }

  private static Map<BsonDocument, BsonDocument> last(Iterable<DocumentChange> changes) {
    Map<BsonValue, DocumentChange> last = new HashMap<>();
    for (DocumentChange change : changes) {
      last.merge(plain(change.key().asDocument()), change, RollupTest::newer);
    }
    Map<BsonDocument, BsonDocument> rows = new HashMap<>();
    last.forEach(
        (key, change) -> {
          if (change.after() != null) {
            rows.put(key.asDocument(), numbersByValue(change.after()));
          }
        });
    return rows;
  }

  private static DocumentChange newer(DocumentChange a, DocumentChange b) {
    return a.version() > b.version() ? a : b;
  }

  /** Which of 1 and 1.00 is the least value is anybody's choice. */
  private static BsonDocument numbersByValue(BsonDocument row) {
    BsonDocument copy = new BsonDocument();
    row.forEach(
        (field, value) ->
            copy.put(
                field,
                value.isNumber() && !value.isDouble()
                    ? new BsonString(number(value).stripTrailingZeros().toPlainString())
                    : value));
    return copy;
  }

  private static BsonDocument plain(BsonDocument document) {
    BsonDocument copy = new BsonDocument();
    copy.putAll(document);
    return copy;
  }

  /** Changes of documents, each with the version that its place in the history gives it. */
  private static List<DocumentChange> history(
      Random random, Map<Integer, BsonDocument> documents, int length, long version) {
    List<DocumentChange> changes = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      int key = random.nextInt(8);
      BsonDocument before = documents.get(key);
      BsonDocument after = before != null && random.nextInt(3) == 0 ? null : randomDocument(random);
      if (after == null) {
        documents.remove(key);
      } else {
        documents.put(key, after);
      }
      changes.add(change(key, before, after, version + i));
    }
    return changes;
  }

  private static BsonDocument randomDocument(Random random) {
    BsonDocument[] items = new BsonDocument[random.nextInt(4)];
    for (int i = 0; i < items.length; i++) {
      int number = random.nextInt(5) - 2;
      BsonValue fee =
          switch (random.nextInt(5)) {
            case 0 -> BsonNull.VALUE;
            case 1 -> new BsonInt64(number);
            default -> new BsonDecimal128(new Decimal128(BigDecimal.valueOf(number * 50L, 2)));
          };
      items[i] = item(random.nextInt(2), fee);
    }
    return document(random.nextInt(3) - 1, items);
  }

  /** What SQL's grouping gives, computed from scratch. */
  private static Map<BsonDocument, BsonDocument> expected(Iterable<BsonDocument> documents) {
    Map<BsonDocument, List<BsonValue>> groups = new HashMap<>();
    for (BsonDocument document : documents) {
      for (BsonValue item : document.getArray("items")) {
        groups
            .computeIfAbsent(
                new BsonDocument("shop", document.get("shop"))
                    .append("day", item.asDocument().get("day")),
                key -> new ArrayList<>())
            .add(item.asDocument().get("fee"));
      }
    }
    Map<BsonDocument, BsonDocument> rows = new HashMap<>();
    groups.forEach(
        (group, values) -> {
          BsonDocument row = plain(group).append("rows", new BsonInt64(values.size()));
          List<BsonValue> present = values.stream().filter(value -> !value.isNull()).toList();
          List<BigDecimal> numbers = present.stream().map(RollupTest::number).sorted().toList();
          row.append("fees", new BsonInt64(numbers.size()));
          BigDecimal sum = numbers.stream().reduce(BigDecimal.ZERO, BigDecimal::add);
          boolean decimal = present.stream().anyMatch(BsonValue::isDecimal128);
          row.append("sum", numbers.isEmpty() ? BsonNull.VALUE : numeric(sum, decimal));
          row.append(
              "avg",
              numbers.isEmpty()
                  ? BsonNull.VALUE
                  : numeric(
                      sum.divide(new BigDecimal(numbers.size()), 6, RoundingMode.HALF_UP), true));
          row.append("least", extreme(present, numbers.isEmpty() ? null : numbers.get(0)));
          row.append(
              "most", extreme(present, numbers.isEmpty() ? null : numbers.get(numbers.size() - 1)));
          row.append(
              "different",
              new BsonInt64(
                  numbers.stream().map(BigDecimal::stripTrailingZeros).distinct().count()));
          rows.put(group, row);
        });
    return rows;
  }

  private static BsonValue extreme(List<BsonValue> values, @Nullable BigDecimal number) {
    return values.stream()
        .filter(value -> number != null && number(value).compareTo(number) == 0)
        .findFirst()
        .orElse(BsonNull.VALUE);
  }

  private static BsonValue numeric(BigDecimal number, boolean decimal) {
    return decimal
        ? new BsonDecimal128(new Decimal128(number.round(MathContext.DECIMAL128)))
        : new BsonInt64(number.longValueExact());
  }

  private static BigDecimal number(BsonValue value) {
    return value.isDecimal128()
        ? value.asDecimal128().getValue().bigDecimalValue()
        : BigDecimal.valueOf(value.asNumber().longValue());
  }

  private static DocumentChange change(
      int key, @Nullable BsonDocument before, @Nullable BsonDocument after, long version) {
    return new DocumentChange(new BsonInt32(key), raw(before), raw(after), version, version);
  }

  @Nullable
  private static RawBsonDocument raw(@Nullable BsonDocument document) {
    return document == null ? null : new RawBsonDocument(document, new BsonDocumentCodec());
  }

  private static BsonDocument document(int shop, BsonDocument... items) {
    BsonArray array = new BsonArray();
    Collections.addAll(array, items);
    return new BsonDocument("shop", shop < 0 ? BsonNull.VALUE : new BsonInt32(shop))
        .append("items", array);
  }

  private static BsonDocument item(int day, BsonValue fee) {
    return new BsonDocument("day", new BsonString("day " + day)).append("fee", fee);
  }

  private static BsonDocument group(int shop, int day) {
    return new BsonDocument("shop", new BsonInt32(shop))
        .append("day", new BsonString("day " + day));
  }

  private static BsonDocument row(int shop, int day, BsonValue value) {
    return group(shop, day).append("value", Objects.requireNonNull(value));
  }
}
