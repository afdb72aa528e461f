package io.widebeam.flow;

import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A view's nodes as a tree, told from the paths alone: a node's parent is the node at the longest
 * prefix of its path, or the root.
 *
 * <p>A pair of a relation is {@code [parent, child]}. Below the root, the parent's column may carry
 * the parent's path; the side that carries it is the parent's, on whichever side it stands.
 *
 * @param part the node's path in the flow, see {@link Places}
 * @param table the node's table
 * @param path the field names below the parent
 * @param relation the join columns, without paths, in the order of the pairs
 * @param arrayKeys the columns that order the rows; empty for the primary key
 * @param newest how many elements of an array are shown, the last ones; 0 for all
 * @param options which rows and columns of the table there are
 * @param lookups the nodes below, in the order in which they were declared
 */
record ViewTree(
    String part,
    TableRef table,
    List<String> path,
    Embedding embedding,
    List<JoinColumn> relation,
    List<String> arrayKeys,
    int newest,
    NodeOptions options,
    List<ViewTree> lookups) {

  /** Takes what is wrong with a part. */
  interface Reporter {
    void report(String part, String what, String remedy);
  }

  /** The tree of a view, as far as it can be told: what cannot is reported. */
  static ViewTree of(View view, String part, Reporter reporter) {
    ViewTree root =
        new ViewTree(
            part,
            view.from(),
            List.of(),
            Embedding.ROOT,
            List.of(),
            List.of(),
            0,
            view.options(),
            new ArrayList<>());
    List<Lookup> lookups = view.lookups();
    Map<String, ViewTree> nodeByPath = new HashMap<>();
    nodeByPath.put("", root);
    List<ViewTree> nodes = new ArrayList<>();
    for (int i = 0; i < lookups.size(); i++) {
      Lookup lookup = lookups.get(i);
      String lookupPart = FlowRules.lookupPart(part, i);
      String parentPath = parentPath(lookup.path(), lookups);
      ViewTree node =
          new ViewTree(
              lookupPart,
              lookup.from(),
              fieldsBelow(parentPath, lookup.path()),
              embedding(lookup),
              relation(lookup, lookupPart, parentPath, reporter),
              lookup.arrayKeys(),
              lookup.newest(),
              lookup.options(),
              new ArrayList<>());
      nodes.add(node);
      if (!lookup.path().isEmpty() && nodeByPath.putIfAbsent(lookup.path(), node) != null) {
        reporter.report(
            lookupPart + ".path",
            "two lookups are embedded at `" + lookup.path() + "`",
            "give each its own path");
      }
      List<String> fields = node.path();
      if (parentPath.isEmpty() && !fields.isEmpty() && isTaken(fields.get(0), view)) {
        reporter.report(
            lookupPart + ".path",
            "the field `" + fields.get(0) + "` of a document is taken by Widebeam",
            "choose another path");
      }
    }
    for (int i = 0; i < nodes.size(); i++) {
      nodeByPath.get(parentPath(lookups.get(i).path(), lookups)).lookups().add(nodes.get(i));
    }
    return root;
  }

  private static boolean isTaken(String field, View view) {
    return field.equals("_id") || field.equals(view.versionField());
  }

  private static Embedding embedding(Lookup lookup) {
    if (lookup.path().isEmpty()) {
      return Embedding.MERGED;
    }
    return switch (lookup.type()) {
      case OBJECT -> Embedding.OBJECT;
      case ARRAY -> Embedding.ARRAY;
    };
  }

  private static String parentPath(String path, List<Lookup> lookups) {
    String longest = "";
    for (Lookup other : lookups) {
      if (path.startsWith(other.path() + ".") && other.path().length() > longest.length()) {
        longest = other.path();
      }
    }
    return longest;
  }

  private static List<String> fieldsBelow(String parentPath, String path) {
    if (path.isEmpty()) {
      return List.of();
    }
    String below = parentPath.isEmpty() ? path : path.substring(parentPath.length() + 1);
    return Arrays.asList(below.split("\\.", -1));
  }

  private static List<JoinColumn> relation(
      Lookup lookup, String part, String parentPath, Reporter reporter) {
    List<JoinColumn> columns = new ArrayList<>();
    for (int i = 0; i < lookup.relation().size(); i++) {
      Lookup.Pair pair = lookup.relation().get(i);
      JoinColumn join = joinColumn(pair, parentPath, lookup.path());
      columns.add(join);
      for (String column : List.of(join.parent(), join.child())) {
        if (column.isBlank() || column.contains(".")) {
          reporter.report(
              part + ".relation[" + i + "]",
              "`"
                  + column
                  + "` in the pair "
                  + pair
                  + " is not a column of `"
                  + lookup.from()
                  + "` or of its parent, "
                  + (parentPath.isEmpty() ? "the root" : "the lookup at `" + parentPath + "`"),
              "write [parent column, child column]; only the parent's may carry its path"
                  + (parentPath.isEmpty() ? "" : ", as in: " + parentPath + ".column"));
        }
      }
    }
    return columns;
  }

  private static JoinColumn joinColumn(Lookup.Pair pair, String parentPath, String ownPath) {
    boolean leftIsParents = carries(pair.left(), parentPath) && !carries(pair.left(), ownPath);
    boolean rightIsParents = carries(pair.right(), parentPath) && !carries(pair.right(), ownPath);
    boolean leftIsOwn = carries(pair.left(), ownPath);
    boolean swapped = (rightIsParents && !leftIsParents) || (leftIsOwn && !rightIsParents);
    String parent = swapped ? pair.right() : pair.left();
    String child = swapped ? pair.left() : pair.right();
    return new JoinColumn(without(parentPath, parent), without(ownPath, child));
  }

  private static boolean carries(String column, String path) {
    return !path.isEmpty() && column.startsWith(path + ".");
  }

  private static String without(String path, String column) {
    return carries(column, path) ? column.substring(path.length() + 1) : column;
  }
}
