package io.widebeam.rollup;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKey;
import io.widebeam.join.JoinKeyEncoder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Tells every group that a document is in what it gives it now, and every group that it has left
 * that it gives nothing more. Stateless; what a document gave is told by its {@code before}.
 */
final class ContributeFn extends DoFn<DocumentChange, KV<JoinKey, Contribution>> {
  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

  private final Aggregation aggregation;
  private final GroupsInTarget target;
  private final JoinKeyEncoder groupKey;

  /** Whether this instance has had the groups in the target put right. */
  private transient boolean reconciled;

  ContributeFn(Aggregation aggregation, GroupsInTarget target) {
    this.aggregation = aggregation;
    this.target = target;
    this.groupKey = new JoinKeyEncoder(aggregation.groupFields());
  }

  @Setup
  public void setUp() {
    reconciled = false;
  }

  @ProcessElement
  public void process(
      @Element DocumentChange change, OutputReceiver<KV<JoinKey, Contribution>> out) {
    if (!reconciled) {
      // Not before there is a change: what a crashed run has written follows from changes that the
      // source gives again.
      target.forEach(
          group -> {
            byte[] encoded = group(group);
            out.output(KV.of(groupKey.encodeWithNulls(encoded), Contribution.reconciling(encoded)));
          });
      reconciled = true;
    }
    Map<JoinKey, Given> groups = new LinkedHashMap<>();
    addRows(change.before(), groups);
    groups.values().forEach(given -> given.rows.clear());
    addRows(change.after(), groups);
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
                        given.group,
                        given.rows))));
  }

  private record Given(byte[] group, List<byte[]> rows) {}

  private void addRows(@Nullable RawBsonDocument document, Map<JoinKey, Given> groups) {
    if (document == null) {
      return;
    }
    aggregation
        .rows()
        .forEach(
            document,
            (group, values) -> {
              byte[] encoded = group(group);
              groups
                  .computeIfAbsent(
                      groupKey.encodeWithNulls(encoded),
                      key -> new Given(encoded, new ArrayList<>()))
                  .rows
                  .add(encode(values));
            });
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
