package io.widebeam.rollup;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKey;
import io.widebeam.join.JoinKeyCoder;
import io.widebeam.view.RowFunction;
import java.io.Serializable;
import java.util.Objects;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTagList;
import org.joda.time.Duration;

/**
 * Keeps one row per group of a view's documents up to date, incrementally and exactly: under
 * updates, deletes, moves between groups and late joins.
 *
 * <pre>{@code
 * changes.apply(WideDocuments.of(orders).withBefore()).apply(Rollup.of(salesPerDay))
 * }</pre>
 *
 * <p>The input must carry each document's {@code before}. Groups that have changed are emitted at
 * every full period of the sources' time, all as of the same moment; unchanged ones are not. While
 * an initial load or the catching up after a restart lasts, nothing is. The rows' keys are
 * documents of the group fields, also where there is but one, since that may be null.
 */
public final class Rollup
    extends PTransform<PCollection<DocumentChange>, PCollection<DocumentChange>> {
  static final Coder<KV<JoinKey, Contribution>> CONTRIBUTIONS =
      KvCoder.of(JoinKeyCoder.of(), new Contribution.ContributionCoder());

  /** Tells the time, in milliseconds since the epoch. */
  @FunctionalInterface
  public interface Clock extends Serializable {
    long millis();
  }

  private static final Duration DEFAULT_PERIOD = Duration.standardSeconds(1);

  private final Aggregation aggregation;
  private final Duration period;
  private final GroupsInTarget target;
  private final long generation;
  private final Clock clock;
  @Nullable private final RowFunction row;
  @Nullable private final ErrorHandler<DeadLetter, ?> deadLetters;
  @Nullable private final TableId root;

  private Rollup(
      Aggregation aggregation,
      Duration period,
      GroupsInTarget target,
      long generation,
      Clock clock,
      @Nullable RowFunction row,
      @Nullable ErrorHandler<DeadLetter, ?> deadLetters,
      @Nullable TableId root) {
    this.aggregation = aggregation;
    this.period = period;
    this.target = target;
    this.generation = generation;
    this.clock = clock;
    this.row = row;
    this.deadLetters = deadLetters;
    this.root = root;
  }

  /** The rollup of all documents, emitted every second. */
  public static Rollup of(Aggregation aggregation) {
    return new Rollup(
        Objects.requireNonNull(aggregation),
        DEFAULT_PERIOD,
        GroupsInTarget.NONE,
        0,
        System::currentTimeMillis,
        null,
        null,
        null);
  }

  /**
   * Emits at every full period.
   *
   * @param newPeriod of time; zero for at every change
   */
  public Rollup every(Duration newPeriod) {
    return new Rollup(aggregation, newPeriod, target, generation, clock, row, deadLetters, root);
  }

  /**
   * Looks once after every start which groups the target has rows of, and puts them right: a run
   * that ended in a crash may have written what the state has forgotten.
   */
  public Rollup reconciledWith(GroupsInTarget groups) {
    return new Rollup(aggregation, period, groups, generation, clock, row, deadLetters, root);
  }

  /**
   * Gives the rows versions at or above this one, which those of all generations before are below.
   */
  public Rollup withFirstVersion(long version) {
    return new Rollup(aggregation, period, target, version, clock, row, deadLetters, root);
  }

  /** Takes the time that versions are of from another clock than the machine's. */
  public Rollup withClock(Clock other) {
    return new Rollup(
        aggregation,
        period,
        target,
        generation,
        Objects.requireNonNull(other),
        row,
        deadLetters,
        root);
  }

  /**
   * Emits what a function makes of each group's row; no row where it gives none. The keys stay
   * documents of the group fields, whatever the row shows of them.
   */
  public Rollup withRow(RowFunction function) {
    return new Rollup(aggregation, period, target, generation, clock, function, deadLetters, root);
  }

  /**
   * Gives documents whose rows cannot be told, and groups whose row cannot, to the handler; without
   * one, they fail the pipeline.
   *
   * @param table the table whose rows the documents are, for the letters to name
   */
  public Rollup withDeadLetters(ErrorHandler<DeadLetter, ?> handler, TableId table) {
    return new Rollup(aggregation, period, target, generation, clock, row, handler, table);
  }

  @Override
  public PCollection<DocumentChange> expand(PCollection<DocumentChange> documents) {
    PCollectionTuple contributed =
        documents.apply(
            "Contribute",
            ParDo.of(new ContributeFn(aggregation, target, root))
                .withOutputTags(ContributeFn.CONTRIBUTIONS, deadLetterTag()));
    gatherDeadLetters(contributed);
    PCollection<DocumentChange> groups =
        contributed
            .get(ContributeFn.CONTRIBUTIONS)
            .setCoder(CONTRIBUTIONS)
            .apply("Aggregate", ParDo.of(new AggregateFn(aggregation, period, generation, clock)));
    if (row == null) {
      return groups;
    }
    PCollectionTuple rows =
        groups.apply(
            "Row",
            ParDo.of(new GroupRowFn(row, root)).withOutputTags(GroupRowFn.ROWS, deadLetterTag()));
    gatherDeadLetters(rows);
    return rows.get(GroupRowFn.ROWS);
  }

  private TupleTagList deadLetterTag() {
    return deadLetters == null ? TupleTagList.empty() : TupleTagList.of(ContributeFn.DEAD_LETTERS);
  }

  private void gatherDeadLetters(PCollectionTuple outputs) {
    if (deadLetters != null) {
      deadLetters.addErrorCollection(
          outputs.get(ContributeFn.DEAD_LETTERS).setCoder(DeadLetterCoder.of()));
    }
  }
}
