package io.widebeam.view;

import io.widebeam.change.TableId;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;

/**
 * The root of a view, or one lookup in its tree: a table, how its rows are found for a row of the
 * parent node, and where they are embedded.
 *
 * @param table the table whose rows this node holds
 * @param primaryKey the columns of the table's primary key, in key order; never empty
 * @param path the field names, below the parent's row, where the rows are embedded; empty for the
 *     root and for {@link Embedding#MERGED}
 * @param embedding how the rows are embedded; {@link Embedding#ROOT} for the root
 * @param relation which of the parent's columns must equal which of this table's; empty for the
 *     root
 * @param arrayKeys the columns that order an array's elements; the primary key unless told
 *     otherwise
 * @param newest how many of an array's elements are shown, the last ones in their order; 0 for all
 * @param lookups the nodes embedded in this one, in the order of their fields
 * @param rows makes the node's rows out of the table's; null if they are the same. All columns
 *     named here are columns of the node's rows
 */
public record ViewNode(
    TableId table,
    List<String> primaryKey,
    List<String> path,
    Embedding embedding,
    List<JoinColumn> relation,
    List<String> arrayKeys,
    int newest,
    List<ViewNode> lookups,
    @Nullable RowFunction rows)
    implements Serializable {

  /** What the names of columns begin with that the joins need and documents do not show. */
  private static final String HIDDEN = "\u0001";

  /** How a node's rows appear in their parent's. */
  public enum Embedding {
    /** Not embedded: the view's documents themselves. */
    ROOT,
    /** One document: of several matches, the one with the lowest array keys. Absent if none. */
    OBJECT,
    /** All matches, ordered by the array keys; an empty array if none. */
    ARRAY,
    /** The fields of one match among the parent's own; the parent's own fields win. */
    MERGED
  }

  /**
   * One equality of a relation.
   *
   * @param parent a column of the parent node's table
   * @param child a column of the node's own table
   * @param collation which of their texts are equal; null if only those of the same characters
   * @param parentsOwn whether that is also how the parent's table tells its own texts apart
   */
  public record JoinColumn(
      String parent, String child, @Nullable Collation collation, boolean parentsOwn)
      implements Serializable {
    /** Of columns whose texts are equal if they have the same characters. */
    public JoinColumn(String parent, String child) {
      this(parent, child, null, true);
    }
  }

  public ViewNode {
    Objects.requireNonNull(table, "table");
    primaryKey = List.copyOf(primaryKey);
    path = List.copyOf(path);
    relation = List.copyOf(relation);
    arrayKeys = arrayKeys.isEmpty() ? primaryKey : List.copyOf(arrayKeys);
    lookups = List.copyOf(lookups);
    require(!primaryKey.isEmpty(), table + " needs a primary key");
    require(
        (embedding == Embedding.ROOT) == relation.isEmpty(),
        table + ": a lookup needs a relation, and a root has none");
    require(
        (embedding == Embedding.ROOT || embedding == Embedding.MERGED) == path.isEmpty(),
        table + ": an embedded object or array needs a path, and other nodes have none");
    require(
        newest == 0 || (newest > 0 && embedding == Embedding.ARRAY),
        table + ": only an array can show its newest rows, and at least one");
  }

  /** A node that shows all of an array. */
  public ViewNode(
      TableId table,
      List<String> primaryKey,
      List<String> path,
      Embedding embedding,
      List<JoinColumn> relation,
      List<String> arrayKeys,
      List<ViewNode> lookups,
      @Nullable RowFunction rows) {
    this(table, primaryKey, path, embedding, relation, arrayKeys, 0, lookups, rows);
  }

  /** A node whose rows are those of its table. */
  public ViewNode(
      TableId table,
      List<String> primaryKey,
      List<String> path,
      Embedding embedding,
      List<JoinColumn> relation,
      List<String> arrayKeys,
      List<ViewNode> lookups) {
    this(table, primaryKey, path, embedding, relation, arrayKeys, 0, lookups, null);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  /** A view's root: documents are keyed by the table's primary key. */
  public static ViewNode root(TableId table, List<String> primaryKey, List<ViewNode> lookups) {
    return new ViewNode(
        table, primaryKey, List.of(), Embedding.ROOT, List.of(), List.of(), lookups);
  }

  /** This node, with its rows made by the function. */
  public ViewNode withRows(@Nullable RowFunction function) {
    return new ViewNode(
        table, primaryKey, path, embedding, relation, arrayKeys, newest, lookups, function);
  }

  /** This array, but of its elements only the last ones in their order, at most so many. */
  public ViewNode withNewest(int count) {
    return new ViewNode(
        table, primaryKey, path, embedding, relation, arrayKeys, count, lookups, rows);
  }

  /** The name under which a row carries a column that the joins need and documents do not show. */
  public static String hidden(String column) {
    return HIDDEN + column;
  }

  /** Whether a column of this name is left out of documents. */
  public static boolean isHidden(String column) {
    return column.startsWith(HIDDEN);
  }

  /** A column's name without what hides it. */
  public static String publicName(String column) {
    return isHidden(column) ? column.substring(HIDDEN.length()) : column;
  }
}
