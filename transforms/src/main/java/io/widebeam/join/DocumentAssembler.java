package io.widebeam.join;

import io.widebeam.change.BsonRow;
import io.widebeam.join.AssemblyState.Entry;
import io.widebeam.join.AssemblyState.Found;
import io.widebeam.view.ViewNode.Embedding;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import javax.annotation.Nullable;

/**
 * Puts a document together from an assembly's rows by copying their encoded fields: a nested BSON
 * document is its bytes behind a name, so nothing is decoded.
 */
final class DocumentAssembler implements Serializable {
  private static final byte DOCUMENT = 0x03;
  private static final byte ARRAY = 0x04;

  private final JoinPlan plan;

  /** Per node, what is embedded in its rows. */
  private final List<List<Field>> fields = new ArrayList<>();

  /** A field of a node's rows: a lookup's rows, or a document of more fields. */
  private static final class Field implements Serializable {
    final byte[] name;
    @Nullable JoinPlan.Node node;
    final List<Field> fields = new ArrayList<>();

    Field(byte[] name) {
      this.name = name;
    }
  }

  DocumentAssembler(JoinPlan plan) {
    this.plan = plan;
    for (JoinPlan.Node node : plan.nodes) {
      List<Field> below = new ArrayList<>();
      for (JoinPlan.Node child : node.children) {
        if (child.view.embedding() == Embedding.MERGED) {
          continue;
        }
        List<Field> level = below;
        Field field = null;
        for (byte[] name : JoinPlan.pathNames(child)) {
          field = fieldNamed(name, level);
          level = field.fields;
        }
        field.node = child;
      }
      fields.add(below);
    }
  }

  private static Field fieldNamed(byte[] name, List<Field> fields) {
    for (Field field : fields) {
      if (Arrays.equals(field.name, name)) {
        return field;
      }
    }
    Field field = new Field(name);
    fields.add(field);
    return field;
  }

  /** Whether every lookup of every row has answered for the row's present join value. */
  boolean isComplete(AssemblyState state) {
    for (Entry entry : state.entries()) {
      if (entry.row() == null) {
        continue;
      }
      for (int slot = 0; slot < entry.current().length; slot++) {
        JoinPlan.Node lookup = plan.node(entry.address()).lookups.get(slot);
        if (entry.current()[slot] == null && lookup.lookupKeyOf(entry.row()) != null) {
          return false;
        }
      }
    }
    return true;
  }

  /** The head's document; null if the head's row is not there. */
  @Nullable
  byte[] assemble(AssemblyState state, JoinPlan.Node head) {
    Entry entry = state.find(head.headAddress());
    if (entry == null || entry.row() == null) {
      return null;
    }
    Output out = new Output();
    // An assembled row that goes on to its parent is still to be joined.
    boolean last = head.attachment == JoinPlan.Attachment.ROOT;
    writeDocument(state, head, entry, last ? head.shown(entry.row()) : entry.row(), out);
    return out.toBytes();
  }

  private void writeDocument(
      AssemblyState state, JoinPlan.Node node, Entry entry, byte[] row, Output out) {
    int start = out.begin();
    out.write(row, BsonRow.FIRST_ELEMENT, row.length - 1);
    if (!node.isAssembledAt(entry.address())) {
      writeFields(state, fields.get(node.index), entry, out);
      writeMerged(state, node, entry, start, out);
    }
    out.end(start);
  }

  private void writeFields(AssemblyState state, List<Field> level, Entry entry, Output out) {
    for (Field field : level) {
      int begin = out.length();
      out.element(DOCUMENT, field.name);
      if (field.node == null) {
        int start = out.begin();
        int empty = out.length();
        writeFields(state, field.fields, entry, out);
        if (out.length() == empty) {
          out.truncate(begin);
        } else {
          out.end(start);
        }
      } else if (field.node.isArray()) {
        out.truncate(begin);
        out.element(ARRAY, field.name);
        writeArray(rowsOf(state, field.node, entry), field.node.view.newest(), out);
      } else {
        byte[][] rows = rowsOf(state, field.node, entry);
        if (rows.length == 0) {
          out.truncate(begin);
        } else {
          out.write(rows[0], 0, rows[0].length);
        }
      }
    }
  }

  private static void writeArray(byte[][] rows, int newest, Output out) {
    int start = out.begin();
    int first = newest == 0 ? 0 : Math.max(0, rows.length - newest);
    for (int i = first; i < rows.length; i++) {
      out.element(DOCUMENT, BsonRow.name(Integer.toString(i - first)));
      out.write(rows[i], 0, rows[i].length);
    }
    out.end(start);
  }

  /** Fields of merged lookups, but for those that are there already: the nearer row's wins. */
  private void writeMerged(
      AssemblyState state, JoinPlan.Node node, Entry entry, int start, Output out) {
    for (JoinPlan.Node child : node.children) {
      if (child.view.embedding() != Embedding.MERGED) {
        continue;
      }
      byte[][] rows = rowsOf(state, child, entry);
      if (rows.length == 0) {
        continue;
      }
      byte[] row = rows[0];
      byte[] sofar = out.documentFrom(start);
      int element = BsonRow.FIRST_ELEMENT;
      while (element < row.length - 1) {
        int after = BsonRow.nextElement(row, element);
        byte[] name = Arrays.copyOfRange(row, element + 1, BsonRow.valueOffset(row, element) - 1);
        if (BsonRow.find(sofar, name) < 0) {
          out.write(row, element, after);
        }
        element = after;
      }
    }
  }

  /** The documents embedded for a child of this row, in order. */
  private byte[][] rowsOf(AssemblyState state, JoinPlan.Node child, Entry parent) {
    if (child.attachment == JoinPlan.Attachment.LOOKUP) {
      Found found = parent.current()[child.slot];
      return found == null ? new byte[0][] : found.rows();
    }
    JoinKey prefix = child.addressPrefix(parent.row());
    List<byte[]> documents = new ArrayList<>();
    List<JoinKey> orders = new ArrayList<>();
    Entry[] entries = state.entries();
    for (int i = state.firstFrom(prefix);
        i < entries.length && entries[i].address().startsWith(prefix);
        i++) {
      if (entries[i].row() == null) {
        continue;
      }
      Output out = new Output();
      writeDocument(state, child, entries[i], child.shown(entries[i].row()), out);
      documents.add(out.toBytes());
      if (child.order != null) {
        orders.add(child.order.encodeWithNulls(entries[i].row()));
      }
    }
    return inOrder(documents, orders).toArray(byte[][]::new);
  }

  /** The documents by their orders, ties as they came; as they came, where there are no orders. */
  static List<byte[]> inOrder(List<byte[]> documents, List<JoinKey> orders) {
    if (orders.isEmpty() || documents.size() < 2) {
      return documents;
    }
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < documents.size(); i++) {
      indexes.add(i);
    }
    indexes.sort(Comparator.comparing(orders::get));
    return indexes.stream().map(documents::get).toList();
  }

  /** Growing BSON: documents are begun, filled, and ended, which sets their length. */
  private static final class Output {
    private byte[] bytes = new byte[1024];
    private int length;

    int length() {
      return length;
    }

    int begin() {
      reserve(4);
      int start = length;
      length += 4;
      return start;
    }

    void end(int start) {
      reserve(1);
      bytes[length++] = 0;
      BsonRow.setInt32(bytes, start, length - start);
    }

    void element(byte type, byte[] name) {
      reserve(name.length + 2);
      bytes[length++] = type;
      System.arraycopy(name, 0, bytes, length, name.length);
      length += name.length;
      bytes[length++] = 0;
    }

    void write(byte[] source, int from, int to) {
      reserve(to - from);
      System.arraycopy(source, from, bytes, length, to - from);
      length += to - from;
    }

    void truncate(int to) {
      length = to;
    }

    /** The document begun at {@code start}, ended as it is now. */
    byte[] documentFrom(int start) {
      byte[] document = Arrays.copyOfRange(bytes, start, length + 1);
      document[document.length - 1] = 0;
      BsonRow.setInt32(document, 0, document.length);
      return document;
    }

    byte[] toBytes() {
      return Arrays.copyOf(bytes, length);
    }

    private void reserve(int more) {
      if (length + more > bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
      }
    }
  }
}
