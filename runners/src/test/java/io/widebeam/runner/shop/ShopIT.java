package io.widebeam.runner.shop;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.runner.embedded.EmbeddedMariaDb;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ShopIT {
  @Test
  void theTablesHoldTheGeneratedRowsAndTheBinlogDoesNot() throws SQLException {
    int orders = Integer.getInteger("widebeam.test.orders", 1_000);
    try (EmbeddedMariaDb server = EmbeddedMariaDb.start();
        Connection connection = server.connect("");
        Statement statement = connection.createStatement()) {
      Shop.createTables(connection);
      long before = binlogPosition(statement);
      long start = System.nanoTime();
      Map<String, Integer> counts = Shop.fill(connection, orders);
      System.err.printf("%s filled in %d ms%n", counts, (System.nanoTime() - start) / 1_000_000);
      for (String table : Shop.TABLES) {
        try (ResultSet row = statement.executeQuery("SELECT COUNT(*) FROM " + table)) {
          assertThat(row.next()).isTrue();
          assertThat(row.getInt(1)).as(table).isEqualTo(counts.get(table));
        }
      }
      assertThat(binlogPosition(statement)).isEqualTo(before);
    }
  }

  @Test
  void theShopDoesTheSameBusinessInPostgres() throws SQLException {
    try (ShopSource source = ShopSource.start(ShopSource.Kind.POSTGRESQL)) {
      source.createTables();
      try (Connection connection = source.connect()) {
        Map<String, Integer> counts = Shop.fill(connection, 100);
        ShopWorkload workload = new ShopWorkload(connection, 1, Set.of());
        assertThat(workload.rows())
            .isEqualTo(counts.values().stream().mapToInt(Integer::intValue).sum());
        for (int transaction = 0; transaction < 2_000; transaction++) {
          workload.transaction();
        }
        assertThat(workload.changes()).isGreaterThan(2_000);
      }
    }
  }

  private static long binlogPosition(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("SHOW MASTER STATUS")) {
      assertThat(row.next()).isTrue();
      return row.getLong("Position");
    }
  }
}
