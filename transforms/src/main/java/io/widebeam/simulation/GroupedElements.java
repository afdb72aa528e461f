package io.widebeam.simulation;

import io.widebeam.rollup.Aggregation;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.BiConsumer;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;

/**
 * The rows of a random rollup: the documents, or the elements of an array in them, that meet a
 * condition.
 *
 * @param unwound from the root to the array whose elements are the rows; the root alone for whole
 *     documents
 */
record GroupedElements(
    List<ViewNode> unwound,
    @Nullable Condition filter,
    LinkedHashMap<String, Operand> groupBy,
    LinkedHashMap<String, Operand> values)
    implements Aggregation.Rows {

  GroupedElements {
    unwound = List.copyOf(unwound);
  }

  /**
   * A column.
   *
   * @param nodes from the root to the one that it is of
   */
  record Operand(List<ViewNode> nodes, String column) implements Serializable {
    Operand {
      nodes = List.copyOf(nodes);
    }

    /**
     * @param around the document, and the elements of arrays in it, of the outermost first
     */
    BsonValue in(List<BsonDocument> around) {
      BsonDocument document = around.get(arrays(nodes));
      for (ViewNode node : nodes.subList(upToLastArray(nodes).size(), nodes.size())) {
        document = inner(document, node.path(), node.path().size());
        if (document == null) {
          return BsonNull.VALUE;
        }
      }
      return document.get(column, BsonNull.VALUE);
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder();
      nodes.forEach(node -> node.path().forEach(name -> text.append(name).append('.')));
      return text.append(column).toString();
    }
  }

  enum Comparison {
    NOT_NULL("IS NOT NULL"),
    EQUAL("="),
    OTHER("<>"),
    LESS("<");

    private final String sql;

    Comparison(String sql) {
      this.sql = sql;
    }

    String sql() {
      return sql;
    }
  }

  /**
   * A condition, which null does not meet.
   *
   * @param constant a document whose only value is what the operand is compared with
   */
  record Condition(Operand operand, Comparison comparison, BsonDocument constant)
      implements Serializable {
    static Condition of(Operand operand, Comparison comparison, BsonValue with) {
      return new Condition(operand, comparison, new BsonDocument("with", with));
    }

    BsonValue with() {
      return constant.get("with");
    }

    boolean holds(List<BsonDocument> around) {
      BsonValue value = operand.in(around);
      if (value.isNull()) {
        return false;
      }
      return switch (comparison) {
        case NOT_NULL -> true;
        case EQUAL -> DerivedOracle.compare(value, with()) == 0;
        case OTHER -> DerivedOracle.compare(value, with()) != 0;
        case LESS -> DerivedOracle.compare(value, with()) < 0;
      };
    }

    @Override
    public String toString() {
      return operand + " " + comparison.sql() + " " + with();
    }
  }

  /** The part of a chain of nodes that ends in an array; the root alone if there is none. */
  static List<ViewNode> upToLastArray(List<ViewNode> chain) {
    int last = chain.size() - 1;
    while (last > 0 && chain.get(last).embedding() != Embedding.ARRAY) {
      last--;
    }
    return chain.subList(0, last + 1);
  }

  private static int arrays(List<ViewNode> chain) {
    return (int) chain.stream().filter(node -> node.embedding() == Embedding.ARRAY).count();
  }

  @Override
  public void forEach(RawBsonDocument document, BiConsumer<BsonDocument, BsonDocument> row) {
    unwind(1, document, List.of(document), row);
  }

  /**
   * @param next the place in the chain of the node to go to
   * @param at the document of the node before
   */
  private void unwind(
      int next,
      BsonDocument at,
      List<BsonDocument> around,
      BiConsumer<BsonDocument, BsonDocument> row) {
    if (next == unwound.size()) {
      if (filter == null || filter.holds(around)) {
        row.accept(fields(groupBy, around), fields(values, around));
      }
      return;
    }
    ViewNode node = unwound.get(next);
    List<String> path = node.path();
    if (node.embedding() != Embedding.ARRAY) {
      BsonDocument embedded = inner(at, path, path.size());
      if (embedded != null) {
        unwind(next + 1, embedded, around, row);
      }
      return;
    }
    BsonDocument holder = inner(at, path, path.size() - 1);
    BsonValue array = holder == null ? null : holder.get(path.get(path.size() - 1));
    if (array != null && array.isArray()) {
      for (BsonValue element : array.asArray()) {
        List<BsonDocument> further = new ArrayList<>(around);
        further.add(element.asDocument());
        unwind(next + 1, element.asDocument(), further, row);
      }
    }
  }

  private static BsonDocument fields(
      LinkedHashMap<String, Operand> operands, List<BsonDocument> around) {
    BsonDocument fields = new BsonDocument();
    operands.forEach((field, operand) -> fields.put(field, operand.in(around)));
    return fields;
  }

  @Nullable
  private static BsonDocument inner(BsonDocument document, List<String> path, int length) {
    BsonDocument current = document;
    for (String name : path.subList(0, length)) {
      BsonValue below = current.get(name);
      if (below == null || !below.isDocument()) {
        return null;
      }
      current = below.asDocument();
    }
    return current;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("rows");
    if (unwound.size() > 1) {
      text.append(" of");
      unwound.subList(1, unwound.size()).forEach(node -> text.append(' ').append(node.path()));
    }
    if (filter != null) {
      text.append(" with ").append(filter);
    }
    groupBy.forEach(
        (field, operand) -> text.append("; ").append(field).append(" = ").append(operand));
    values.forEach(
        (field, operand) -> text.append("; ").append(field).append(" of ").append(operand));
    return text.toString();
  }
}
