package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.document.DocumentChange;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What takes a server that can lock rows and cut connections. */
abstract class JdbcTablesServerContract extends JdbcTablesContract {

  /** The ids of the sessions that wait for a lock in the test's database. */
  abstract String waitingSessions();

  abstract String kill(String session);

  @Test
  void aWriteWhoseConnectionIsCutIsRepeated() throws Exception {
    try (Writer writer = new Writer(ORDERS);
        Connection other = connect();
        Statement statement = other.createStatement()) {
      writer.write(put(1, 1, "a"), put(2, 1, "b"));
      other.setAutoCommit(false);
      statement.execute(
          "UPDATE "
              + quoted("orders")
              + " SET "
              + quoted("a")
              + " = 'x' WHERE "
              + quoted("id")
              + " = 2");
      CompletableFuture<Void> blocked =
          CompletableFuture.runAsync(
              () -> {
                try {
                  writer.write(put(1, 2, "A"), put(2, 2, "B"), delete(3, 2));
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      String session = awaitWaiting();
      execute(kill(session));
      other.rollback();
      blocked.get(60, TimeUnit.SECONDS);

      assertThat(table(ORDERS)).containsExactly("1 A 2", "2 B 2");
      assertThat(writer.counter("writeRetries")).isPositive();
      assertThat(writer.counter("documentsWritten")).isEqualTo(4);
      assertThat(writer.counter("staleWritesRefused")).isZero();
    }
  }

  private String awaitWaiting() throws SQLException, InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (System.nanoTime() < end) {
      List<String> sessions = rows(waitingSessions());
      if (!sessions.isEmpty()) {
        return sessions.get(0);
      }
      // InnoDB refreshes what it tells of locks only when nobody has asked for 100 ms.
      TimeUnit.MILLISECONDS.sleep(250);
    }
    throw new AssertionError("nobody waits for the lock");
  }

  @Test
  void aDeadlockIsTriedAgain() throws Exception {
    try (Writer writer = new Writer(ORDERS);
        Connection other = connect();
        Statement statement = other.createStatement()) {
      writer.write(put(1, 1, "a"), put(2, 1, "b"));
      other.setAutoCommit(false);
      String update =
          "UPDATE "
              + quoted("orders")
              + " SET "
              + quoted("a")
              + " = 'x' WHERE "
              + quoted("id")
              + " = ";
      statement.execute(update + 2);
      CompletableFuture<Void> blocked =
          CompletableFuture.runAsync(
              () -> {
                try {
                  writer.write(put(1, 2, "A"), put(2, 2, "B"));
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      awaitWaiting();
      // The circle is closed; which of the two gives way is the server's choice.
      try {
        statement.execute(update + 1);
        other.rollback();
      } catch (SQLException e) {
        other.rollback();
      }
      blocked.get(60, TimeUnit.SECONDS);

      assertThat(table(ORDERS)).containsExactly("1 A 2", "2 B 2");
    }
  }

  @Test
  void thousandsOfRowsASecondAreLoaded() throws Exception {
    int rows = 20_000;
    try (Writer writer = new Writer(ORDERS)) {
      DocumentChange[] changes =
          IntStream.range(0, rows)
              .mapToObj(
                  i ->
                      new DocumentChange(
                          put(i, 1, "a").key(), null, put(i, 1, "a").after(), false, false, 1, 0))
              .toArray(DocumentChange[]::new);
      long start = System.nanoTime();
      writer.write(changes);
      double seconds = (System.nanoTime() - start) / 1e9;
      System.out.printf(
          "%s: %,d rows in %.1f s, %,.0f rows/s%n",
          getClass().getSimpleName(), rows, seconds, rows / seconds);
      assertThat(writer.counter("documentsInserted")).isEqualTo(rows);
      assertThat(rows / seconds).isGreaterThan(500);
    }
  }

  static JdbcTarget target(String url, String user, String password) {
    return new JdbcTarget(url, user, password, Map.of());
  }
}
