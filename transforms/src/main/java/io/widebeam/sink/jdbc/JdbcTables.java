package io.widebeam.sink.jdbc;

import io.widebeam.document.DocumentChange;
import io.widebeam.sink.internal.SweepFn;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.bson.BsonDocument;

/**
 * Writes document changes to a table of PostgreSQL, MySQL, MariaDB or H2.
 *
 * <pre>{@code
 * changes.apply("Orders/Write", JdbcTables.write()
 *     .to(new JdbcTarget("jdbc:postgresql://127.0.0.1/warehouse", user, password, Map.of()))
 *     .withTable(FlatTable.of("orders",
 *         List.of(
 *             Column.of("order_id", ColumnType.of(Kind.INT64)),
 *             Column.of("buy_fee", ColumnType.decimal(20, 2))),
 *         List.of("order_id"))));
 * }</pre>
 */
public final class JdbcTables {
  private static final int COUNT_TIMEOUT_SECONDS = 4;

  private JdbcTables() {}

  /** A sink that still needs its database and table. */
  public static Write write() {
    return new Write(null, null, null, 0);
  }

  /** Whether there is a dialect for databases with such URLs. */
  public static boolean supports(String url) {
    return Dialect.URL_PREFIXES.stream().anyMatch(url::startsWith);
  }

  /** A short visit: a connection with short timeouts, and auto-commit. */
  public static Connection connect(JdbcTarget target) throws SQLException {
    Properties properties = new Properties();
    properties.putAll(Dialect.driverProperties(target.url()));
    properties.putAll(target.properties());
    properties.put("user", target.user());
    properties.put("password", target.password());
    return DriverManager.getConnection(target.url(), properties);
  }

  /**
   * What keeps a table from being written, if it is there; where it is not, it will be created.
   *
   * @param followsSource whether columns that it lacks are added
   */
  public static List<Mismatch> check(Connection connection, FlatTable table, boolean followsSource)
      throws SQLException {
    TableSetup setup = new TableSetup(connection, Dialect.of(connection), table);
    if (!followsSource) {
      return setup.check();
    }
    List<FlatTable.Column> missing = setup.missingColumns();
    List<String> keys = table.documentKeyColumns().stream().map(FlatTable.Column::name).toList();
    FlatTable present =
        table.withOnly(
            table.columns().stream()
                .filter(column -> keys.contains(column.name()) || !missing.contains(column))
                .toList());
    return new TableSetup(connection, Dialect.of(connection), present).check();
  }

  /** How many rows a table has; 0 if it is not there, or cannot be counted in a few seconds. */
  public static long count(JdbcTarget target, FlatTable table) {
    try (Connection connection = connect(target);
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(COUNT_TIMEOUT_SECONDS);
      String name = Dialect.of(connection).quotedTable(table.name());
      try (ResultSet count = statement.executeQuery("SELECT count(*) FROM " + name)) {
        return count.next() ? count.getLong(1) : 0;
      }
    } catch (SQLException e) {
      return 0;
    }
  }

  /**
   * The keys of the rows that a table of groups has, each a document of the key's fields. Creates
   * the table if it is not there, and waits for a database that does not answer.
   */
  public static List<BsonDocument> groups(JdbcTarget target, FlatTable table)
      throws IOException, InterruptedException {
    TableWrite write = new TableWrite(target, table, null);
    try (SharedTable shared = SharedTable.open(write)) {
      return new BatchWriter(shared, write).keys();
    }
  }

  /**
   * Upserts and deletes rows, many in a transaction.
   *
   * <p><b>Rows.</b> A document is one row, or one for each element of the arrays that the table
   * unwinds. Changes of unwound documents need a {@code before} (see {@code
   * WideDocuments.withBefore}): only rows that differ from it are written, and those that it had
   * more are deleted. Where the target cannot be relied on to show it, all rows are written, and
   * what else there is of the document is deleted.
   *
   * <p><b>Order.</b> None is assumed. A row is never replaced by a version that is not higher than
   * its own, so a replay changes nothing and a late change is refused; the server checks it. A row
   * without a version counts as older than any. That a delete is not undone by an older upsert that
   * comes after it is remembered beside the table, as {@link
   * io.widebeam.sink.mongodb.MongoDocuments.Write} describes.
   *
   * <p><b>The table</b> is created if it is not there. One that is there must have the columns,
   * with types that hold the values, and a unique key.
   *
   * <p><b>Errors.</b> Deadlocks, and a server that does not answer, are tried again, with growing
   * pauses of up to five seconds, for ever; it is said in the log every half minute. A row that the
   * table cannot hold fails the bundle with a message that names the table and the row's key.
   *
   * <p><b>Metrics</b>, all in namespace {@code widebeam}, counting rows: counters {@code
   * documentsInserted} (that were not there before), {@code documentsWritten} (accepted inserts and
   * updates), {@code documentsDeleted}, {@code documentsSwept} (of an older generation), {@code
   * staleWritesRefused}, {@code writeRetries} (attempts that failed and were repeated), and the
   * gauge {@code delayMillis} (milliseconds from the source's commit of the newest change just
   * written to its commit here).
   */
  public static final class Write extends PTransform<PCollection<DocumentChange>, PDone> {

    @Nullable private final JdbcTarget target;
    @Nullable private final FlatTable table;
    @Nullable private final SourceColumns sourceColumns;
    private final long firstVersion;

    private Write(
        @Nullable JdbcTarget target,
        @Nullable FlatTable table,
        @Nullable SourceColumns sourceColumns,
        long firstVersion) {
      this.target = target;
      this.table = table;
      this.sourceColumns = sourceColumns;
      this.firstVersion = firstVersion;
    }

    /** The database. Kept out of logs, messages and display data, which show its host only. */
    public Write to(JdbcTarget database) {
      return new Write(database, table, sourceColumns, firstVersion);
    }

    public Write withTable(FlatTable flatTable) {
      return new Write(target, flatTable, sourceColumns, firstVersion);
    }

    /**
     * Adds columns to the table when rows bring new ones. For tables of whole documents only.
     *
     * @param columns tells the source's columns; asked when a row has a field that is no column
     */
    public Write followingColumns(SourceColumns columns) {
      return new Write(target, table, columns, firstVersion);
    }

    /**
     * Begins a generation: when the initial load is written, the rows with a lower version are
     * deleted, as {@link io.widebeam.sink.mongodb.MongoDocuments.Write#withFirstVersion} describes.
     *
     * @param firstVersion what the versions of this generation are at or above; 0, the default,
     *     deletes nothing
     */
    public Write withFirstVersion(long firstVersion) {
      return new Write(target, table, sourceColumns, firstVersion);
    }

    @Override
    public PDone expand(PCollection<DocumentChange> changes) {
      List<String> missing = new ArrayList<>();
      if (target == null) {
        missing.add("to");
      }
      if (table == null) {
        missing.add("withTable");
      }
      if (!missing.isEmpty()) {
        throw new IllegalArgumentException(
            "JdbcTables.write() needs " + String.join(", ", missing));
      }
      if (sourceColumns != null && table.isUnwound()) {
        throw new IllegalArgumentException(
            "JdbcTables.write() cannot add columns to an unwound table");
      }
      TableWrite write = new TableWrite(target, table, sourceColumns);
      PCollection<Void> written = changes.apply("Write", ParDo.of(new WriteRowsFn(write)));
      if (firstVersion > 0) {
        SweepFn.apply(
            written,
            version -> {
              try (SharedTable shared = SharedTable.open(write)) {
                return new BatchWriter(shared, write).deleteBelow(version);
              }
            },
            firstVersion);
      }
      return PDone.in(changes.getPipeline());
    }

    @Override
    public void populateDisplayData(DisplayData.Builder builder) {
      super.populateDisplayData(builder);
      if (table != null) {
        builder.add(DisplayData.item("table", table.name()).withLabel("Table"));
      }
      if (target != null) {
        target.populateDisplayData(builder);
      }
    }
  }
}
