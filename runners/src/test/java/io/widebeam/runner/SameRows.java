package io.widebeam.runner;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Rows of different databases, to be the same once a flow has caught up. */
final class SameRows {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private SameRows() {}

  /** Waits until a target's rows are those wanted; fails if the flow does, or if it takes long. */
  static void awaitEqual(
      RunningBeamFlow running, Callable<List<String>> wanted, Callable<List<String>> target)
      throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      if (running.status().state() == FlowStatus.State.ERROR) {
        running.awaitEnd();
        throw new AssertionError("the flow failed", running.failure().orElse(null));
      }
      List<String> found;
      try {
        found = target.call();
      } catch (SQLException e) {
        // The table or its new column is yet to come.
        found = List.of(String.valueOf(e.getMessage()));
      }
      if (found.equals(wanted.call())) {
        return;
      }
      if (System.nanoTime() > end) {
        assertThat(found).containsExactlyElementsOf(wanted.call());
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  /** All rows as texts that do not depend on the database, sorted. Closes the connection. */
  static List<String> rows(java.sql.Connection connection, String sql) throws SQLException {
    try (connection;
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (found.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          Object value = found.getObject(i);
          columns.add(
              value instanceof Timestamp time
                  ? time.toLocalDateTime().toString()
                  : value instanceof BigDecimal decimal
                      ? decimal.stripTrailingZeros().toPlainString()
                      : String.valueOf(value));
        }
        rows.add(String.join(" | ", columns));
      }
      rows.sort(null);
      return rows;
    }
  }
}
