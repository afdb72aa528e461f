package io.widebeam.rollup;

import io.widebeam.change.BsonRow;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCount;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKey;
import io.widebeam.join.JoinKeyEncoder;
import io.widebeam.rollup.Aggregate.Function;
import io.widebeam.view.RowException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TupleTag;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Tells every group that a document is in what it gives it now, and every group that it has left
 * that it gives nothing more. Stateless; what a document gave is told by its {@code before}.
 *
 * <p>A document whose rows cannot be told gives none, and goes to the dead letters if they are
 * wanted; otherwise it fails the pipeline.
 */
final class ContributeFn extends DoFn<DocumentChange, KV<JoinKey, Contribution>> {
  static final TupleTag<KV<JoinKey, Contribution>> CONTRIBUTIONS =
      new TupleTag<>("contributions") {};
  static final TupleTag<DeadLetter> DEAD_LETTERS = new TupleTag<>("deadLetters") {};

  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

  private final Aggregation aggregation;
  private final GroupsInTarget target;
  private final JoinKeyEncoder groupKey;
  @Nullable private final TableId root;
  private final DeadLetterCount deadLetters = new DeadLetterCount();

  /** Whether this instance has had the groups in the target put right. */
  private transient boolean reconciled;

  /**
   * @param root the table whose rows the documents are, if there is an output for dead letters
   */
  ContributeFn(Aggregation aggregation, GroupsInTarget target, @Nullable TableId root) {
    this.aggregation = aggregation;
    this.target = target;
    this.root = root;
    this.groupKey = new JoinKeyEncoder(aggregation.groupFields());
  }

  @Setup
  public void setUp() {
    reconciled = false;
  }

  @ProcessElement
  public void process(@Element DocumentChange change, MultiOutputReceiver outputs)
      throws IOException, InterruptedException {
    OutputReceiver<KV<JoinKey, Contribution>> out = outputs.get(CONTRIBUTIONS);
    if (!reconciled) {
      // Not before there is a change: what a crashed run has written follows from changes that the
      // source gives again.
      reconcile(out);
      reconciled = true;
    }
    Map<JoinKey, Given> groups = new LinkedHashMap<>();
    addRowsBefore(change, groups);
    try {
      addRows(change.after()).forEach((key, given) -> groups.put(key, given));
    } catch (RowException e) {
      String reason = "A document cannot be rolled up: " + e.getMessage();
      if (root == null) {
        throw new RowException(reason, e);
      }
      DeadLetter letter = deadLetter(change, root, reason);
      deadLetters.add(letter);
      outputs.get(DEAD_LETTERS).output(letter);
    }
    byte[] document = encode(new BsonDocument("_id", change.key()));
    groups.forEach(
        (key, given) ->
            out.output(
                KV.of(
                    key,
                    new Contribution(
                        document,
                        change.version(),
                        change.commitMillis(),
                        change.certain(),
                        given.group,
                        given.rows))));
  }

  private void reconcile(OutputReceiver<KV<JoinKey, Contribution>> out)
      throws IOException, InterruptedException {
    Set<String> fields = Set.copyOf(aggregation.groupFields());
    target.forEach(
        group -> {
          if (group.keySet().equals(fields)) {
            byte[] encoded = group(group);
            out.output(KV.of(groupKey.encodeWithNulls(encoded), Contribution.reconciling(encoded)));
          }
        });
  }

  private record Given(byte[] group, List<byte[]> rows) {}

  /** The groups that the document was in; each is given nothing. */
  private void addRowsBefore(DocumentChange change, Map<JoinKey, Given> groups) {
    try {
      addRows(change.before())
          .forEach((key, given) -> groups.put(key, new Given(given.group, List.of())));
    } catch (RowException e) {
      // Then it gave nothing, which was told when it came.
    }
  }

  private Map<JoinKey, Given> addRows(@Nullable RawBsonDocument document) {
    Map<JoinKey, Given> groups = new LinkedHashMap<>();
    if (document == null) {
      return groups;
    }
    aggregation
        .rows()
        .forEach(
            document,
            (group, values) -> {
              requireNumbers(values);
              byte[] encoded = group(group);
              groups
                  .computeIfAbsent(
                      groupKey.encodeWithNulls(encoded),
                      key -> new Given(encoded, new ArrayList<>()))
                  .rows
                  .add(encode(values));
            });
    return groups;
  }

  /** What is to be added up has to be a number, or the digits of one. */
  private void requireNumbers(BsonDocument values) {
    for (Aggregate aggregate : aggregation.aggregates()) {
      if (aggregate.function() == Function.SUM || aggregate.function() == Function.AVG) {
        BsonValue value = values.get(aggregate.field());
        if (value != null && !value.isNull() && !Tally.isNumber(value)) {
          throw new RowException(
              "`" + aggregate.field() + "` cannot be computed of " + value + ": it is no number");
        }
      }
    }
  }

  static DeadLetter deadLetter(DocumentChange change, TableId root, String reason) {
    BsonValue key = change.key();
    return new DeadLetter(
        DeadLetter.Stage.AGGREGATE,
        "",
        root,
        new RawBsonDocument(
            key.isDocument() ? key.asDocument() : new BsonDocument("_id", key), CODEC),
        change.version(),
        null,
        change.commitMillis(),
        reason,
        null,
        change.after());
  }

  /** Every group field, in order, so that equal groups are of equal bytes. */
  private byte[] group(BsonDocument given) {
    BsonDocument group = new BsonDocument();
    for (String field : aggregation.groupFields()) {
      BsonValue value = given.get(field);
      group.put(field, value == null ? BsonNull.VALUE : value);
    }
    return encode(group);
  }

  private static byte[] encode(BsonDocument document) {
    return BsonRow.bytes(
        document instanceof RawBsonDocument raw ? raw : new RawBsonDocument(document, CODEC));
  }
}
