package io.widebeam.cdc;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.annotation.Nullable;

/**
 * How far the tables beside the log have been loaded: of each, up to which primary key its rows are
 * shared out in chunks, and which of these chunks have not been given out whole. It is part of the
 * checkpoint, so that a load that is killed goes on with the chunks that were being read.
 *
 * @param tables every table of the source, the loaded ones too; empty where the connector itself
 *     takes the snapshot
 */
record LoadProgress(List<TableProgress> tables) {

  static final LoadProgress NONE = new LoadProgress(List.of());

  /**
   * A primary key: of each of its columns the text in which the server compares it; binary ones in
   * hexadecimal digits.
   */
  record RowKey(List<String> values) {}

  /**
   * The rows with greater keys than {@code after}, up to and including {@code upTo}; null leaves
   * the end open.
   */
  record KeyRange(@Nullable RowKey after, @Nullable RowKey upTo) {
    private boolean endsAt(@Nullable RowKey key) {
      return Objects.equals(upTo, key);
    }
  }

  /**
   * @param rows how many rows it has, as the server guessed
   * @param columns the table's columns at that time, see {@link TableSchema}
   * @param round how often the table has been loaded from its beginning
   * @param sharedOut the last row that belongs to a chunk; null before the first
   * @param complete whether every row belongs to a chunk
   * @param open what has not been given out of each chunk; no two have the same end
   * @param given how many of its rows have been given out in this round, by all readers that went
   *     on from one another
   */
  record TableProgress(
      String namespace,
      String name,
      long rows,
      String columns,
      int round,
      @Nullable RowKey sharedOut,
      boolean complete,
      List<KeyRange> open,
      long given) {

    static TableProgress start(String namespace, String name, long rows, String columns) {
      return new TableProgress(namespace, name, rows, columns, 0, null, false, List.of(), 0);
    }

    boolean isDone() {
      return complete && open.isEmpty();
    }

    boolean is(String otherNamespace, String otherName) {
      return namespace.equals(otherNamespace) && name.equals(otherName);
    }

    /** The table's name and round: what stays while one of its chunks is read. */
    TableProgress identity() {
      return new TableProgress(namespace, name, 0, "", round, null, false, List.of(), 0);
    }

    private TableProgress again(long newRows, String newColumns) {
      return new TableProgress(
          namespace, name, newRows, newColumns, round + 1, null, false, List.of(), 0);
    }

    private TableProgress opened(KeyRange range) {
      List<KeyRange> more = new ArrayList<>(open);
      more.add(range);
      return new TableProgress(
          namespace,
          name,
          rows,
          columns,
          round,
          range.upTo(),
          range.upTo() == null,
          List.copyOf(more),
          given);
    }

    private TableProgress givenOut(@Nullable RowKey chunk, RowKey lastRow, long more) {
      return withOpen(
          open.stream()
              .map(range -> range.endsAt(chunk) ? new KeyRange(lastRow, chunk) : range)
              .toList(),
          more);
    }

    private TableProgress finished(@Nullable RowKey chunk, long more) {
      return withOpen(open.stream().filter(range -> !range.endsAt(chunk)).toList(), more);
    }

    private TableProgress withOpen(List<KeyRange> ranges, long more) {
      return new TableProgress(
          namespace, name, rows, columns, round, sharedOut, complete, ranges, given + more);
    }
  }

  boolean isDone() {
    return tables.stream().allMatch(TableProgress::isDone);
  }

  @Nullable
  TableProgress find(String namespace, String name) {
    for (TableProgress table : tables) {
      if (table.is(namespace, name)) {
        return table;
      }
    }
    return null;
  }

  /** With a chunk that begins where the ones before it end, unless its table is loaded anew. */
  LoadProgress opened(TableProgress table, KeyRange range) {
    TableProgress now = findRound(table);
    return now == null ? this : replaced(now, now.opened(range));
  }

  /**
   * With a chunk given out up to a row, unless its table is being loaded anew.
   *
   * @param chunk where the chunk ends
   * @param rows how many rows have been given out with it
   */
  LoadProgress givenOut(TableProgress table, @Nullable RowKey chunk, RowKey lastRow, long rows) {
    TableProgress now = findRound(table);
    return now == null ? this : replaced(now, now.givenOut(chunk, lastRow, rows));
  }

  /**
   * Without a chunk that has been given out whole, unless its table is being loaded anew.
   *
   * @param chunk where the chunk ends
   * @param rows how many rows have been given out with its last one
   */
  LoadProgress finished(TableProgress table, @Nullable RowKey chunk, long rows) {
    TableProgress now = findRound(table);
    return now == null ? this : replaced(now, now.finished(chunk, rows));
  }

  /** What has not been given out of a chunk; null if its table is being loaded anew. */
  @Nullable
  KeyRange left(TableProgress table, @Nullable RowKey chunk) {
    TableProgress now = findRound(table);
    return now == null
        ? null
        : now.open().stream().filter(range -> range.endsAt(chunk)).findFirst().orElse(null);
  }

  @Nullable
  private TableProgress findRound(TableProgress table) {
    TableProgress now = find(table.namespace(), table.name());
    return now == null || now.round() != table.round() ? null : now;
  }

  /** With a table that is loaded from its beginning, perhaps again. */
  LoadProgress restarted(String namespace, String name, long rows, String columns) {
    TableProgress now = find(namespace, name);
    if (now != null) {
      return replaced(now, now.again(rows, columns));
    }
    List<TableProgress> more = new ArrayList<>(tables);
    more.add(TableProgress.start(namespace, name, rows, columns));
    return new LoadProgress(List.copyOf(more));
  }

  /** With a table's columns, which were not known. */
  LoadProgress described(TableSchema table) {
    TableProgress now = find(table.namespace(), table.name());
    if (now == null) {
      return tables.isEmpty() ? this : created(table);
    }
    return replaced(
        now,
        new TableProgress(
            now.namespace,
            now.name,
            now.rows,
            table.columns(),
            now.round,
            now.sharedOut,
            now.complete,
            now.open,
            now.given));
  }

  /** With a new table, whose rows are all in the log. */
  LoadProgress created(TableSchema table) {
    List<TableProgress> more = new ArrayList<>(tables);
    more.add(
        new TableProgress(
            table.namespace(), table.name(), 0, table.columns(), 0, null, true, List.of(), 0));
    return new LoadProgress(List.copyOf(more));
  }

  private LoadProgress replaced(TableProgress before, TableProgress after) {
    List<TableProgress> changed = new ArrayList<>(tables);
    changed.replaceAll(
        table ->
            table.is(before.namespace(), before.name()) ? after : Objects.requireNonNull(table));
    return new LoadProgress(List.copyOf(changed));
  }

  void encode(DataOutputStream out) throws IOException {
    out.writeInt(tables.size());
    for (TableProgress table : tables) {
      out.writeUTF(table.namespace);
      out.writeUTF(table.name);
      out.writeLong(table.rows);
      CdcCheckpoint.writeText(out, table.columns);
      out.writeInt(table.round);
      encode(table.sharedOut, out);
      out.writeBoolean(table.complete);
      out.writeInt(table.open.size());
      for (KeyRange range : table.open) {
        encode(range.after, out);
        encode(range.upTo, out);
      }
      out.writeLong(table.given);
    }
  }

  static LoadProgress decode(DataInputStream in) throws IOException {
    int count = in.readInt();
    List<TableProgress> tables = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      String namespace = in.readUTF();
      String name = in.readUTF();
      long rows = in.readLong();
      String columns = CdcCheckpoint.readText(in);
      int round = in.readInt();
      RowKey sharedOut = decodeKey(in);
      boolean complete = in.readBoolean();
      int openCount = in.readInt();
      List<KeyRange> open = new ArrayList<>(openCount);
      for (int j = 0; j < openCount; j++) {
        open.add(new KeyRange(decodeKey(in), decodeKey(in)));
      }
      tables.add(
          new TableProgress(
              namespace,
              name,
              rows,
              columns,
              round,
              sharedOut,
              complete,
              List.copyOf(open),
              in.readLong()));
    }
    return new LoadProgress(List.copyOf(tables));
  }

  private static void encode(@Nullable RowKey key, DataOutputStream out) throws IOException {
    out.writeInt(key == null ? -1 : key.values().size());
    if (key != null) {
      for (String value : key.values()) {
        CdcCheckpoint.writeText(out, value);
      }
    }
  }

  @Nullable
  private static RowKey decodeKey(DataInputStream in) throws IOException {
    int size = in.readInt();
    if (size < 0) {
      return null;
    }
    List<String> values = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      values.add(CdcCheckpoint.readText(in));
    }
    return new RowKey(List.copyOf(values));
  }
}
