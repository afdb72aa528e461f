package io.widebeam.simulation;

import io.widebeam.change.TableId;
import io.widebeam.rollup.Aggregation;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/** What is made of a view's documents, beside their being written. */
public sealed interface Derived {
  /** The view, by its place in the list of views. */
  int view();

  /** The same of the view at another place. */
  Derived ofView(int other);

  /** Whoever else knows what the target must have; null for nobody. */
  @Nullable
  Judge judge();

  /** The same, held against somebody else's knowledge, too. */
  Derived judgedBy(Judge other);

  /**
   * Knows what a target must have from the tables' rows alone, and by other means than the engine's
   * expressions, which {@link DerivedOracle} evaluates as the engine does.
   */
  @FunctionalInterface
  interface Judge {
    /**
     * Holds a target against the rows.
     *
     * @param rows of each table; the same map for all that is judged at one time
     * @param target what the target has, by key, with numbers by their value
     * @return what is wrong; empty if nothing is
     */
    Optional<String> judge(
        Map<TableId, List<BsonDocument>> rows, Map<BsonValue, BsonDocument> target);
  }

  /** Other documents, each made out of one: what a model without groups writes. */
  record Rows(int view, RowFunction row, @Nullable Judge judge) implements Derived {
    public Rows {
      Objects.requireNonNull(row, "row");
    }

    /** Rows that nobody else knows. */
    public Rows(int view, RowFunction row) {
      this(view, row, null);
    }

    @Override
    public Rows ofView(int other) {
      return new Rows(other, row, judge);
    }

    @Override
    public Rows judgedBy(Judge other) {
      return new Rows(view, row, other);
    }

    @Override
    public String toString() {
      return "rows " + row;
    }
  }

  /**
   * A rollup.
   *
   * @param period how often groups that have changed are emitted; zero for at every change
   * @param row makes what is written out of a group's row; null if that is the row itself
   */
  record Groups(
      int view,
      Aggregation aggregation,
      Duration period,
      @Nullable RowFunction row,
      @Nullable Judge judge)
      implements Derived {
    public Groups {
      Objects.requireNonNull(aggregation, "aggregation");
      Objects.requireNonNull(period, "period");
    }

    /** Groups that nobody else knows. */
    public Groups(int view, Aggregation aggregation, Duration period, @Nullable RowFunction row) {
      this(view, aggregation, period, row, null);
    }

    /** Whether the document gives any group a row. */
    boolean hasRows(BsonDocument document) {
      boolean[] any = {false};
      try {
        aggregation
            .rows()
            .forEach(
                new RawBsonDocument(document, new BsonDocumentCodec()),
                (group, values) -> any[0] = true);
        return any[0];
      } catch (RowException e) {
        return false;
      }
    }

    @Override
    public Groups ofView(int other) {
      return new Groups(other, aggregation, period, row, judge);
    }

    @Override
    public Groups judgedBy(Judge other) {
      return new Groups(view, aggregation, period, row, other);
    }

    @Override
    public String toString() {
      return (period.isZero() ? "rollup at every change" : "rollup every " + period)
          + " by "
          + aggregation.groupFields()
          + " of "
          + aggregation.aggregates()
          + ": "
          + aggregation.rows()
          + (row == null ? "" : "; written as " + row);
    }
  }
}
