package io.widebeam.deadletter;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.POutput;

/**
 * Gathers the dead letters of any number of transforms for one sink. As with Beam's own error
 * handlers, close it when all transforms are applied and before the pipeline runs:
 *
 * <pre>{@code
 * try (DeadLetters<PDone> letters = DeadLetters.to(pipeline, sink)) {
 *   pipeline
 *       .apply("Read", CdcIO.readChanges()...withDeadLetters(letters))
 *       .apply("Join", WideDocuments.of(orders).withDeadLetters(letters))
 *       .apply("Write", MongoDocuments.write()...withDeadLetters(letters, orders.table()));
 * }
 * pipeline.run();
 * }</pre>
 *
 * @param <OutputT> what the sink gives
 */
public final class DeadLetters<OutputT extends POutput>
    implements ErrorHandler<DeadLetter, OutputT> {
  private static final long serialVersionUID = 1L;

  // Only ever used while the pipeline is built.
  private final transient Pipeline pipeline;
  private final transient PTransform<? super PCollection<DeadLetter>, OutputT> sink;
  private final transient List<PCollection<DeadLetter>> collections = new ArrayList<>();
  @Nullable private transient OutputT output;
  private boolean closed;

  private DeadLetters(
      Pipeline pipeline, PTransform<? super PCollection<DeadLetter>, OutputT> sink) {
    this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
    this.sink = Objects.requireNonNull(sink, "sink");
  }

  /** A handler whose letters go to the sink. */
  public static <OutputT extends POutput> DeadLetters<OutputT> to(
      Pipeline pipeline, PTransform<? super PCollection<DeadLetter>, OutputT> sink) {
    return new DeadLetters<>(pipeline, sink);
  }

  @Override
  public void addErrorCollection(PCollection<DeadLetter> letters) {
    if (closed) {
      throw new IllegalStateException("the dead letters' handler is closed already");
    }
    collections.add(letters);
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  @Override
  public OutputT getOutput() {
    if (output == null) {
      throw new IllegalStateException("the dead letters' handler is not closed yet");
    }
    return output;
  }

  /** Applies the sink to all letters. */
  @Override
  public void close() {
    if (closed) {
      throw new IllegalStateException("the dead letters' handler is closed already");
    }
    closed = true;
    PCollection<DeadLetter> all =
        collections.isEmpty()
            ? pipeline.apply("DeadLetters/None", Create.empty(DeadLetterCoder.of()))
            : PCollectionList.of(collections).apply("DeadLetters/All", Flatten.pCollections());
    output = all.apply("DeadLetters/Write", sink);
  }
}
