package io.widebeam.rollup;

import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKey;
import io.widebeam.join.JoinKeyCoder;
import java.util.Objects;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
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

  private static final Duration DEFAULT_PERIOD = Duration.standardSeconds(1);

  private final Aggregation aggregation;
  private final Duration period;
  private final GroupsInTarget target;

  private Rollup(Aggregation aggregation, Duration period, GroupsInTarget target) {
    this.aggregation = aggregation;
    this.period = period;
    this.target = target;
  }

  /** The rollup of all documents, emitted every second. */
  public static Rollup of(Aggregation aggregation) {
    return new Rollup(Objects.requireNonNull(aggregation), DEFAULT_PERIOD, GroupsInTarget.NONE);
  }

  /**
   * Emits at every full period.
   *
   * @param newPeriod of time; zero for at every change
   */
  public Rollup every(Duration newPeriod) {
    return new Rollup(aggregation, newPeriod, target);
  }

  /**
   * Looks once after every start which groups the target has rows of, and puts them right: a run
   * that ended in a crash may have written what the state has forgotten.
   */
  public Rollup reconciledWith(GroupsInTarget groups) {
    return new Rollup(aggregation, period, groups);
  }

  @Override
  public PCollection<DocumentChange> expand(PCollection<DocumentChange> documents) {
    return documents
        .apply("Contribute", ParDo.of(new ContributeFn(aggregation, target)))
        .setCoder(CONTRIBUTIONS)
        .apply("Aggregate", ParDo.of(new AggregateFn(aggregation, period)));
  }
}
