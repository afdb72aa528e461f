package io.widebeam.simulation;

import io.widebeam.change.TableId;
import io.widebeam.simulation.Event.Delete;
import io.widebeam.simulation.Event.Operation;
import io.widebeam.simulation.Event.Put;
import io.widebeam.simulation.Event.Rekey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.bson.BsonDocument;

/** The tables' rows as they are. */
final class Database {
  /** What an operation did to one row. */
  record RowChange(TableId table, @Nullable BsonDocument before, @Nullable BsonDocument after) {}

  private final Map<TableId, Table> tables = new HashMap<>();
  private final Map<TableId, TreeMap<String, BsonDocument>> rows = new HashMap<>();

  Database(List<Table> tables) {
    for (Table table : tables) {
      this.tables.put(table.id(), table);
      rows.put(table.id(), new TreeMap<>());
    }
  }

  Collection<BsonDocument> rows(TableId table) {
    return rows.get(table).values();
  }

  Map<TableId, List<BsonDocument>> allRows() {
    Map<TableId, List<BsonDocument>> all = new HashMap<>();
    rows.forEach((table, held) -> all.put(table, List.copyOf(held.values())));
    return all;
  }

  /** A new primary key is a deletion and an insertion, as the logs have it. */
  List<RowChange> apply(Operation operation) {
    TableId id = operation.table();
    TreeMap<String, BsonDocument> held = rows.get(id);
    List<RowChange> changes = new ArrayList<>();
    if (operation instanceof Put put) {
      BsonDocument before = held.put(key(id, put.row()), put.row());
      changes.add(new RowChange(id, before, put.row()));
    } else if (operation instanceof Delete delete) {
      BsonDocument before = held.remove(delete.key().toJson());
      if (before != null) {
        changes.add(new RowChange(id, before, null));
      }
    } else if (operation instanceof Rekey rekey) {
      String from = rekey.key().toJson();
      String to = key(id, rekey.row());
      if (held.containsKey(from) && !held.containsKey(to)) {
        changes.add(new RowChange(id, held.remove(from), null));
        held.put(to, rekey.row());
        changes.add(new RowChange(id, null, rekey.row()));
      }
    }
    return changes;
  }

  boolean haveOneKey(TableId table, BsonDocument one, BsonDocument other) {
    return key(table, one).equals(key(table, other));
  }

  private String key(TableId table, BsonDocument row) {
    return tables.get(table).keyOf(row).toJson();
  }
}
