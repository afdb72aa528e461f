package io.widebeam.rollup;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCount;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.TupleTag;
import org.bson.RawBsonDocument;

/**
 * Makes the rows that are written out of the groups' rows. Stateless; a change that the row does
 * not show is dropped, unless the target may show something else.
 *
 * <p>A group whose row cannot be told has none until it can, and goes to the dead letters if they
 * are wanted; otherwise it fails the pipeline.
 */
final class GroupRowFn extends DoFn<DocumentChange, DocumentChange> {
  static final TupleTag<DocumentChange> ROWS = new TupleTag<>("rows") {};

  private final RowFunction function;
  @Nullable private final TableId root;
  private final DeadLetterCount deadLetters = new DeadLetterCount();

  /**
   * @param root the table whose rows the documents are, if there is an output for {@link
   *     ContributeFn#DEAD_LETTERS}
   */
  GroupRowFn(RowFunction function, @Nullable TableId root) {
    this.function = function;
    this.root = root;
  }

  @ProcessElement
  public void process(@Element DocumentChange change, MultiOutputReceiver outputs) {
    RawBsonDocument before = rowBefore(change);
    RawBsonDocument after = rowAfter(change, outputs);
    if (change.certain() && Objects.equals(before, after)) {
      return;
    }
    outputs
        .get(ROWS)
        .output(
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
  private RawBsonDocument rowBefore(DocumentChange change) {
    try {
      return change.before() == null ? null : function.apply(change.before());
    } catch (RowException e) {
      // Then there was none, which was told when it came.
      return null;
    }
  }

  @Nullable
  private RawBsonDocument rowAfter(DocumentChange change, MultiOutputReceiver outputs) {
    try {
      return change.after() == null ? null : function.apply(change.after());
    } catch (RowException e) {
      String reason = "The row of a group cannot be computed: " + e.getMessage();
      if (root == null) {
        throw new RowException(reason, e);
      }
      DeadLetter letter = ContributeFn.deadLetter(change, root, reason);
      deadLetters.add(letter);
      outputs.get(ContributeFn.DEAD_LETTERS).output(letter);
      return null;
    }
  }
}
