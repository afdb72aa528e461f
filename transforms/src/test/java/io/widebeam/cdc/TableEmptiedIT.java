package io.widebeam.cdc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.testing.TestMariaDb;
import io.widebeam.testing.TestPostgres;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a server says when all of a table's rows go at once, and that it is heard. */
@Timeout(240)
class TableEmptiedIT {
  private static TestMariaDb server;

  private String database;

  @BeforeAll
  static void startServer() {
    server = TestMariaDb.shared();
  }

  @BeforeEach
  void createTables() throws Exception {
    database = server.createDatabase();
    server.execute(
        database,
        "CREATE TABLE orders (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
        "CREATE TABLE items (id INT PRIMARY KEY)",
        "CREATE TABLE unread (id INT PRIMARY KEY)",
        "INSERT INTO orders VALUES (1), (2)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          TRUNCATE TABLE orders                            | orders | was truncated
          truncate /* all */ orders                        | orders | was truncated
          DROP TABLE unread, items                         | items  | was dropped
          ALTER TABLE orders TRUNCATE PARTITION p0         | orders | has lost a partition
          DROP DATABASE %s                                 | *      | was dropped with its database
          RENAME TABLE items TO items_old, unread TO items | items  | was renamed
          RENAME TABLE `items` TO old_items                | items  | was renamed
          ALTER TABLE items RENAME AS old_items            | items  | was renamed
          ALTER TABLE unread ADD x INT, RENAME later       | later  | has got the rows of another table
          RENAME TABLE unread TO later                     | later  | has got the rows of another table
          CREATE OR REPLACE TABLE items (id INT PRIMARY KEY) | items | was dropped
          """)
  void theReadEndsAfterEverythingBefore(String statement, String table, String event)
      throws Exception {
    CdcReader<Change> reader = reader(null);
    List<Change> changes = new ArrayList<>();
    try (reader) {
      reader.start();
      take(reader, changes, 2);
      server.execute(database, "INSERT INTO items VALUES (7)", statement.formatted(database));
      TableEmptiedException failure = failure(reader, changes);
      assertThat(changes).hasSize(3);
      assertThat(changes.get(2).table().name()).isEqualTo("items");
      assertThat(failure.table()).isEqualTo(new TableId(database, database, table));
      assertThat(failure).hasMessageContaining(database + "." + table + " of ");
      assertThat(failure).hasMessageContaining(" " + event + ". ");
    }
  }

  @Test
  void whoGoesOnFromACheckpointMeetsItAgain() throws Exception {
    CdcCheckpoint checkpoint;
    try (CdcReader<Change> reader = reader(null)) {
      List<Change> changes = new ArrayList<>();
      reader.start();
      take(reader, changes, 2);
      server.execute(database, "INSERT INTO orders VALUES (3)", "TRUNCATE TABLE orders");
      failure(reader, changes);
      checkpoint = CoderUtils.clone(CdcCheckpoint.coder(), reader.getCheckpointMark());
    }
    try (CdcReader<Change> reader = reader(checkpoint)) {
      List<Change> changes = new ArrayList<>();
      IOException failed = catchThrowableOfType(IOException.class, reader::start);
      assertThat(failed != null ? failed : failure(reader, changes))
          .isInstanceOf(TableEmptiedException.class);
      assertThat(changes).isEmpty();
    }
  }

  @Test
  void aTableThatIsNotReadMayGo() throws Exception {
    List<Change> changes = new ArrayList<>();
    try (CdcReader<Change> reader = reader(null)) {
      reader.start();
      take(reader, changes, 2);
      server.execute(
          database,
          "ALTER TABLE unread RENAME TO orders_old",
          "RENAME TABLE orders_old TO unread",
          "TRUNCATE TABLE unread",
          "DROP TABLE unread",
          "ALTER TABLE items ADD COLUMN note INT",
          "INSERT INTO items VALUES (7, 1)");
      take(reader, changes, 3);
    }
  }

  @Test
  void postgresTellsOfATruncatedTable() throws Exception {
    TestPostgres postgres = TestPostgres.shared();
    String name = postgres.createDatabase();
    postgres.execute(
        name,
        "CREATE TABLE orders (id INT PRIMARY KEY)",
        "ALTER TABLE orders REPLICA IDENTITY FULL",
        "INSERT INTO orders VALUES (1)");
    List<Change> changes = new ArrayList<>();
    try (CdcReader<Change> reader = reader(postgres.connector(name), null)) {
      reader.start();
      take(reader, changes, 1);
      postgres.execute(name, "INSERT INTO orders VALUES (2)", "TRUNCATE orders");
      assertThat(failure(reader, changes).table()).isEqualTo(new TableId(name, "public", "orders"));
      assertThat(changes).hasSize(2);
    }
  }

  private CdcReader<Change> reader(CdcCheckpoint checkpoint) throws IOException {
    ConnectorConfiguration connector =
        server
            .connector(database)
            .withConnectionProperty("table.include.list", database + ".(orders|items|later)");
    return reader(connector, checkpoint);
  }

  private static CdcReader<Change> reader(
      ConnectorConfiguration connector, CdcCheckpoint checkpoint) throws IOException {
    return CdcIO.readChanges()
        .withConnectorConfiguration(connector)
        .source()
        .createReader(null, checkpoint);
  }

  private static void take(CdcReader<Change> reader, List<Change> changes, int size)
      throws Exception {
    while (changes.size() < size) {
      advance(reader, changes);
    }
  }

  private static TableEmptiedException failure(CdcReader<Change> reader, List<Change> changes)
      throws Exception {
    while (true) {
      try {
        advance(reader, changes);
      } catch (TableEmptiedException e) {
        return e;
      }
    }
  }

  private static void advance(CdcReader<Change> reader, List<Change> changes) throws Exception {
    if (reader.advance()) {
      changes.addAll(reader.getCurrent().values());
    } else {
      Thread.sleep(1);
    }
  }
}
