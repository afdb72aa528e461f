package io.widebeam.rollup;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;

/**
 * What a rollup computes: {@code SELECT groupFields, aggregates FROM rows GROUP BY groupFields}.
 *
 * @param rows the rows that a document contributes
 * @param groupFields the fields of a group's row that tell the groups apart, in order; empty for
 *     one group of everything, whose row stays also when it is empty
 * @param aggregates the other fields of a group's row, in order
 */
public record Aggregation(Rows rows, List<String> groupFields, List<Aggregate> aggregates)
    implements Serializable {

  /** Makes rows of a document: none, one, or several where it is unwound. Must be deterministic. */
  @FunctionalInterface
  public interface Rows extends Serializable {
    /**
     * Gives every row of the document.
     *
     * @param row takes the row's group, a document of the group fields, and its values, a document
     *     of the aggregates' fields; a field that is absent is null
     */
    void forEach(RawBsonDocument document, BiConsumer<BsonDocument, BsonDocument> row);
  }

  public Aggregation {
    Objects.requireNonNull(rows, "rows");
    groupFields = List.copyOf(groupFields);
    aggregates = List.copyOf(aggregates);
    if (groupFields.isEmpty() && aggregates.isEmpty()) {
      throw new IllegalArgumentException("an aggregation needs groups or aggregates");
    }
  }
}
