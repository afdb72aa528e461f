package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCount;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.RowException;
import io.widebeam.view.ViewNode;
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
 *
 * <p>A row that a node cannot take in is no row to that node: it goes to the dead letters, if they
 * are wanted, and otherwise fails the pipeline.
 */
final class RouteFn extends DoFn<Change, DocumentChange> {
  static final TupleTag<DeadLetter> DEAD_LETTERS = new TupleTag<>("deadLetters") {};

  private final JoinPlan plan;
  private final boolean givesDeadLetters;
  private final DeadLetterCount deadLetters = new DeadLetterCount();
  private transient Map<TableId, List<JoinPlan.Node>> nodesByTable;
  private transient Map<Stage, TupleTag<KV<JoinKey, Message>>> tags;

  RouteFn(JoinPlan plan) {
    this(plan, false);
  }

  /**
   * @param givesDeadLetters whether there is an output for {@link #DEAD_LETTERS}
   */
  RouteFn(JoinPlan plan, boolean givesDeadLetters) {
    this.plan = plan;
    this.givesDeadLetters = givesDeadLetters;
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
    Sender sender =
        new Sender(change.sequence(), positions, change.commitMillis(), false, tags, outputs);
    for (JoinPlan.Node node : nodes) {
      try {
        route(node, change.before(), change.after(), sender);
      } catch (RowException e) {
        // Nothing has been sent: rows are looked at before.
        routeReadable(node, change, sender, outputs);
      }
    }
  }

  private static void route(
      JoinPlan.Node node,
      @Nullable RawBsonDocument rowBefore,
      @Nullable RawBsonDocument rowAfter,
      Sender sender) {
    byte[] before = row(node, rowBefore);
    byte[] after = row(node, rowAfter);
    if (Arrays.equals(before, after)) {
      // Nothing that the node shows or joins by has changed, or it never had the row.
      return;
    }
    if (node.isPlainLookup()) {
      toLookup(node, before, after, sender);
    } else {
      toAssembly(node, before, after, sender);
    }
  }

  /** One of the change's rows cannot be taken in; the other one counts. */
  private void routeReadable(
      JoinPlan.Node node, Change change, Sender sender, MultiOutputReceiver outputs) {
    try {
      // If it is the row before, then it was not taken in when it came, either.
      route(node, null, change.after(), sender);
      return;
    } catch (RowException e) {
      DeadLetter letter = deadLetter(node, change, e);
      if (!givesDeadLetters) {
        throw new RowException(letter.reason(), e);
      }
      deadLetters.add(letter);
      outputs.get(DEAD_LETTERS).output(letter);
    }
    try {
      route(node, change.before(), null, sender);
    } catch (RowException e) {
      // Nor was this one; so there is nothing to take back.
    }
  }

  private static DeadLetter deadLetter(JoinPlan.Node node, Change change, RowException cause) {
    return new DeadLetter(
        DeadLetter.Stage.JOIN,
        String.join(".", node.view.path()),
        change.table(),
        key(node, change.after()),
        change.sequence(),
        null,
        change.commitMillis(),
        "A row of " + change.table() + " cannot be joined: " + cause.getMessage(),
        change.before(),
        change.after());
  }

  /** Null if the row has not all columns of the key, or not under their names. */
  @Nullable
  private static RawBsonDocument key(JoinPlan.Node node, RawBsonDocument row) {
    List<String> columns = node.view.primaryKey().stream().map(ViewNode::publicName).toList();
    return columns.stream().allMatch(column -> row.containsKey(column) && !row.isNull(column))
        ? new RawBsonDocument(
            BsonRow.project(
                BsonRow.bytes(row), columns.stream().map(BsonRow::name).toArray(byte[][]::new)))
        : null;
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
    sender.row(Stage.assemble(node), node, was, is, after, gone(node, before, after));
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

  /** What the row was, if it heads an assembly and that goes elsewhere now, or nowhere. */
  @Nullable
  private static byte[] gone(JoinPlan.Node node, @Nullable byte[] before, @Nullable byte[] after) {
    if (before == null || !node.isHead()) {
      return null;
    }
    if (node.attachment == JoinPlan.Attachment.ROOT) {
      return node.isSameKey(before, after) ? null : BsonRow.project(before, node.keyColumns);
    }
    return Objects.equals(Place.inParent(node, before), Place.inParent(node, after))
        ? null
        : before;
  }

  /** The node's row for a row of its table; null if it has none. */
  @Nullable
  private static byte[] row(JoinPlan.Node node, @Nullable RawBsonDocument row) {
    RawBsonDocument own =
        row == null || node.view.rows() == null ? row : node.view.rows().apply(row);
    return own == null ? null : BsonRow.bytes(own);
  }
}
