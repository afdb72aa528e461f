package io.widebeam.join;

import io.widebeam.join.Message.Row;
import io.widebeam.join.Message.Subscription;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn.MultiOutputReceiver;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TupleTag;

/**
 * Sends what one change of a row means to the stages that hold it or are pointed at.
 *
 * @param due see {@link Message#due()}
 */
record Sender(
    long version,
    long[] positions,
    long commitMillis,
    boolean due,
    Map<Stage, TupleTag<KV<JoinKey, Message>>> tags,
    MultiOutputReceiver outputs) {

  /** The row was here and is there now; either may be nowhere. */
  void row(
      Stage stage,
      JoinPlan.Node node,
      @Nullable Place was,
      @Nullable Place is,
      @Nullable byte[] row) {
    row(stage, node, was, is, row, null);
  }

  /** The same of a row that heads an assembly, and what it was if that goes elsewhere now. */
  void row(
      Stage stage,
      JoinPlan.Node node,
      @Nullable Place was,
      @Nullable Place is,
      @Nullable byte[] row,
      @Nullable byte[] gone) {
    if (was != null && !was.equals(is)) {
      send(
          stage,
          was.key(),
          new Row(node.index, was.address(), null, version, gone, positions, commitMillis, due));
    }
    if (is != null) {
      send(
          stage,
          is.key(),
          new Row(
              node.index,
              is.address(),
              row,
              version,
              is.equals(was) ? gone : null,
              positions,
              commitMillis,
              due));
    }
  }

  /** The parent row points at this key of the lookup, or no longer does. */
  void subscription(JoinPlan.Node lookup, JoinKey key, Place parent, boolean pointing) {
    send(
        Stage.lookup(lookup),
        key,
        new Subscription(
            lookup.index,
            parent.key(),
            parent.address(),
            pointing,
            version,
            positions,
            commitMillis));
  }

  private void send(Stage stage, JoinKey key, Message message) {
    outputs.get(tags.computeIfAbsent(stage, Stage::tag)).output(KV.of(key, message));
  }
}
