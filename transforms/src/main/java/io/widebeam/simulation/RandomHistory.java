package io.widebeam.simulation;

import io.widebeam.simulation.Event.Checkpoint;
import io.widebeam.simulation.Event.Crash;
import io.widebeam.simulation.Event.Delete;
import io.widebeam.simulation.Event.Operation;
import io.widebeam.simulation.Event.Put;
import io.widebeam.simulation.Event.Quiet;
import io.widebeam.simulation.Event.Rekey;
import io.widebeam.simulation.Event.Start;
import io.widebeam.simulation.Event.Transaction;
import io.widebeam.simulation.Table.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bson.BsonDocument;

/** What happens to given tables, at random: rows, checkpoints, crashes. */
final class RandomHistory {
  private static final int MAX_LOADED = 24;
  private static final int MAX_TRANSACTIONS = 50;

  private final List<Table> tables;
  private final Random random;
  private final Database database;
  private final List<Event> events = new ArrayList<>();

  private RandomHistory(List<Table> tables, Random random) {
    this.tables = tables;
    this.random = random;
    this.database = new Database(tables);
  }

  static Scenario of(Simulator.Views views, Random random) {
    RandomHistory history = new RandomHistory(views.tables(), random);
    history.play();
    return new Scenario(
        views.tables(),
        views.views(),
        views.derived(),
        history.events,
        random.nextInt(3) == 0 ? 0.1 : 0,
        random.nextBoolean());
  }

  private void play() {
    for (int i = random.nextInt(MAX_LOADED); i > 0; i--) {
      commit(insertion());
    }
    events.add(new Start());
    boolean crashes = random.nextInt(3) > 0;
    if (random.nextBoolean()) {
      // While the tables are being read.
      for (int i = random.nextInt(8); i > 0; i--) {
        change();
        switch (random.nextInt(8)) {
          case 0, 1 -> events.add(new Checkpoint());
          case 2 -> {
            if (crashes) {
              events.add(new Crash(random.nextInt(3) > 0));
            }
          }
          default -> {}
        }
      }
    }
    if (random.nextInt(3) > 0) {
      events.add(new Quiet());
    }
    for (int i = random.nextInt(MAX_TRANSACTIONS); i > 0; i--) {
      change();
      switch (random.nextInt(24)) {
        case 0, 1 -> events.add(new Checkpoint());
        case 2 -> {
          if (crashes) {
            events.add(new Crash(random.nextInt(3) > 0));
          }
        }
        case 3 -> events.add(new Quiet());
        case 4, 5 -> {
          if (crashes) {
            crashBetween();
          }
        }
        default -> {}
      }
    }
  }

  private void change() {
    switch (random.nextInt(12)) {
      case 0 -> commit(several());
      case 1 -> thereAndBack();
      case 2 -> deleteAndInsertAgain();
      default -> commit(operation());
    }
  }

  /** Rows of several tables, or many of one. */
  private Operation[] several() {
    Operation[] operations = new Operation[2 + random.nextInt(4)];
    Table table = random.nextBoolean() ? any(tables) : null;
    for (int i = 0; i < operations.length; i++) {
      operations[i] = operation(table == null ? any(tables) : table);
    }
    return operations;
  }

  /** A row changes, and then becomes what it was. */
  private void thereAndBack() {
    Table table = any(tables);
    List<BsonDocument> rows = List.copyOf(database.rows(table.id()));
    if (rows.isEmpty()) {
      commit(insertion());
      return;
    }
    BsonDocument row = any(rows);
    commit(update(table, row));
    if (random.nextBoolean()) {
      commit(operation());
    }
    commit(new Put(table.id(), row));
  }

  /**
   * A row changes and the target shows it; then it becomes what it was at the checkpoint, and the
   * crash comes before the target shows that.
   */
  private void crashBetween() {
    Table table = any(tables);
    List<BsonDocument> rows = List.copyOf(database.rows(table.id()));
    Operation away;
    Operation back;
    if (rows.isEmpty() || random.nextInt(3) == 0) {
      BsonDocument row = table.randomRow(random);
      away = new Put(table.id(), row);
      back = new Delete(table.id(), table.keyOf(row));
    } else {
      BsonDocument row = any(rows);
      away = random.nextInt(3) == 0 ? new Delete(table.id(), table.keyOf(row)) : update(table, row);
      back = new Put(table.id(), row);
    }
    events.add(new Checkpoint());
    commit(away);
    events.add(new Quiet());
    if (random.nextBoolean()) {
      commit(back);
    } else {
      commit(back, operation());
    }
    events.add(new Crash(true));
  }

  private void deleteAndInsertAgain() {
    Table table = any(tables);
    List<BsonDocument> rows = List.copyOf(database.rows(table.id()));
    if (rows.isEmpty()) {
      commit(insertion());
      return;
    }
    BsonDocument row = any(rows);
    Operation delete = new Delete(table.id(), table.keyOf(row));
    Operation insert = random.nextBoolean() ? new Put(table.id(), row) : update(table, row);
    if (random.nextBoolean()) {
      commit(delete, insert);
    } else {
      commit(delete);
      if (random.nextBoolean()) {
        commit(operation());
      }
      commit(insert);
    }
  }

  private Operation operation() {
    return operation(any(tables));
  }

  private Operation operation(Table table) {
    List<BsonDocument> rows = List.copyOf(database.rows(table.id()));
    int kind = random.nextInt(10);
    if (rows.isEmpty() || kind < 3) {
      return new Put(table.id(), table.randomRow(random));
    }
    BsonDocument row = any(rows);
    if (kind < 5) {
      return new Delete(table.id(), table.keyOf(row));
    } else if (kind == 5) {
      BsonDocument moved = row.clone();
      String column = any(table.primaryKey());
      moved.put(column, table.randomValue(table.column(column), random));
      return new Rekey(table.id(), table.keyOf(row), moved);
    } else if (kind == 6 && random.nextInt(3) == 0) {
      return new Put(table.id(), row);
    }
    return update(table, row);
  }

  /** The row with another value in a column that is not of its key; the same if there is none. */
  private Operation update(Table table, BsonDocument row) {
    List<Column> others =
        table.columns().stream()
            .filter(column -> !table.primaryKey().contains(column.name()))
            .toList();
    BsonDocument updated = row.clone();
    if (!others.isEmpty()) {
      Column column = any(others);
      updated.put(column.name(), table.randomValue(column, random));
    }
    return new Put(table.id(), updated);
  }

  private Operation insertion() {
    Table table = any(tables);
    return new Put(table.id(), table.randomRow(random));
  }

  private void commit(Operation... operations) {
    List<Operation> all = List.of(operations);
    all.forEach(database::apply);
    events.add(new Transaction(all));
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
