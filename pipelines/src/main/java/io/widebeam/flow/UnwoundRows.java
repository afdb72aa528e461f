package io.widebeam.flow;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/**
 * The rows that SQL's joins give for a document: one for each combination of the elements of its
 * arrays. Where an array is empty or an object is not there, the row has no fields of theirs, as a
 * {@code LEFT JOIN} has nulls.
 */
final class UnwoundRows implements RowSource {
  private static final long serialVersionUID = 1L;

  private static final byte DOCUMENT = 0x03;
  private static final byte ARRAY = 0x04;

  private final Node root;
  private transient BsonBuffer out;

  /** By the fields' names, as they are looked for, and as they are written. */
  private transient Map<String, byte[]> sought;

  private transient Map<String, byte[]> written;

  UnwoundRows(Node root) {
    this.root = root;
  }

  /** A field of a row, and where its value is. */
  record Field(String name, List<String> path) implements java.io.Serializable {
    Field {
      path = List.copyOf(path);
    }
  }

  /**
   * A document, or what is embedded in one.
   *
   * @param path from the document around; empty for the root
   * @param array whether there are several there
   * @param required whether there is no row without it, as an {@code INNER JOIN} has it
   */
  record Node(
      List<String> path, boolean array, boolean required, List<Field> fields, List<Node> nodes)
      implements java.io.Serializable {
    Node {
      path = List.copyOf(path);
      fields = List.copyOf(fields);
      nodes = List.copyOf(nodes);
    }

    /** Whether there is no row without it, or without what is embedded in it. */
    boolean isNeeded() {
      return required || nodes.stream().anyMatch(Node::isNeeded);
    }

    boolean hasArrays() {
      return array || nodes.stream().anyMatch(Node::hasArrays);
    }
  }

  @Override
  public void forEach(RawBsonDocument document, Consumer<RawBsonDocument> row) {
    if (out == null) {
      out = new BsonBuffer();
      sought = new HashMap<>();
      written = new HashMap<>();
    }
    for (List<byte[]> parts : rows(root, BsonRow.bytes(document))) {
      out.clear();
      int start = out.startDocument();
      for (byte[] part : parts) {
        out.putElements(part, BsonRow.FIRST_ELEMENT, part.length - 1);
      }
      out.end(start);
      row.accept(out.toDocument());
    }
  }

  /** Each row as documents whose fields together are the row's. */
  private List<List<byte[]>> rows(Node node, byte[] document) {
    List<List<byte[]>> rows = List.of(List.of(fields(node, document)));
    for (Node below : node.nodes()) {
      List<List<byte[]>> all = new ArrayList<>();
      List<List<byte[]>> further = rowsBelow(below, document);
      for (List<byte[]> row : rows) {
        for (List<byte[]> more : further) {
          List<byte[]> longer = new ArrayList<>(row);
          longer.addAll(more);
          all.add(longer);
        }
      }
      rows = all;
    }
    return rows;
  }

  private List<List<byte[]>> rowsBelow(Node node, byte[] around) {
    List<List<byte[]>> rows = new ArrayList<>();
    byte[] found = embedded(around, node.path(), node.array() ? ARRAY : DOCUMENT);
    if (found != null && node.array()) {
      int element = BsonRow.FIRST_ELEMENT;
      while (element < found.length - 1) {
        if (found[element] == DOCUMENT) {
          rows.addAll(rows(node, value(found, element)));
        }
        element = BsonRow.nextElement(found, element);
      }
    } else if (found != null) {
      rows.addAll(rows(node, found));
    }
    boolean matches = found != null && !(node.array() && isEmpty(found));
    if (!matches && !node.isNeeded()) {
      rows.add(List.of());
    }
    return rows;
  }

  private static boolean isEmpty(byte[] document) {
    return document.length <= BsonRow.FIRST_ELEMENT + 1;
  }

  private byte[] fields(Node node, byte[] document) {
    BsonBuffer buffer = new BsonBuffer();
    int start = buffer.startDocument();
    for (Field field : node.fields()) {
      int last = field.path().size() - 1;
      byte[] around = embedded(document, field.path().subList(0, last), DOCUMENT);
      int element = around == null ? -1 : BsonRow.find(around, name(field.path().get(last)));
      if (element >= 0) {
        buffer.putElement(
            written.computeIfAbsent(field.name(), BsonBuffer::fieldName), around, element);
      }
    }
    buffer.end(start);
    return BsonRow.bytes(buffer.toDocument());
  }

  @Nullable
  private byte[] embedded(byte[] document, List<String> path, byte type) {
    byte[] found = document;
    for (int i = 0; i < path.size(); i++) {
      int element = BsonRow.find(found, name(path.get(i)));
      if (element < 0 || found[element] != (i == path.size() - 1 ? type : DOCUMENT)) {
        return null;
      }
      found = value(found, element);
    }
    return found;
  }

  private static byte[] value(byte[] document, int element) {
    int value = BsonRow.valueOffset(document, element);
    return Arrays.copyOfRange(document, value, value + BsonRow.int32(document, value));
  }

  private byte[] name(String field) {
    return sought.computeIfAbsent(field, BsonRow::name);
  }

  /** What the view's own description does not say: which of its tables a row cannot do without. */
  @Override
  public String toString() {
    List<String> required = new ArrayList<>();
    addRequired(root, required);
    return required.isEmpty() ? "" : "only with " + String.join(", ", required);
  }

  private static void addRequired(Node node, List<String> names) {
    if (node.required()) {
      names.add(String.join(".", node.path()));
    }
    node.nodes().forEach(below -> addRequired(below, names));
  }
}
