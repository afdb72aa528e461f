package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.document.DocumentChange;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TupleTag;
import org.bson.RawBsonDocument;

/**
 * Sends each change to the stages that hold its row, and tells the lookups which of them the row
 * points at. The row is the node's own, as its {@link io.widebeam.view.RowFunction} makes it, so
 * that an update may be an insert or a deletion to the node, or nothing. Stateless: where a row was
 * and where it pointed before is in the change's own row before.
 */
final class RouteFn extends DoFn<Change, DocumentChange> {
  private final JoinPlan plan;
  private transient Map<TableId, List<JoinPlan.Node>> nodesByTable;
  private transient Map<Stage, TupleTag<KV<JoinKey, Message>>> tags;

  RouteFn(JoinPlan plan) {
    this.plan = plan;
  }

  @Setup
  public void setUp() {
    nodesByTable = plan.nodesByTable();
    tags = new HashMap<>();
  }

  @ProcessElement
  public void process(@Element Change change, MultiOutputReceiver outputs) {
    List<JoinPlan.Node> nodes = nodesByTable.get(change.table());
    if (nodes == null) {
      return;
    }
    long[] positions = new long[plan.sources.size()];
    positions[plan.sources.indexOf(change.table().source())] = change.sequence();
    Sender sender = new Sender(change.sequence(), positions, change.commitMillis(), tags, outputs);
    for (JoinPlan.Node node : nodes) {
      byte[] before = row(node, change.before());
      byte[] after = row(node, change.after());
      if (Arrays.equals(before, after)) {
        // Nothing that the node shows or joins by has changed, or it never had the row.
        continue;
      }
      if (node.isPlainLookup()) {
        toLookup(node, before, after, sender);
      } else {
        toAssembly(node, before, after, sender);
      }
    }
  }

  private static void toLookup(
      JoinPlan.Node node, @Nullable byte[] before, @Nullable byte[] after, Sender sender) {
    Place was = Place.lookup(node, before);
    Place is = Place.lookup(node, after);
    sender.row(Stage.lookup(node), node, was, is, after);
  }

  private static void toAssembly(
      JoinPlan.Node node, @Nullable byte[] before, @Nullable byte[] after, Sender sender) {
    Place was = Place.assembly(node, before);
    Place is = Place.assembly(node, after);
    sender.row(Stage.assemble(node), node, was, is, after);
    for (JoinPlan.Node lookup : node.lookups) {
      JoinKey pointedAt = was == null ? null : lookup.lookupKeyOf(before);
      JoinKey pointsAt = is == null ? null : lookup.lookupKeyOf(after);
      if (Objects.equals(was, is) && Objects.equals(pointedAt, pointsAt)) {
        continue;
      }
      if (pointedAt != null) {
        sender.subscription(lookup, pointedAt, was, false);
      }
      if (pointsAt != null) {
        sender.subscription(lookup, pointsAt, is, true);
      }
    }
  }

  /** The node's row for a row of its table; null if it has none. */
  @Nullable
  private static byte[] row(JoinPlan.Node node, @Nullable RawBsonDocument row) {
    RawBsonDocument own =
        row == null || node.view.rows() == null ? row : node.view.rows().apply(row);
    return own == null ? null : BsonRow.bytes(own);
  }
}
