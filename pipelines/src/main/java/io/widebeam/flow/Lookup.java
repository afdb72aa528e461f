package io.widebeam.flow;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

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
 * @param newest how many rows of an array are embedded, the last ones in their order; 0 for all
 * @param options which rows and columns of the table there are
 */
public record Lookup(
    TableRef from,
    String path,
    Type type,
    List<Pair> relation,
    List<String> arrayKeys,
    int newest,
    NodeOptions options) {

  public Lookup {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(type, "type");
    relation = List.copyOf(relation);
    arrayKeys = List.copyOf(arrayKeys);
    Objects.requireNonNull(options, "options");
  }

  /** A lookup with all rows that its options leave. */
  public Lookup(
      TableRef from,
      String path,
      Type type,
      List<Pair> relation,
      List<String> arrayKeys,
      NodeOptions options) {
    this(from, path, type, relation, arrayKeys, 0, options);
  }

  /** A lookup with all rows and columns of its table. */
  public Lookup(
      TableRef from, String path, Type type, List<Pair> relation, List<String> arrayKeys) {
    this(from, path, type, relation, arrayKeys, NodeOptions.NONE);
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

  private record Newest(int count) implements Option {}

  private record ArrayKeys(List<String> columns) implements Option {}

  /** One more of the {@link NodeOptions}. */
  private record Node(UnaryOperator<NodeOptions> addition) implements Option {}

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

  /**
   * Of the rows of an array only the last ones in their order, as in {@code arrayKeys("at"),
   * newest(3)}.
   */
  public static Option newest(int count) {
    return new Newest(count);
  }

  /** Only these columns, in this order. */
  public static Option columns(String... columns) {
    return new Node(options -> options.withColumns(List.of(columns)));
  }

  /** All but these columns. */
  public static Option exclude(String... columns) {
    return new Node(options -> options.withExclude(List.of(columns)));
  }

  /** What documents call a column. */
  public static Option rename(String column, String field) {
    return new Node(options -> options.withRename(column, field));
  }

  /**
   * Only those rows for which a condition is true. Of several conditions, all must be.
   *
   * @param sql an SQL condition over the table's columns
   */
  public static Option filter(String sql) {
    return new Node(options -> options.withFilter(new NodeOptions.Sql(sql)));
  }

  /** As {@link #filter(String)}, in Java. */
  public static Option filter(RowCondition condition) {
    return new Node(options -> options.withFilter(new NodeOptions.JavaCondition(condition)));
  }

  /**
   * One more field.
   *
   * @param sql an SQL expression over the table's columns
   */
  public static Option computed(String field, String sql) {
    return new Node(options -> options.withComputed(field, new NodeOptions.Sql(sql)));
  }

  /** As {@link #computed(String, String)}, in Java. */
  public static Option computed(String field, RowValue value) {
    return new Node(options -> options.withComputed(field, new NodeOptions.JavaValue(value)));
  }

  /** Without {@link #path}, the columns are merged into the parent's. */
  static Lookup of(String from, Option... options) {
    String path = "";
    Type type = Type.OBJECT;
    List<Pair> relation = new ArrayList<>();
    List<String> arrayKeys = List.of();
    int newest = 0;
    NodeOptions nodeOptions = NodeOptions.NONE;
    for (Option option : options) {
      if (option instanceof Path given) {
        path = given.path();
      } else if (option instanceof Embedded given) {
        type = given.type();
      } else if (option instanceof Pair pair) {
        relation.add(pair);
      } else if (option instanceof ArrayKeys given) {
        arrayKeys = given.columns();
      } else if (option instanceof Newest given) {
        newest = given.count();
      } else if (option instanceof Node given) {
        nodeOptions = given.addition().apply(nodeOptions);
      }
    }
    return new Lookup(TableRef.parse(from), path, type, relation, arrayKeys, newest, nodeOptions);
  }
}
