package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.change.TableId;
import io.widebeam.join.JoinKeyEncoder.Column;
import io.widebeam.view.Collation;
import io.widebeam.view.RowException;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.annotation.Nullable;

/**
 * How a view's tree of nodes becomes stages, decided from keys alone.
 *
 * <p>A node's rows reach their parent in one of two ways. Where the relation names the parent's
 * whole primary key, and compares texts as that key does, the child row itself says which parent it
 * belongs to ({@link Attachment#DIRECT}). Otherwise parent and child meet at a lookup, keyed by the
 * join value ({@link Attachment#LOOKUP}).
 *
 * <p>An assembly holds its head's row and the rows of every direct descendant that can tell the
 * head's primary key from its own columns: these need no stage of their own. The root heads one; so
 * does every other node with lookups below it whose assembled rows have to travel.
 *
 * <p>Stages are numbered so that data only flows upwards: lookups of plain tables are stage 0, an
 * assembly comes one after everything that feeds it, a lookup of assembled rows one after their
 * assembly.
 */
final class JoinPlan implements Serializable {
  enum Attachment {
    ROOT,
    DIRECT,
    LOOKUP
  }

  /** One node of the view's tree, in preorder. */
  static final class Node implements Serializable {
    final int index;
    final ViewNode view;
    @Nullable final Node parent;
    final Attachment attachment;
    final List<Node> children = new ArrayList<>();

    /** The lookups among the children, in order: the slots of a row of this node. */
    final List<Node> lookups = new ArrayList<>();

    /** The position among the parent's {@link #lookups}, if this node is one. */
    final int slot;

    /** Tells rows apart by the bytes of their texts. */
    final JoinKeyEncoder rowKey;

    /** The primary key as direct children's relations compare it. */
    private final List<Column> joinedKeyColumns;

    private final JoinKeyEncoder joinedKey;

    /** The names of the primary key's columns, encoded. */
    final byte[][] keyColumns;

    /** Whether the rows have columns that documents do not show. */
    final boolean hides;

    /** The join value in the parent's row. */
    final JoinKeyEncoder parentJoin;

    /** The join value in this node's row; for a direct child, the parent's primary key. */
    final JoinKeyEncoder childJoin;

    /** The order of an array's elements, if it is not the rows' own. */
    @Nullable final JoinKeyEncoder order;

    /** The head of the assembly that holds this node's rows; null for a plain looked-up table. */
    @Nullable Node head;

    /** The head's primary key in this node's row. */
    @Nullable JoinKeyEncoder headKey;

    /** The primary key of the parent's head in this node's row, if this node is direct. */
    @Nullable JoinKeyEncoder parentHeadKey;

    /** The columns that {@link #headKey} reads. */
    private List<Column> headColumns = List.of();

    /** Where the assembled rows of a head are made; for a plain looked-up table, unused. */
    int assemblyStage;

    /** Where the parents meet this node, if it is looked up. */
    int lookupStage;

    private Node(int index, ViewNode view, @Nullable Node parent) {
      this.index = index;
      this.view = view;
      this.parent = parent;
      this.rowKey = new JoinKeyEncoder(view.primaryKey());
      this.joinedKeyColumns =
          view.primaryKey().stream()
              .map(column -> new Column(column, ownCollation(column)))
              .toList();
      this.joinedKey = JoinKeyEncoder.of(joinedKeyColumns);
      this.keyColumns = view.primaryKey().stream().map(BsonRow::name).toArray(byte[][]::new);
      this.hides =
          Stream.of(
                  view.primaryKey().stream(),
                  view.arrayKeys().stream(),
                  view.relation().stream().map(JoinColumn::child),
                  view.lookups().stream()
                      .flatMap(lookup -> lookup.relation().stream().map(JoinColumn::parent)))
              .flatMap(columns -> columns)
              .anyMatch(ViewNode::isHidden);
      this.parentJoin =
          JoinKeyEncoder.of(
              view.relation().stream()
                  .map(join -> new Column(join.parent(), join.collation()))
                  .toList());
      this.order =
          view.arrayKeys().equals(view.primaryKey()) ? null : new JoinKeyEncoder(view.arrayKeys());
      if (parent == null) {
        this.attachment = Attachment.ROOT;
        this.childJoin = rowKey;
        this.slot = -1;
        return;
      }
      Optional<List<Column>> direct = columnsFor(parent.joinedKeyColumns, view.relation());
      boolean exact = view.relation().size() == parent.view.primaryKey().size();
      if (direct.isPresent() && exact) {
        this.attachment = Attachment.DIRECT;
        this.childJoin = JoinKeyEncoder.of(direct.get());
        this.slot = -1;
      } else {
        this.attachment = Attachment.LOOKUP;
        this.childJoin =
            JoinKeyEncoder.of(
                view.relation().stream()
                    .map(join -> new Column(join.child(), join.collation()))
                    .toList());
        this.slot = parent.lookups.size();
        parent.lookups.add(this);
      }
      parent.children.add(this);
    }

    /**
     * How relations compare the texts of a column, if that is how its table tells them apart; null
     * if by their bytes.
     */
    @Nullable
    private Collation ownCollation(String column) {
      return view.lookups().stream()
          .flatMap(lookup -> lookup.relation().stream())
          .filter(join -> join.parent().equals(column) && join.parentsOwn())
          .map(JoinColumn::collation)
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }

    /**
     * Whether two rows, or their keys, have one key, as targets see it: of the same value, whatever
     * type the columns have been given between the two.
     */
    boolean isSameKey(@Nullable byte[] one, @Nullable byte[] other) {
      return Arrays.equals(one, other)
          || (one != null
              && other != null
              && rowKey.encodeWithNulls(one).equals(rowKey.encodeWithNulls(other)));
    }

    boolean isHead() {
      return head == this;
    }

    /** A table whose rows go to their lookup as they come from the source. */
    boolean isPlainLookup() {
      return head == null;
    }

    /** A row as documents show it. */
    byte[] shown(byte[] row) {
      return hides ? BsonRow.without(row, HIDDEN) : row;
    }

    boolean isArray() {
      return view.embedding() == Embedding.ARRAY;
    }

    /** The key of this node's lookup that a parent row points at; null if at none. */
    @Nullable
    JoinKey lookupKeyOf(byte[] parentRow) {
      return prefixedOrNull(parentJoin.encode(parentRow));
    }

    /** The key of this node's lookup where a row of its own is found; null if nowhere. */
    @Nullable
    JoinKey lookupKeyFor(byte[] row) {
      return prefixedOrNull(childJoin.encode(row));
    }

    /** The key of the assembly that a row of this node heads or is a member of; null if none. */
    @Nullable
    JoinKey assemblyKeyFor(byte[] row) {
      return isHead() || namesParent(row) ? head.prefixedOrNull(headKey.encode(row)) : null;
    }

    /** The key of the assembly that holds the parent of an assembled row; null if none. */
    @Nullable
    JoinKey parentAssemblyKeyFor(byte[] row) {
      return namesParent(row) ? parent.head.prefixedOrNull(parentHeadKey.encode(row)) : null;
    }

    /** The head's key may be a part of the parent's, and the rest null. */
    private boolean namesParent(byte[] row) {
      return parent.isHead() || childJoin.encode(row) != null;
    }

    /** Whether a row of this node at this address holds everything below it already. */
    boolean isAssembledAt(JoinKey address) {
      return isHead() && address.length() > PREFIX;
    }

    /** The lookups whose answers are kept at this address. */
    List<Node> lookupsAt(JoinKey address) {
      return isAssembledAt(address) ? List.of() : lookups;
    }

    /** The address of a head's row in its own assembly. */
    JoinKey headAddress() {
      return prefixed(JoinKey.EMPTY);
    }

    /** Names one row within the assembly that it heads or is a member of. */
    JoinKey address(byte[] row) {
      return isHead() ? headAddress() : addressInParent(row, requiredRowKey(row));
    }

    /** Names one row within its parent's assembly; sorts by node, parent row, row. */
    JoinKey addressInParent(byte[] row, JoinKey ownKey) {
      return addressesBelow(parent.isHead() ? JoinKey.EMPTY : childJoin.encode(row), ownKey);
    }

    /** What the addresses of all rows of this node below one row of its parent start with. */
    JoinKey addressPrefix(byte[] parentRow) {
      return addressesBelow(
          parent.isHead() ? JoinKey.EMPTY : parent.joinedKey.encode(parentRow), JoinKey.EMPTY);
    }

    // The head's key is the assembly's own and need not be repeated in every address.
    private JoinKey addressesBelow(JoinKey parentKey, JoinKey ownKey) {
      return prefixed(parentKey.append(ownKey));
    }

    /** The row's primary key. */
    JoinKey requiredRowKey(byte[] row) {
      JoinKey key = rowKey.encode(row);
      if (key == null) {
        throw new RowException(
            "it has no value in its primary key " + String.join(", ", view.primaryKey()));
      }
      return key;
    }

    @Nullable
    private JoinKey prefixedOrNull(@Nullable JoinKey key) {
      return key == null ? null : prefixed(key);
    }

    private JoinKey prefixed(JoinKey key) {
      byte[] bytes = new byte[PREFIX + key.length()];
      bytes[0] = (byte) (index >>> 8);
      bytes[1] = (byte) index;
      System.arraycopy(key.bytes(), 0, bytes, PREFIX, key.length());
      return new JoinKey(bytes);
    }

    @Override
    public String toString() {
      return view.path().isEmpty() ? view.table().name() : String.join(".", view.path());
    }
  }

  private static final byte HIDDEN = BsonRow.name(ViewNode.hidden(""))[0];

  /** Every key begins with its node's index, in two bytes. */
  private static final int PREFIX = 2;

  final List<Node> nodes = new ArrayList<>();

  /** Sources in the order in which versions name them. */
  final List<String> sources;

  private JoinPlan(ViewNode root) {
    add(root, null);
    for (Node node : nodes) {
      assignHead(node);
    }
    for (int i = nodes.size() - 1; i >= 0; i--) {
      assignStages(nodes.get(i));
    }
    this.sources =
        List.copyOf(new TreeSet<>(nodes.stream().map(node -> node.view.table().source()).toList()));
  }

  static JoinPlan of(ViewNode root) {
    return new JoinPlan(root);
  }

  Node root() {
    return nodes.get(0);
  }

  static int nodeIndex(JoinKey key) {
    return (key.bytes()[0] & 0xFF) << 8 | (key.bytes()[1] & 0xFF);
  }

  Node node(JoinKey key) {
    return nodes.get(nodeIndex(key));
  }

  /** The nodes that each table's rows belong to; one table may be several. */
  Map<TableId, List<Node>> nodesByTable() {
    Map<TableId, List<Node>> byTable = new LinkedHashMap<>();
    for (Node node : nodes) {
      byTable.computeIfAbsent(node.view.table(), table -> new ArrayList<>()).add(node);
    }
    return byTable;
  }

  /** All stages, in the order of the data. */
  SortedSet<Stage> stages() {
    SortedSet<Stage> stages = new TreeSet<>();
    for (Node node : nodes) {
      if (node.attachment == Attachment.LOOKUP) {
        stages.add(Stage.lookup(node));
      }
      if (!node.isPlainLookup()) {
        stages.add(Stage.assemble(node));
      }
    }
    return stages;
  }

  /** The stages that this one sends to. */
  SortedSet<Stage> stagesAfter(Stage stage) {
    SortedSet<Stage> after = new TreeSet<>();
    for (Node node : nodes) {
      if (node.attachment == Attachment.LOOKUP && Stage.lookup(node).equals(stage)) {
        after.add(Stage.assemble(node.parent));
      }
      if (node.isHead() && node != root() && Stage.assemble(node).equals(stage)) {
        after.add(Stage.ofParent(node));
      }
    }
    return after;
  }

  private void add(ViewNode view, @Nullable Node parent) {
    Node node = new Node(nodes.size(), view, parent);
    nodes.add(node);
    for (ViewNode lookup : view.lookups()) {
      add(lookup, node);
    }
  }

  /** In preorder, so that a parent's head is known before its children's. */
  private static void assignHead(Node node) {
    if (node.attachment == Attachment.LOOKUP && node.children.isEmpty()) {
      return;
    }
    Optional<List<Column>> headColumns = Optional.empty();
    if (node.attachment == Attachment.DIRECT) {
      headColumns = columnsFor(node.parent.headColumns, node.view.relation());
      node.parentHeadKey = JoinKeyEncoder.of(headColumns.orElseThrow());
    }
    if (headColumns.isPresent() && membersBelow(node, headColumns.get())) {
      node.head = node.parent.head;
      node.headColumns = headColumns.get();
    } else {
      node.head = node;
      node.headColumns = node.joinedKeyColumns;
    }
    node.headKey = JoinKeyEncoder.of(node.headColumns);
  }

  /**
   * Whether every direct descendant of the node can tell the head's key too. If one can't, the node
   * becomes a head itself, so that its descendants need only tell the node's own key.
   */
  private static boolean membersBelow(Node node, List<Column> headColumns) {
    for (Node child : node.children) {
      if (child.attachment == Attachment.DIRECT) {
        Optional<List<Column>> columns = columnsFor(headColumns, child.view.relation());
        if (columns.isEmpty()) {
          return false;
        }
      }
    }
    return true;
  }

  /** In reverse preorder, so that children's stages are known before their parent's. */
  private void assignStages(Node node) {
    if (node.isHead()) {
      int stage = 0;
      for (Node member : nodes) {
        if (member.head == node) {
          for (Node child : member.children) {
            if (child.attachment == Attachment.LOOKUP) {
              stage = Math.max(stage, child.lookupStage);
            } else if (child.isHead()) {
              stage = Math.max(stage, child.assemblyStage);
            }
          }
        }
      }
      node.assemblyStage = stage + 1;
    }
    if (node.attachment == Attachment.LOOKUP) {
      node.lookupStage = node.isPlainLookup() ? 0 : node.assemblyStage + 1;
    }
  }

  /** The child columns that equal the given parent columns, in their order, if all do. */
  private static Optional<List<Column>> columnsFor(
      List<Column> parentColumns, List<JoinColumn> relation) {
    List<Column> childColumns = new ArrayList<>();
    for (Column parentColumn : parentColumns) {
      Optional<JoinColumn> pair =
          relation.stream()
              .filter(join -> join.parent().equals(parentColumn.name()))
              .filter(join -> Objects.equals(join.collation(), parentColumn.collation()))
              .findFirst();
      if (pair.isEmpty()) {
        return Optional.empty();
      }
      childColumns.add(new Column(pair.get().child(), parentColumn.collation()));
    }
    return Optional.of(childColumns);
  }

  /** The field names of a node's path, encoded. */
  static byte[][] pathNames(Node node) {
    return node.view.path().stream().map(BsonRow::name).toArray(byte[][]::new);
  }
}
