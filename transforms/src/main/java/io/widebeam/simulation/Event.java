package io.widebeam.simulation;

import io.widebeam.change.TableId;
import java.util.List;
import java.util.stream.Collectors;
import org.bson.BsonDocument;

/** What happens in a {@link Scenario}, in its order. */
public sealed interface Event {

  /** Changes of rows that one commit makes visible. */
  record Transaction(List<Operation> operations) implements Event {
    public Transaction {
      operations = List.copyOf(operations);
    }

    @Override
    public String toString() {
      return operations.stream().map(Operation::toString).collect(Collectors.joining("; "));
    }
  }

  /** The sources begin to load. What was before is in no log. */
  record Start() implements Event {
    @Override
    public String toString() {
      return "the load begins";
    }
  }

  /** The runner takes a consistent cut of sources and states. */
  record Checkpoint() implements Event {
    @Override
    public String toString() {
      return "checkpoint";
    }
  }

  /**
   * All but the target falls back to a checkpoint.
   *
   * @param last whether to the last one, or to the one before
   */
  record Crash(boolean last) implements Event {
    @Override
    public String toString() {
      return "crash, back to the " + (last ? "last" : "last but one") + " checkpoint";
    }
  }

  /** All that is under way arrives; the target must equal the join. */
  record Quiet() implements Event {
    @Override
    public String toString() {
      return "quiet";
    }
  }

  /**
   * A change of one row. What cannot be done to the rows as they are does nothing, so that any
   * subset of operations makes sense.
   */
  sealed interface Operation {
    TableId table();
  }

  /** Inserts the row, or updates the one with its key. */
  record Put(TableId table, BsonDocument row) implements Operation {
    @Override
    public String toString() {
      return "put " + table + " " + row.toJson();
    }
  }

  /** Deletes the row with this key. */
  record Delete(TableId table, BsonDocument key) implements Operation {
    @Override
    public String toString() {
      return "delete " + table + " " + key.toJson();
    }
  }

  /** Gives the row with this key another key and other values. */
  record Rekey(TableId table, BsonDocument key, BsonDocument row) implements Operation {
    @Override
    public String toString() {
      return "rekey " + table + " " + key.toJson() + " to " + row.toJson();
    }
  }
}
