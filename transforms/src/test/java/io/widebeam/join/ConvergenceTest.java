package io.widebeam.join;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.BsonRow;
import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.document.DocumentChange;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.annotation.Nullable;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;
import org.junit.jupiter.api.Test;

/**
 * Random views over random histories, delivered in random order and sometimes twice, end equal to
 * {@link ViewOracle}.
 */
class ConvergenceTest {
  private static final int SEEDS = Integer.getInteger("widebeam.seeds", 300);
  private static final long FIRST = Long.getLong("widebeam.seed", 1);

  @Test
  void anyInterleavingOfAnyHistoryEndsEqualToTheJoin() {
    for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
      History history = new History(seed);
      try {
        history.play();
      } catch (Throwable failure) {
        throw new AssertionError(
            "seed "
                + seed
                + " (again with -Dwidebeam.seed="
                + seed
                + " -Dwidebeam.seeds=1): "
                + history.view
                + "\n"
                + failure.getMessage(),
            failure);
      }
    }
  }

  /** A random view, the tables it reads, and what happens to them. */
  private static final class History {
    private static final int COLUMNS = 4;

    private final Random random;
    private final ViewNode view;
    private final Simulation simulation;
    private final List<TableId> tables = new ArrayList<>();
    private final Map<TableId, List<String>> keys = new HashMap<>();
    private final Map<TableId, TreeMap<String, BsonDocument>> rows = new HashMap<>();
    private final Map<String, Long> sequences = new HashMap<>();
    private final int fields;

    History(long seed) {
      random = new Random(seed);
      int count = 2 + random.nextInt(4);
      for (int i = 0; i < count; i++) {
        TableId table = new TableId(random.nextInt(4) == 0 ? "other" : "shop", "db", "t" + i);
        tables.add(table);
        keys.put(table, random.nextInt(3) == 0 ? List.of("a", "b") : List.of("a"));
        rows.put(table, new TreeMap<>());
      }
      fields = 1 + random.nextInt(5);
      List<ViewNode> lookups = new ArrayList<>();
      int[] left = {fields};
      TableId root = any(tables);
      addLookups(root, lookups, left, 1);
      view = ViewNode.root(root, keys.get(root), lookups);
      simulation = new Simulation(view, seed, random.nextInt(3) == 0 ? 0.1 : 0);
    }

    private void addLookups(TableId parent, List<ViewNode> lookups, int[] left, int depth) {
      while (left[0] > 0 && (lookups.isEmpty() || random.nextInt(3) > 0)) {
        left[0]--;
        TableId table = any(tables);
        Embedding embedding =
            any(List.of(Embedding.OBJECT, Embedding.ARRAY, Embedding.ARRAY, Embedding.MERGED));
        String field = "f" + left[0];
        List<String> path =
            embedding == Embedding.MERGED
                ? List.of()
                : random.nextInt(4) == 0 ? List.of("nested", field) : List.of(field);
        List<ViewNode> below = new ArrayList<>();
        // A merged row's own lookups would hide behind its parent's fields of the same name.
        if (depth < 4 && random.nextBoolean()) {
          addLookups(table, below, left, depth + 1);
        }
        List<String> order = random.nextInt(4) == 0 ? List.of("d") : List.of();
        lookups.add(
            new ViewNode(
                table, keys.get(table), path, embedding, relation(parent, table), order, below));
      }
    }

    private List<JoinColumn> relation(TableId parent, TableId child) {
      return switch (random.nextInt(4)) {
        case 0 -> direct(keys.get(parent));
        case 1 -> List.of(new JoinColumn("b", keys.get(child).get(0)));
        case 2 -> List.of(new JoinColumn(column(), column()));
        default -> List.of(new JoinColumn("b", "c"), new JoinColumn("c", column()));
      };
    }

    private List<JoinColumn> direct(List<String> parentKey) {
      List<String> children = random.nextBoolean() ? List.of("a", "b") : List.of("c", "b");
      List<JoinColumn> relation = new ArrayList<>();
      for (int i = 0; i < parentKey.size(); i++) {
        relation.add(new JoinColumn(parentKey.get(i), children.get(i)));
      }
      return relation;
    }

    void play() {
      int loaded = random.nextInt(20);
      for (int i = 0; i < loaded; i++) {
        TableId table = any(tables);
        BsonDocument row = row(table);
        if (rows.get(table).putIfAbsent(key(table, row), row) == null) {
          simulation.accept(change(table, null, row, true));
          simulation.deliver(random.nextInt(4));
        }
      }
      assertThat(simulation.emitted()).as("emitted before the load is whole").isEmpty();
      simulation.advanceWatermark();
      if (loaded > 0) {
        check("after the load");
        assertThat(simulation.emitted()).hasSameSizeAs(simulation.target().keySet());
      }
      int operations = random.nextInt(40);
      for (int i = 0; i < operations; i++) {
        operate();
        simulation.deliver(random.nextInt(8));
        if (random.nextInt(15) == 0) {
          simulation.advanceWatermark();
        }
      }
      simulation.advanceWatermark();
      simulation.advanceWatermark();
      check("at the end");
      checkBefores();
      for (TableId table : tables) {
        for (BsonDocument row : List.copyOf(rows.get(table).values())) {
          rows.get(table).remove(key(table, row));
          simulation.accept(change(table, row, null, false));
        }
      }
      simulation.forget();
      check("when all is deleted");
      assertThat(simulation.keysWithState()).as("keys with state left").isZero();
    }

    private void operate() {
      TableId table = any(tables);
      TreeMap<String, BsonDocument> held = rows.get(table);
      int kind = random.nextInt(10);
      if (held.isEmpty() || kind < 3) {
        BsonDocument row = row(table);
        BsonDocument before = held.put(key(table, row), row);
        simulation.accept(change(table, before, row, false));
        return;
      }
      BsonDocument before = any(List.copyOf(held.values()));
      if (kind < 5) {
        held.remove(key(table, before));
        simulation.accept(change(table, before, null, false));
      } else {
        BsonDocument after = before.clone();
        after.put(column(), value());
        keys.get(table).forEach(column -> after.put(column, before.get(column)));
        if (random.nextInt(4) == 0) {
          after.put(any(keys.get(table)), keyValue());
        }
        held.remove(key(table, before));
        if (held.containsKey(key(table, after))) {
          held.put(key(table, before), before);
        } else if (key(table, after).equals(key(table, before))) {
          held.put(key(table, after), after);
          simulation.accept(change(table, before, after, false));
        } else {
          held.put(key(table, after), after);
          simulation.accept(change(table, before, null, false));
          simulation.accept(change(table, null, after, false));
        }
      }
    }

    private void check(String when) {
      Map<TableId, List<BsonDocument>> all = new HashMap<>();
      rows.forEach((table, held) -> all.put(table, List.copyOf(held.values())));
      assertThat(simulation.target()).as(when).isEqualTo(new ViewOracle(all).documents(view));
    }

    /** Every change's before is the previous change's after. */
    private void checkBefores() {
      Map<BsonValue, BsonDocument> held = new HashMap<>();
      for (DocumentChange change : simulation.emitted()) {
        assertThat(change.before()).as("before").isEqualTo(held.get(change.key()));
        held.put(change.key(), change.after());
      }
    }

    private Change change(
        TableId table,
        @Nullable BsonDocument before,
        @Nullable BsonDocument after,
        boolean snapshot) {
      long sequence = sequences.merge(table.source(), 1L, Long::sum);
      return new Change(table, raw(before), raw(after), sequence, sequence, snapshot);
    }

    @Nullable
    private static RawBsonDocument raw(@Nullable BsonDocument row) {
      return row == null ? null : new RawBsonDocument(row, new BsonDocumentCodec());
    }

    private BsonDocument row(TableId table) {
      BsonDocument row = new BsonDocument();
      for (int i = 0; i < COLUMNS; i++) {
        String name = Character.toString('a' + i);
        row.append(name, keys.get(table).contains(name) ? keyValue() : value());
      }
      // Tables have some columns of their own, so that merged rows show.
      row.append(table.name(), new BsonInt32(random.nextInt(100)));
      return row;
    }

    /** Primary keys are of one type, as in a table. */
    private BsonValue keyValue() {
      return new BsonInt32(random.nextInt(4));
    }

    private BsonValue value() {
      int number = random.nextInt(4);
      return switch (random.nextInt(6)) {
        case 0 -> BsonNull.VALUE;
        case 1 -> new BsonInt64(number);
        case 2 -> new BsonDecimal128(new Decimal128(BigDecimal.valueOf(number * 100L, 2)));
        default -> new BsonInt32(number);
      };
    }

    private String key(TableId table, BsonDocument row) {
      StringBuilder key = new StringBuilder();
      keys.get(table).forEach(column -> key.append(row.get(column)).append(' '));
      return key.toString();
    }

    private String column() {
      return Character.toString('a' + random.nextInt(COLUMNS));
    }

    private <T> T any(List<T> values) {
      return values.get(random.nextInt(values.size()));
    }
  }

  @Test
  void keysOfEqualNumbersAreEqualAndSortAsTheNumbersDo() {
    List<BsonValue> ascending =
        List.of(
            new BsonDecimal128(Decimal128.parse("-1e6000")),
            new BsonInt64(Long.MIN_VALUE),
            new BsonInt32(-5),
            new BsonDecimal128(Decimal128.parse("-4.99999999999999999999")),
            new BsonInt32(0),
            new BsonDecimal128(Decimal128.parse("0.1")),
            new BsonDecimal128(Decimal128.parse("0.10000000000000000000000000001")),
            new BsonInt32(5),
            new BsonInt64(Long.MAX_VALUE - 1),
            new BsonInt64(Long.MAX_VALUE));
    for (int i = 1; i < ascending.size(); i++) {
      assertThat(encode(ascending.get(i - 1))).isLessThan(encode(ascending.get(i)));
    }
    assertThat(encode(new BsonInt32(5))).isEqualTo(encode(new BsonInt64(5)));
    assertThat(encode(new BsonInt32(5)))
        .isEqualTo(encode(new BsonDecimal128(Decimal128.parse("5.00"))));
    assertThat(encode(new BsonInt32(0)))
        .isEqualTo(encode(new BsonDecimal128(Decimal128.parse("-0.0"))));
    assertThat(encode(BsonNull.VALUE)).isNull();
    assertThat(encode(new BsonString("a\0"))).isGreaterThan(encode(new BsonString("a")));
  }

  private static JoinKey encode(BsonValue value) {
    return new JoinKeyEncoder(List.of("v"))
        .encode(
            BsonRow.bytes(
                new RawBsonDocument(new BsonDocument("v", value), new BsonDocumentCodec())));
  }
}
