package io.widebeam.simulation;

import io.widebeam.change.TableId;
import io.widebeam.simulation.Table.Column;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random tables, and random views of them, of every shape. */
final class RandomViews {
  /** Every table has columns of these names, so that most pairs can be joined. */
  /** How many elements the arrays have that are cut short. */
  private static final int NEWEST = 2;

  private static final List<String> COLUMNS = List.of("a", "b", "c", "d");

  private static final int MAX_DEPTH = 4;
  private static final int VALUES = 4;

  private final Random random;
  private final List<Table> tables = new ArrayList<>();

  /** What a column of this name holds in all tables, to be comparable with others of the name. */
  private final Map<String, ColumnType> families = new HashMap<>();

  private int fieldsLeft;

  private RandomViews(Random random) {
    this.random = random;
  }

  /** The same for the same random numbers. */
  static Simulator.Views of(Random random) {
    RandomViews generator = new RandomViews(random);
    generator.makeTables();
    List<ViewNode> views = new ArrayList<>();
    // Now and then several views of the same sources.
    int count = random.nextInt(5) == 0 ? 2 : 1;
    for (int i = 0; i < count; i++) {
      views.add(generator.view());
    }
    return new Simulator.Views(generator.tables, views);
  }

  private void makeTables() {
    for (String column : COLUMNS) {
      families.put(column, random.nextInt(3) == 0 ? any(ColumnType.values()) : ColumnType.INT);
    }
    int count = 2 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      TableId id = new TableId(random.nextInt(4) == 0 ? "other" : "shop", "db", "t" + i);
      List<Column> columns = new ArrayList<>();
      for (String name : COLUMNS) {
        columns.add(Column.of(name, families.get(name).comparable(random), VALUES));
      }
      // A column of its own, so that merged rows show.
      columns.add(Column.of(id.name(), ColumnType.INT, 100));
      List<String> key =
          switch (random.nextInt(4)) {
            case 0 -> List.of("a", "b");
            case 1 -> List.of("b", "a");
            default -> List.of("a");
          };
      Table table = new Table(id, columns, key);
      tables.add(table);
    }
  }

  private ViewNode view() {
    fieldsLeft = 1 + random.nextInt(6);
    Table root = any(tables);
    return ViewNode.root(root.id(), root.primaryKey(), lookups(root, 1));
  }

  private List<ViewNode> lookups(Table parent, int depth) {
    List<ViewNode> lookups = new ArrayList<>();
    while (fieldsLeft > 0 && (lookups.isEmpty() || random.nextInt(3) > 0)) {
      String field = "f" + --fieldsLeft;
      Table table = any(tables);
      Embedding embedding =
          any(Embedding.OBJECT, Embedding.ARRAY, Embedding.ARRAY, Embedding.MERGED);
      List<String> path =
          embedding == Embedding.MERGED
              ? List.of()
              : random.nextInt(4) == 0 ? List.of("nested", field) : List.of(field);
      List<ViewNode> below =
          depth < MAX_DEPTH && random.nextBoolean() ? lookups(table, depth + 1) : List.of();
      List<String> order = random.nextInt(4) == 0 ? List.of("d") : List.of();
      ViewNode lookup =
          new ViewNode(
              table.id(),
              table.primaryKey(),
              path,
              embedding,
              relation(parent, table),
              order,
              below);
      // By the field rather than by chance, which keeps what else a seed stands for.
      boolean shortened = embedding == Embedding.ARRAY && field.equals("f1");
      lookups.add(shortened ? lookup.withNewest(NEWEST) : lookup);
    }
    return lookups;
  }

  private List<JoinColumn> relation(Table parent, Table child) {
    return switch (random.nextInt(5)) {
      case 0 -> pairs(parent.primaryKey(), List.of("a", "b"), List.of("c", "b"));
      case 1 -> pairs(parent.primaryKey(), List.of("b", "a"), List.of("c", "d"));
      case 2 -> pairs(List.of("b", "c"), child.primaryKey(), child.primaryKey());
      case 3 -> List.of(pair("b", "c"), pair("c", any(COLUMNS)));
      default -> List.of(pair(any(COLUMNS), any(COLUMNS)));
    };
  }

  /** One side's columns with one choice of the other side's, as far as both go. */
  private List<JoinColumn> pairs(List<String> parent, List<String> child, List<String> orChild) {
    List<String> children = random.nextBoolean() ? child : orChild;
    List<JoinColumn> relation = new ArrayList<>();
    for (int i = 0; i < Math.min(parent.size(), children.size()); i++) {
      relation.add(pair(parent.get(i), children.get(i)));
    }
    return relation;
  }

  /** The pair if SQL compares the two; else the same column on both sides. */
  private JoinColumn pair(String parent, String child) {
    ColumnType left = families.get(parent);
    ColumnType right = families.get(child);
    boolean comparable = left == right || (left.isNumber() && right.isNumber());
    return new JoinColumn(parent, comparable ? child : parent);
  }

  @SafeVarargs
  private <T> T any(T... values) {
    return values[random.nextInt(values.length)];
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
