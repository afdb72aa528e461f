package io.widebeam.sink.jdbc;

import io.widebeam.document.DocumentChange;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Turns a change of a document into changes of the rows that it comes to.
 *
 * <p>Where the target is certain to show the document before, only the rows that differ from it are
 * written. That is right in any order of arrival: a row's newest write is that of the newest change
 * that touched it. Otherwise all rows are written, and what else the target has of the document is
 * deleted.
 */
final class Unwinder {
  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

  private final FlatTable table;
  private final int[] keyIndexes;

  /** Per level, which of the columns have their values there. */
  private final int[][] columnsByLevel;

  Unwinder(FlatTable table) {
    this.table = table;
    this.keyIndexes = table.documentKeyIndexes();
    this.columnsByLevel =
        IntStream.rangeClosed(0, table.arrays().size())
            .mapToObj(
                level ->
                    IntStream.range(0, table.columns().size())
                        .filter(i -> table.columns().get(i).level() == level)
                        .toArray())
            .toArray(int[][]::new);
  }

  RowChanges unwind(DocumentChange change) {
    BsonValue[] key = key(change.key());
    String document = RowKey.ofDocument(key);
    boolean beforeIsKnown = change.certain() && (change.before() != null || !change.existed());
    boolean whole = table.isUnwound() && !beforeIsKnown;
    Map<String, BsonValue[]> before = rows(document, key, beforeIsKnown ? change.before() : null);
    Map<String, BsonValue[]> after = rows(document, key, change.after());

    List<RowWrite> writes = new ArrayList<>(after.size());
    if (!table.isUnwound() && change.after() == null) {
      writes.add(write(change, document, document, key, null));
      return new RowChanges(document, key, writes, false, change.version());
    }
    after.forEach(
        (id, values) -> {
          BsonValue[] was = before.get(id);
          if (was == null || !Arrays.equals(was, values)) {
            writes.add(write(change, id, document, key, values));
          }
        });
    for (String id : before.keySet()) {
      if (!after.containsKey(id)) {
        writes.add(write(change, id, document, key, null));
      }
    }
    return new RowChanges(document, key, writes, whole, change.version());
  }

  private static RowWrite write(
      DocumentChange change,
      String id,
      String document,
      BsonValue[] key,
      @Nullable BsonValue[] values) {
    return new RowWrite(id, document, key, values, change.version(), change.commitMillis());
  }

  private BsonValue[] key(BsonValue key) {
    if (keyIndexes.length == 1 && !table.hasNullableKey()) {
      return new BsonValue[] {key};
    }
    return table.documentKey().stream()
        .map(field -> key.asDocument().get(field))
        .map(value -> value == null || value.isNull() ? null : value)
        .toArray(BsonValue[]::new);
  }

  /** The document's rows by their keys' texts, in the document's order. */
  private Map<String, BsonValue[]> rows(
      String document, BsonValue[] key, @Nullable RawBsonDocument content) {
    if (content == null) {
      return Map.of();
    }
    Map<String, BsonValue[]> rows = new LinkedHashMap<>();
    BsonValue[] values = new BsonValue[table.columns().size()];
    addRows(content.decode(CODEC), 0, document, "", values, rows);
    // The columns may be among those that the document leaves out.
    rows.values()
        .forEach(
            row -> {
              for (int i = 0; i < key.length; i++) {
                row[keyIndexes[i]] = key[i];
              }
            });
    return rows;
  }

  private void addRows(
      BsonDocument content,
      int level,
      String document,
      String elements,
      BsonValue[] values,
      Map<String, BsonValue[]> rows) {
    for (int i : columnsByLevel[level]) {
      Column column = table.columns().get(i);
      values[i] = valueAt(content, column.path());
    }
    boolean hasElements = false;
    if (level < table.arrays().size()) {
      UnwoundArray array = table.arrays().get(level);
      BsonValue found = valueAt(content, array.path());
      if (found != null && found.isArray()) {
        for (BsonValue element : found.asArray()) {
          hasElements = true;
          addRows(
              element.asDocument(),
              level + 1,
              document,
              RowKey.ofElement(elements, array.elementKey(), element.asDocument()),
              values.clone(),
              rows);
        }
      }
    }
    if (!hasElements) {
      rows.put(RowKey.ofRow(document, elements), values);
    }
  }

  @Nullable
  private static BsonValue valueAt(BsonDocument document, List<String> path) {
    BsonValue value = document;
    for (String field : path) {
      if (value == null || !value.isDocument()) {
        return null;
      }
      value = value.asDocument().get(field);
    }
    return value == null || value.isNull() ? null : value;
  }
}
