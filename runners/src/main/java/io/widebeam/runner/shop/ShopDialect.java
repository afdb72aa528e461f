package io.widebeam.runner.shop;

import io.widebeam.runner.shop.Shop.Table;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the shop says to its database, in the words of each. */
enum ShopDialect {
  MARIADB {
    @Override
    List<String> createTables() {
      return Stream.concat(
              Stream.of(
                  "DROP DATABASE IF EXISTS " + Shop.DATABASE,
                  // Keys are equal here when their bytes are, as they are for the view.
                  "CREATE DATABASE " + Shop.DATABASE + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                  "USE " + Shop.DATABASE),
              Stream.of(Table.values()).map(Table::create))
          .toList();
    }

    @Override
    List<String> beforeFilling() {
      // Without checks, the server sorts the rows of an empty table instead of inserting each.
      return List.of("SET SESSION sql_log_bin = 0, unique_checks = 0, foreign_key_checks = 0");
    }

    @Override
    List<String> afterFilling() {
      return List.of(
          "SET SESSION sql_log_bin = 1, unique_checks = 1, foreign_key_checks = 1",
          "ANALYZE NO_WRITE_TO_BINLOG TABLE " + String.join(", ", Shop.TABLES));
    }

    @Override
    String insertOr(String table, List<String> key, List<String> columns, String update) {
      return insert(table, columns) + " ON DUPLICATE KEY UPDATE " + update;
    }

    @Override
    String replace(String table, List<String> key, List<String> columns) {
      return "REPLACE" + insert(table, columns).substring("INSERT".length());
    }

    @Override
    String moveToOrder(String table, String number) {
      return "UPDATE IGNORE " + table + " SET order_id = ? WHERE order_id = ?";
    }
  },

  POSTGRESQL {
    @Override
    List<String> createTables() {
      return Stream.of(Table.values())
          .flatMap(
              table ->
                  Stream.of(
                      "DROP TABLE IF EXISTS " + table.tableName(),
                      // Secondary indexes are made in another way here, and nothing needs them.
                      table
                          .create()
                          .replaceAll(",\\s*KEY \\(\\w+\\)", "")
                          .replace(" DATETIME", " TIMESTAMP(0)"),
                      "ALTER TABLE " + table.tableName() + " REPLICA IDENTITY FULL"))
          .toList();
    }

    @Override
    List<String> beforeFilling() {
      return List.of();
    }

    @Override
    List<String> afterFilling() {
      return List.of("ANALYZE");
    }

    @Override
    String insertOr(String table, List<String> key, List<String> columns, String update) {
      return insert(table, columns)
          + " ON CONFLICT ("
          + String.join(", ", key)
          + ") DO UPDATE SET "
          + update;
    }

    /** Leaves the columns that are not named as they are, where MariaDB empties them. */
    @Override
    String replace(String table, List<String> key, List<String> columns) {
      return insertOr(
          table,
          key,
          columns,
          columns.stream()
              .filter(column -> !key.contains(column))
              .map(column -> column + " = EXCLUDED." + column)
              .collect(Collectors.joining(", ")));
    }

    @Override
    String moveToOrder(String table, String number) {
      return String.format(
          Locale.ROOT,
          "WITH move (target, origin) AS (VALUES (CAST(? AS VARCHAR), CAST(? AS VARCHAR)))"
              + " UPDATE %1$s mine SET order_id = target FROM move WHERE mine.order_id = origin"
              + " AND NOT EXISTS (SELECT FROM %1$s other"
              + " WHERE other.order_id = target AND other.%2$s = mine.%2$s)",
          table,
          number);
    }
  };

  /** The dialect of the server at the other end. */
  static ShopDialect of(Connection connection) throws SQLException {
    String product = connection.getMetaData().getDatabaseProductName();
    return product.equals("PostgreSQL") ? POSTGRESQL : MARIADB;
  }

  /** Makes the six empty tables, anew if they are there already. */
  abstract List<String> createTables();

  abstract List<String> beforeFilling();

  abstract List<String> afterFilling();

  /**
   * Inserts a row, or changes the one that has its key.
   *
   * @param update what becomes of that one
   */
  abstract String insertOr(String table, List<String> key, List<String> columns, String update);

  /** Inserts a row in the place of the one that has its key. */
  abstract String replace(String table, List<String> key, List<String> columns);

  /**
   * Gives rows to another order (first parameter) than theirs (second one), but for those that it
   * has already.
   *
   * @param number the column that tells the rows of an order apart
   */
  abstract String moveToOrder(String table, String number);

  private static String insert(String table, List<String> columns) {
    return "INSERT INTO "
        + table
        + " ("
        + String.join(", ", columns)
        + ") VALUES ("
        + String.join(", ", Collections.nCopies(columns.size(), "?"))
        + ")";
  }
}
