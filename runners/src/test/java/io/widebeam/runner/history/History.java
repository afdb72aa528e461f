package io.widebeam.runner.history;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Random transactions on a shop's tables, in SQL that every server takes: rows come, go and come
 * back, get other keys, and point at what is there, is not yet there, or at nothing.
 */
final class History {
  private enum Kind {
    INT,
    CODE,
    AMOUNT,
    TEXT
  }

  /** A column; of a foreign key, the values are those that the other table's key can have. */
  private record Column(String name, Kind kind) {
    String sqlType() {
      return switch (kind) {
        case INT -> "INT";
        case CODE -> "VARCHAR(10)";
        case AMOUNT -> "DECIMAL(10,2)";
        case TEXT -> "VARCHAR(200)";
      };
    }

    /** Short ranges, so that rows meet. */
    String randomLiteral(Random random, boolean mayBeNull) {
      if (mayBeNull && random.nextInt(6) == 0) {
        return "NULL";
      }
      return switch (kind) {
        case INT -> Integer.toString(1 + random.nextInt(25));
        case CODE -> "'c" + random.nextInt(8) + "'";
        case AMOUNT -> random.nextInt(100_000) + "." + (10 + random.nextInt(90));
        case TEXT -> "'text " + random.nextInt(1000) + "'";
      };
    }
  }

  private record Table(String name, Column key, List<Column> columns) {}

  private static final List<Table> TABLES =
      List.of(
          table("countries", code("code"), text("name")),
          table("customers", number("id"), text("name"), code("country_code")),
          table("coupons", code("code"), amount("percent"), text("note")),
          table("orders", number("id"), number("customer_id"), code("coupon"), text("note")),
          table("products", number("id"), text("title"), amount("price")),
          table("items", number("id"), number("order_id"), number("product_id"), amount("price")),
          table("parts", number("id"), number("item_id"), text("name")),
          // Joined by neither table's key.
          table("visits", number("id"), number("customer_id"), text("page")));

  private final HistorySource source;
  private final Random random;
  private final List<Table> tables;

  /** The keys that each table has, as literals; and those of the present transaction. */
  private Map<String, Set<String>> keys = new TreeMap<>();

  History(HistorySource source, long seed) {
    this(source, seed, TABLES.stream().map(Table::name).toList());
  }

  /** A history of some of the tables; the others are elsewhere. */
  History(HistorySource source, long seed, List<String> names) {
    this.source = source;
    this.random = new Random(seed);
    this.tables = TABLES.stream().filter(table -> names.contains(table.name())).toList();
    tables.forEach(table -> keys.put(table.name(), new TreeSet<>()));
  }

  private static Table table(String name, Column key, Column... columns) {
    return new Table(name, key, List.of(columns));
  }

  private static Column number(String name) {
    return new Column(name, Kind.INT);
  }

  private static Column code(String name) {
    return new Column(name, Kind.CODE);
  }

  private static Column amount(String name) {
    return new Column(name, Kind.AMOUNT);
  }

  private static Column text(String name) {
    return new Column(name, Kind.TEXT);
  }

  void createTables(Connection connection) throws SQLException {
    for (Table table : tables) {
      StringJoiner columns = new StringJoiner(", ");
      columns.add(table.key().name() + " " + table.key().sqlType() + " PRIMARY KEY");
      table.columns().forEach(column -> columns.add(column.name() + " " + column.sqlType()));
      execute(connection, "CREATE TABLE " + table.name() + " (" + columns + ")");
      String more = source.afterCreateTable(table.name());
      if (!more.isEmpty()) {
        execute(connection, more);
      }
    }
  }

  /** Runs so many transactions; some of them are rolled back. */
  void run(Connection connection, int transactions) throws SQLException {
    connection.setAutoCommit(false);
    for (int i = 0; i < transactions; i++) {
      Map<String, Set<String>> before = copyOfKeys();
      int statements = 1 + random.nextInt(random.nextInt(4) == 0 ? 20 : 4);
      for (int j = 0; j < statements; j++) {
        for (String sql : randomStatements()) {
          execute(connection, sql);
        }
      }
      if (random.nextInt(10) == 0) {
        connection.rollback();
        keys = before;
      } else {
        connection.commit();
      }
    }
  }

  private Map<String, Set<String>> copyOfKeys() {
    Map<String, Set<String>> copy = new TreeMap<>();
    keys.forEach((table, present) -> copy.put(table, new TreeSet<>(present)));
    return copy;
  }

  private List<String> randomStatements() {
    Table table = tables.get(random.nextInt(tables.size()));
    Set<String> present = keys.get(table.name());
    String key = table.key().randomLiteral(random, false);
    String where = " WHERE " + table.key().name() + " = " + key;
    Column column = table.columns().get(random.nextInt(table.columns().size()));
    if (!present.contains(key)) {
      present.add(key);
      return List.of(insert(table, key));
    }
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> {
        present.remove(key);
        return List.of("DELETE FROM " + table.name() + where);
      }
      case 3 -> {
        return List.of("DELETE FROM " + table.name() + where, insert(table, key));
      }
      case 4 -> {
        String newKey = table.key().randomLiteral(random, false);
        if (present.contains(newKey)) {
          return List.of();
        }
        present.remove(key);
        present.add(newKey);
        return List.of(
            "UPDATE " + table.name() + " SET " + table.key().name() + " = " + newKey + where);
      }
      case 5 -> {
        return List.of("UPDATE " + table.name() + " SET " + set(column, column.name()) + where);
      }
      case 6 -> {
        // Many rows, often of the same document.
        String value = column.randomLiteral(random, true);
        return List.of("UPDATE " + table.name() + " SET " + set(column, value) + manyRows(table));
      }
      case 7 -> {
        return List.of("UPDATE " + table.name() + " SET " + set(column, "NULL") + where);
      }
      default -> {
        String value = column.randomLiteral(random, true);
        return List.of("UPDATE " + table.name() + " SET " + set(column, value) + where);
      }
    }
  }

  private String manyRows(Table table) {
    Column column = table.columns().get(0);
    return " WHERE " + column.name() + " = " + column.randomLiteral(random, false);
  }

  private static String set(Column column, String value) {
    return column.name() + " = " + value;
  }

  private String insert(Table table, String key) {
    StringJoiner values = new StringJoiner(", ", "(", ")");
    values.add(key);
    table.columns().forEach(column -> values.add(column.randomLiteral(random, true)));
    return "INSERT INTO " + table.name() + " VALUES " + values;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Names of the columns of a table, as SELECT lists them. */
  static List<String> columns(String table) {
    for (Table candidate : TABLES) {
      if (candidate.name().equals(table)) {
        List<String> names = new ArrayList<>(List.of(candidate.key().name()));
        candidate.columns().forEach(column -> names.add(column.name()));
        return names;
      }
    }
    throw new IllegalArgumentException(table);
  }
}
