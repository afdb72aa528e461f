package io.widebeam.runner.warehouse;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Compares each table of the warehouse with the same SQL run in the shop's database. */
public final class WarehouseVerifier {
  private static final int SHOWN_DIFFERENCES = 3;

  /** "There is no such table": of PostgreSQL, and of MariaDB. */
  private static final Set<String> NO_TABLE = Set.of("42P01", "42S02");

  private WarehouseVerifier() {}

  /**
   * What became of one table.
   *
   * @param missing rows that SQL gives and the table does not have
   * @param surplus rows that the table has and SQL does not give
   */
  public record Comparison(String table, int rows, List<String> missing, List<String> surplus) {
    public boolean isEqual() {
      return missing.isEmpty() && surplus.isEmpty();
    }

    @Override
    public String toString() {
      if (isEqual()) {
        return "%-16s %3d rows, equal to SQL".formatted(table, rows);
      }
      StringBuilder text = new StringBuilder();
      text.append(
          "%-16s %3d rows, NOT equal to SQL: %d missing, %d too many"
              .formatted(table, rows, missing.size(), surplus.size()));
      missing.stream().limit(SHOWN_DIFFERENCES).forEach(row -> text.append("\n  missing  " + row));
      surplus.stream().limit(SHOWN_DIFFERENCES).forEach(row -> text.append("\n  too many " + row));
      return text.toString();
    }
  }

  /** Compares all tables. */
  public static List<Comparison> compare(WarehouseServers servers) throws SQLException {
    try (Connection shop = servers.shop().connect(PhoneShop.DATABASE);
        Connection warehouse = servers.warehouse().connect()) {
      inUtc(shop);
      inUtc(warehouse);
      List<Comparison> comparisons = new ArrayList<>();
      for (Map.Entry<String, String> query : WarehouseFlow.queries().entrySet()) {
        comparisons.add(compare(shop, warehouse, query.getKey(), query.getValue()));
      }
      return comparisons;
    }
  }

  /** What the warehouse has for a shop and a day. */
  public static Optional<BigDecimal> sum(Warehouse warehouse, long shop, LocalDate day)
      throws SQLException {
    try (Connection connection = warehouse.connect();
        PreparedStatement statement =
            connection.prepareStatement(
                "SELECT sum_fee FROM dwd_shops WHERE order_shop_id = ? AND ds = ?")) {
      statement.setLong(1, shop);
      statement.setObject(2, day);
      try (ResultSet result = statement.executeQuery()) {
        return result.next() ? Optional.of(result.getBigDecimal(1)) : Optional.empty();
      }
    }
  }

  private static void inUtc(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean postgres =
          connection
              .getMetaData()
              .getDatabaseProductName()
              .toLowerCase(Locale.ROOT)
              .contains("postgres");
      statement.execute(postgres ? "SET TIME ZONE 'UTC'" : "SET time_zone = '+00:00'");
    }
  }

  private static Comparison compare(Connection shop, Connection warehouse, String table, String sql)
      throws SQLException {
    List<String> columns = new ArrayList<>();
    List<String> expected = rows(shop, sql, columns);
    List<String> actual;
    try {
      String same = "SELECT " + String.join(", ", columns) + " FROM " + table;
      actual = rows(warehouse, same, new ArrayList<>());
    } catch (SQLException e) {
      if (!NO_TABLE.contains(String.valueOf(e.getSQLState()))) {
        throw e;
      }
      // Created with its first rows.
      actual = List.of();
    }
    List<String> missing = new ArrayList<>(expected);
    actual.forEach(missing::remove);
    List<String> surplus = new ArrayList<>(actual);
    expected.forEach(surplus::remove);
    return new Comparison(table, actual.size(), missing, surplus);
  }

  /** The rows as texts that are equal if the rows are, whichever server they come from. */
  private static List<String> rows(Connection connection, String sql, List<String> columns)
      throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      ResultSetMetaData metaData = result.getMetaData();
      for (int i = 1; i <= metaData.getColumnCount(); i++) {
        columns.add(metaData.getColumnLabel(i));
      }
      List<String> rows = new ArrayList<>();
      while (result.next()) {
        List<String> values = new ArrayList<>();
        for (int i = 1; i <= columns.size(); i++) {
          values.add(columns.get(i - 1) + "=" + value(result, i, metaData.getColumnType(i)));
        }
        rows.add(values.stream().collect(Collectors.joining(", ")));
      }
      return rows;
    }
  }

  private static String value(ResultSet row, int index, int type) throws SQLException {
    return switch (type) {
      case Types.NUMERIC, Types.DECIMAL, Types.BIGINT, Types.INTEGER -> {
        BigDecimal number = row.getBigDecimal(index);
        yield number == null ? "null" : number.stripTrailingZeros().toPlainString();
      }
      case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE -> {
        String text = row.getString(index);
        // Servers differ in whether they show fractions of zero, and that the zone is UTC.
        yield text == null ? "null" : text.replaceFirst("\\+00$", "").replaceFirst("\\.0+$", "");
      }
      default -> String.valueOf(row.getString(index));
    };
  }
}
