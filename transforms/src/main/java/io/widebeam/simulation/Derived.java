package io.widebeam.simulation;

import io.widebeam.rollup.Aggregation;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.time.Duration;
import java.util.Objects;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/** What is made of a view's documents, beside their being written. */
public sealed interface Derived {
  /** The view, by its place in the list of views. */
  int view();

  /** The same of the view at another place. */
  Derived ofView(int other);

  /** Other documents, each made out of one: what a model without groups writes. */
  record Rows(int view, RowFunction row) implements Derived {
    public Rows {
      Objects.requireNonNull(row, "row");
    }

    @Override
    public Rows ofView(int other) {
      return new Rows(other, row);
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
  record Groups(int view, Aggregation aggregation, Duration period, @Nullable RowFunction row)
      implements Derived {
    public Groups {
      Objects.requireNonNull(aggregation, "aggregation");
      Objects.requireNonNull(period, "period");
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
      return new Groups(other, aggregation, period, row);
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
