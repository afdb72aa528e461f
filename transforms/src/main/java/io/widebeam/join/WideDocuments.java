package io.widebeam.join;

import io.widebeam.change.Change;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.annotation.Nullable;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTagList;
import org.joda.time.Duration;

/**
 * Joins the changes of a view's tables into changes of its documents.
 *
 * <pre>{@code
 * PCollection<DocumentChange> documents =
 *     pipeline.apply(CdcIO.readChanges()...).apply(WideDocuments.of(orders));
 * }</pre>
 *
 * <p>When the changes end or pause, the last change of every document's key holds what a {@code
 * LEFT JOIN} over the tables' rows gives, whatever the order in which changes of different rows
 * arrived and however often. Updates and deletes must come with the whole row before. See the
 * package's description for the stages.
 */
public final class WideDocuments
    extends PTransform<PCollection<Change>, PCollection<DocumentChange>> {
  static final Coder<KV<JoinKey, Message>> MESSAGES =
      KvCoder.of(JoinKeyCoder.of(), MessageCoder.of());

  private final ViewNode root;
  private final boolean keepBefore;
  private final long generation;
  @Nullable private final Duration tombstones;
  @Nullable private final ErrorHandler<DeadLetter, ?> deadLetters;

  private WideDocuments(
      ViewNode root,
      boolean keepBefore,
      long generation,
      @Nullable Duration tombstones,
      @Nullable ErrorHandler<DeadLetter, ?> deadLetters) {
    this.root = root;
    this.keepBefore = keepBefore;
    this.generation = generation;
    this.tombstones = tombstones;
    this.deadLetters = deadLetters;
  }

  /** The documents of the view with this root. */
  public static WideDocuments of(ViewNode root) {
    return new WideDocuments(root, false, 0, null, null);
  }

  /** Gives every change the document before, which aggregates take back. */
  public WideDocuments withBefore() {
    return new WideDocuments(root, true, generation, tombstones, deadLetters);
  }

  /**
   * Gives the documents versions that outrank all of the generations before, also where they had
   * rows of sources that the documents have nothing from now.
   *
   * @param firstSequence what every change's {@link Change#sequence} is at or above, and every one
   *     of the generations before is below; the same for all sources
   */
  public WideDocuments withGeneration(long firstSequence) {
    return new WideDocuments(root, keepBefore, firstSequence, tombstones, deadLetters);
  }

  /**
   * Gives rows that a node of the view cannot take in to the handler; without one, they fail the
   * pipeline. The documents go on without such a row until a change of it can be taken in.
   */
  public WideDocuments withDeadLetters(ErrorHandler<DeadLetter, ?> handler) {
    return new WideDocuments(root, keepBefore, generation, tombstones, handler);
  }

  /**
   * For how long, in event time, deletions are remembered against older messages that come later.
   *
   * <p>Flink's watermarks travel in line with the elements: when a stage's watermark has passed the
   * time of a deletion, whatever was sent before it has arrived. So a minute is plenty there, and
   * the default. On other runners an element of a later time may still be under way; the default is
   * an hour, which must exceed how far one source can be behind another.
   */
  public WideDocuments withTombstones(Duration time) {
    return new WideDocuments(root, keepBefore, generation, time, deadLetters);
  }

  /** What all versions of this generation are at or above, and those of all before are below. */
  public long firstVersion() {
    return Positions.firstVersion(JoinPlan.of(root).sources.size(), generation);
  }

  @Override
  public PCollection<DocumentChange> expand(PCollection<Change> changes) {
    JoinPlan plan = JoinPlan.of(root);
    Duration remembered = tombstones == null ? tombstones(changes.getPipeline()) : tombstones;
    Graph graph = new Graph();
    PCollectionTuple routed =
        graph.add(
            "Route",
            changes,
            new RouteFn(plan, deadLetters != null),
            plan.stages(),
            deadLetters == null ? TupleTagList.empty() : TupleTagList.of(RouteFn.DEAD_LETTERS));
    if (deadLetters != null) {
      deadLetters.addErrorCollection(
          routed.get(RouteFn.DEAD_LETTERS).setCoder(DeadLetterCoder.of()));
    }
    for (Stage stage : plan.stages()) {
      PCollection<KV<JoinKey, Message>> messages = graph.messagesTo(stage);
      DoFn<KV<JoinKey, Message>, DocumentChange> step =
          switch (stage.kind()) {
            case LOOKUP -> new LookupFn(plan, remembered);
            case ASSEMBLE -> new AssembleFn(plan, keepBefore, generation, remembered);
          };
      graph.add(stage.stepName(), messages, step, plan.stagesAfter(stage), TupleTagList.empty());
    }
    return graph.documents;
  }

  private static Duration tombstones(Pipeline pipeline) {
    return pipeline.getOptions().getRunner().getSimpleName().equals("FlinkRunner")
        ? Duration.standardMinutes(1)
        : Duration.standardHours(1);
  }

  /** What has been sent to each stage so far. */
  private static final class Graph {
    private static final KvCoder<JoinKey, Message> MESSAGES =
        KvCoder.of(JoinKeyCoder.of(), MessageCoder.of());

    private final Map<Stage, List<PCollection<KV<JoinKey, Message>>>> sent = new HashMap<>();
    private PCollection<DocumentChange> documents;

    /** Every step has documents as its main output; only the root's assembly, the last, has any. */
    <T> PCollectionTuple add(
        String name,
        PCollection<T> input,
        DoFn<T, DocumentChange> step,
        Set<Stage> targets,
        TupleTagList others) {
      TupleTagList tags = others;
      for (Stage target : targets) {
        tags = tags.and(target.tag());
      }
      PCollectionTuple outputs =
          input.apply(name, ParDo.of(step).withOutputTags(AssembleFn.DOCUMENTS, tags));
      for (Stage target : targets) {
        sent.computeIfAbsent(target, stage -> new ArrayList<>())
            .add(outputs.get(target.tag()).setCoder(MESSAGES));
      }
      documents = outputs.get(AssembleFn.DOCUMENTS);
      return outputs;
    }

    PCollection<KV<JoinKey, Message>> messagesTo(Stage stage) {
      return PCollectionList.of(sent.get(stage))
          .apply("To " + stage.stepName(), Flatten.pCollections());
    }
  }
}
