package io.widebeam.document;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import io.widebeam.deadletter.DeadLetterCount;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Makes other documents out of a view's documents, each out of one and with its key. A change that
 * the other document does not show is dropped, unless the target may show something else.
 *
 * <p>The input must carry each document's {@code before}.
 */
public final class DocumentRows
    extends PTransform<PCollection<DocumentChange>, PCollection<DocumentChange>> {
  private final RowFunction function;
  @Nullable private final ErrorHandler<DeadLetter, ?> deadLetters;
  @Nullable private final TableId root;

  private DocumentRows(
      RowFunction function,
      @Nullable ErrorHandler<DeadLetter, ?> deadLetters,
      @Nullable TableId root) {
    this.function = function;
    this.deadLetters = deadLetters;
    this.root = root;
  }

  /**
   * The documents that the function makes.
   *
   * @param function answers null for no document
   */
  public static DocumentRows of(RowFunction function) {
    return new DocumentRows(Objects.requireNonNull(function), null, null);
  }

  /**
   * Gives documents that the function cannot take in to the handler, and none to the target;
   * without it, they fail the pipeline.
   *
   * @param table the table whose rows the documents are, for the letters to name
   */
  public DocumentRows withDeadLetters(ErrorHandler<DeadLetter, ?> handler, TableId table) {
    return new DocumentRows(function, handler, table);
  }

  @Override
  public PCollection<DocumentChange> expand(PCollection<DocumentChange> documents) {
    PCollectionTuple made =
        documents.apply(
            "Make",
            ParDo.of(new MakeFn(function, root))
                .withOutputTags(
                    MakeFn.MADE,
                    deadLetters == null
                        ? TupleTagList.empty()
                        : TupleTagList.of(MakeFn.DEAD_LETTERS)));
    if (deadLetters != null) {
      deadLetters.addErrorCollection(made.get(MakeFn.DEAD_LETTERS).setCoder(DeadLetterCoder.of()));
    }
    return made.get(MakeFn.MADE);
  }

  private static final class MakeFn extends DoFn<DocumentChange, DocumentChange> {
    static final TupleTag<DocumentChange> MADE = new TupleTag<>("made") {};
    static final TupleTag<DeadLetter> DEAD_LETTERS = new TupleTag<>("deadLetters") {};

    private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

    private final RowFunction function;
    @Nullable private final TableId root;
    private final DeadLetterCount deadLetters = new DeadLetterCount();

    MakeFn(RowFunction function, @Nullable TableId root) {
      this.function = function;
      this.root = root;
    }

    @ProcessElement
    public void process(@Element DocumentChange change, MultiOutputReceiver outputs) {
      RawBsonDocument before = before(change.before());
      RawBsonDocument after = null;
      try {
        after = change.after() == null ? null : function.apply(change.after());
      } catch (RowException e) {
        if (root == null) {
          throw e;
        }
        DeadLetter letter = deadLetter(change, e);
        deadLetters.add(letter);
        outputs.get(DEAD_LETTERS).output(letter);
      }
      if (change.certain() && Objects.equals(before, after)) {
        return;
      }
      outputs
          .get(MADE)
          .output(
              new DocumentChange(
                  change.key(),
                  before,
                  after,
                  before != null || (change.existed() && !change.certain()),
                  change.certain(),
                  change.version(),
                  change.commitMillis()));
    }

    @Nullable
    private RawBsonDocument before(@Nullable RawBsonDocument document) {
      try {
        return document == null ? null : function.apply(document);
      } catch (RowException e) {
        // Then there was none, which was told when it came.
        return null;
      }
    }

    private DeadLetter deadLetter(DocumentChange change, RowException cause) {
      BsonValue key = change.key();
      return new DeadLetter(
          DeadLetter.Stage.JOIN,
          "",
          root,
          new RawBsonDocument(
              key.isDocument() ? key.asDocument() : new BsonDocument("_id", key), CODEC),
          change.version(),
          null,
          change.commitMillis(),
          "A document of " + root + " has no rows that can be told: " + cause.getMessage(),
          null,
          change.after());
    }
  }
}
