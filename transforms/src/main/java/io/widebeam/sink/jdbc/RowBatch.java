package io.widebeam.sink.jdbc;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.BsonValue;

/** Writes for one transaction: the newest for each row, and the documents that come whole. */
final class RowBatch {

  /** A document that is written whole: other rows of it with lower versions go. */
  record Whole(BsonValue[] key, long version) {}

  private final FlatTable table;
  private final Map<String, RowWrite> writes = new LinkedHashMap<>();
  private final Map<String, Whole> wholes = new HashMap<>();
  private final Set<String> documents = new LinkedHashSet<>();

  RowBatch(FlatTable table) {
    this.table = table;
  }

  /** A batch of one row of this one. */
  RowBatch only(RowWrite write) {
    RowBatch one = new RowBatch(table);
    one.writes.put(write.id(), write);
    one.documents.add(write.document());
    return one;
  }

  /** Adds the changes. Answers how many of their writes are older than what is there. */
  int add(RowChanges changes) {
    String document = changes.document();
    boolean isFirst = documents.add(document);
    Whole whole = wholes.get(document);
    if (whole != null && whole.version() >= changes.version()) {
      return changes.writes().size();
    }
    if (changes.whole()) {
      wholes.put(document, new Whole(changes.key(), changes.version()));
      if (!isFirst) {
        writes
            .values()
            .removeIf(
                write -> write.document().equals(document) && write.version() < changes.version());
      }
    }
    int stale = 0;
    for (RowWrite write : changes.writes()) {
      RowWrite other = writes.get(write.id());
      if (other != null && other.version() >= write.version()) {
        stale++;
      } else {
        writes.put(write.id(), write);
      }
    }
    return stale;
  }

  FlatTable table() {
    return table;
  }

  /** By the rows' keys. */
  Map<String, RowWrite> writes() {
    return writes;
  }

  /** By the documents' keys. */
  Map<String, Whole> wholes() {
    return wholes;
  }

  /** The keys of all documents that the batch touches. */
  Set<String> documents() {
    return documents;
  }

  boolean isEmpty() {
    return writes.isEmpty() && wholes.isEmpty();
  }

  int size() {
    return Math.max(writes.size(), documents.size());
  }

  /** The writes whose documents come in parts. */
  List<RowWrite> ofPartialDocuments(Collection<RowWrite> from) {
    return from.stream().filter(write -> !wholes.containsKey(write.document())).toList();
  }
}
