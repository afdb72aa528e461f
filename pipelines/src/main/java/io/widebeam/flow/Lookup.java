package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One table embedded in a view.
 *
 * <p>The factories of {@link Option} read as a sentence when they are imported statically:
 *
 * <pre>{@code
 * .lookup("MySQL_ECommerce.ecom_customers",
 *     path("customer_info"), object(), on("customer_id", "customer_id"))
 * }</pre>
 *
 * @param from the table
 * @param path where its rows are embedded, in field names with dots between them; empty to merge
 *     the columns into the parent's. The parent is the node at the longest prefix of the path, or
 *     the root
 * @param type how the rows are embedded
 * @param relation which columns must be equal, as written: {@link ViewTree} decides which side is
 *     the parent's
 * @param arrayKeys the columns that order the rows; empty for the primary key
 */
public record Lookup(
    TableRef from, String path, Type type, List<Pair> relation, List<String> arrayKeys) {

  public Lookup {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(type, "type");
    relation = List.copyOf(relation);
    arrayKeys = List.copyOf(arrayKeys);
  }

  /** How a lookup's rows are embedded. */
  public enum Type {
    /** One row, as a document. */
    OBJECT,
    /** All rows. */
    ARRAY
  }

  /**
   * Two columns that must be equal: the parent's and the child's, or the reverse if only the right
   * one carries the parent's path.
   */
  public record Pair(String left, String right) implements Option {
    @Override
    public String toString() {
      return "[" + left + ", " + right + "]";
    }
  }

  /** A part of a lookup, for {@link ViewBuilder#lookup}. */
  public sealed interface Option {}

  private record Path(String path) implements Option {}

  private record Embedded(Type type) implements Option {}

  private record ArrayKeys(List<String> columns) implements Option {}

  /** Where the rows are embedded; see {@link Lookup#path()}. */
  public static Option path(String path) {
    return new Path(path);
  }

  /** One row, as a document; also what holds if neither this nor {@link #array()} is said. */
  public static Option object() {
    return new Embedded(Type.OBJECT);
  }

  /** All rows, as an array. */
  public static Option array() {
    return new Embedded(Type.ARRAY);
  }

  /** One pair of the relation; a composite key is several. */
  public static Option on(String parentColumn, String childColumn) {
    return new Pair(parentColumn, childColumn);
  }

  /** The columns that order the rows, instead of the primary key's. */
  public static Option arrayKeys(String... columns) {
    return new ArrayKeys(List.of(columns));
  }

  /** Without {@link #path}, the columns are merged into the parent's. */
  static Lookup of(String from, Option... options) {
    String path = "";
    Type type = Type.OBJECT;
    List<Pair> relation = new ArrayList<>();
    List<String> arrayKeys = List.of();
    for (Option option : options) {
      if (option instanceof Path given) {
        path = given.path();
      } else if (option instanceof Embedded given) {
        type = given.type();
      } else if (option instanceof Pair pair) {
        relation.add(pair);
      } else if (option instanceof ArrayKeys given) {
        arrayKeys = given.columns();
      }
    }
    return new Lookup(TableRef.parse(from), path, type, relation, arrayKeys);
  }
}
