package io.widebeam.rollup;

import io.widebeam.document.DocumentChange;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.bson.RawBsonDocument;

/**
 * Makes the rows that are written out of the groups' rows. Stateless; a change that the row does
 * not show is dropped, unless the target may show something else.
 */
final class GroupRowFn extends DoFn<DocumentChange, DocumentChange> {
  private final RowFunction function;

  GroupRowFn(RowFunction function) {
    this.function = function;
  }

  @ProcessElement
  public void process(@Element DocumentChange change, OutputReceiver<DocumentChange> out) {
    RawBsonDocument before = row(change.before());
    RawBsonDocument after = row(change.after());
    if (change.certain() && Objects.equals(before, after)) {
      return;
    }
    out.output(
        new DocumentChange(
            change.key(),
            before,
            after,
            before != null || !change.certain(),
            change.certain(),
            change.version(),
            change.commitMillis()));
  }

  @Nullable
  private RawBsonDocument row(@Nullable RawBsonDocument group) {
    try {
      return group == null ? null : function.apply(group);
    } catch (RowException e) {
      // A group that cannot be told has no row until it can.
      return null;
    }
  }
}
