package io.widebeam.sink.jdbc;

import io.widebeam.sink.internal.KeyClaims;
import io.widebeam.sink.internal.OutageLog;
import io.widebeam.sink.internal.RecentDeletes;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.SourceColumns.SourceColumn;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all writers of one table share within a JVM: the connections, the documents being written,
 * the recent deletes, and the table's columns as they are by now.
 */
final class SharedTable implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SharedTable.class);

  private static final Duration REMEMBER_DELETES = Duration.ofMinutes(10);
  private static final int MAX_REMEMBERED_DELETES = 100_000;

  /** One table; how its columns are looked up does not make another of it. */
  private record Key(JdbcTarget target, FlatTable table, boolean followsSource) {}

  private static final Map<Key, SharedTable> OPEN = new HashMap<>();

  private final TableWrite write;
  private final KeyClaims<String> claims = new KeyClaims<>();
  private final RecentDeletes<String> deletes = recentDeletes();
  private final RecentDeletes<String> replacements = recentDeletes();
  private final OutageLog outages;

  /** The columns, and the fields that have been found to be none of the source's. */
  private volatile Set<String> knownFields;

  private int users;
  @Nullable private ConnectionPool pool;
  @Nullable private volatile Dialect dialect;
  private volatile FlatTable table;

  /** By column, how many digits behind the point there is room for; see {@link TableSetup}. */
  private volatile Map<String, Integer> digits = Map.of();

  private SharedTable(TableWrite write) {
    this.write = write;
    this.outages = new OutageLog(LOG, write);
    this.table = write.table();
    this.knownFields = Set.copyOf(names(table));
  }

  private static Set<String> names(FlatTable table) {
    return table.columns().stream().map(Column::name).collect(Collectors.toSet());
  }

  private static RecentDeletes<String> recentDeletes() {
    return new RecentDeletes<>(MAX_REMEMBERED_DELETES, REMEMBER_DELETES, System::nanoTime);
  }

  static SharedTable open(TableWrite write) {
    synchronized (OPEN) {
      // A table without users is kept for its deletes: the next bundle's writer needs them.
      OPEN.values().removeIf(SharedTable::isForgettable);
      SharedTable shared =
          OPEN.computeIfAbsent(
              new Key(write.target(), write.table(), write.sourceColumns() != null),
              key -> new SharedTable(write));
      if (shared.users == 0) {
        shared.pool = ConnectionPool.open(write.target());
        shared.dialect = null;
      }
      shared.users++;
      return shared;
    }
  }

  private boolean isForgettable() {
    return users == 0 && deletes.isEmpty() && replacements.isEmpty();
  }

  @Override
  public void close() {
    synchronized (OPEN) {
      if (--users == 0) {
        outages.close();
        pool.close();
        pool = null;
      }
    }
  }

  KeyClaims<String> claims() {
    return claims;
  }

  /** The rows that were deleted. */
  RecentDeletes<String> deletes() {
    return deletes;
  }

  /** The documents that were written whole, as if every row below that version was deleted. */
  RecentDeletes<String> replacements() {
    return replacements;
  }

  OutageLog outages() {
    return outages;
  }

  /** The table as it is by now. */
  FlatTable table() {
    return table;
  }

  /** By column, how many digits behind the point there is room for; none where it is no matter. */
  Map<String, Integer> digits() {
    return digits;
  }

  /** The database's dialect, or null as long as {@link #connect} has not succeeded. */
  @Nullable
  Dialect dialect() {
    return dialect;
  }

  /** A connection to a database that has the table: the first one creates it, or checks it. */
  Connection connect() throws SQLException {
    ConnectionPool open = pool;
    if (open == null) {
      throw new IllegalStateException("the writer of " + write + " is closed");
    }
    Connection connection = open.connect();
    try {
      prepare(connection);
      return connection;
    } catch (SQLException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  private void prepare(Connection connection) throws SQLException {
    if (dialect != null) {
      return;
    }
    synchronized (this) {
      if (dialect != null) {
        return;
      }
      Dialect found = Dialect.of(connection);
      TableSetup setup = new TableSetup(connection, found, table);
      if (write.sourceColumns() != null) {
        addColumns(connection, found, setup.missingColumns());
      }
      List<Mismatch> mismatches = setup.createOrCheck();
      if (!mismatches.isEmpty()) {
        throw new JdbcTargetException(
            "Cannot write to "
                + write
                + ": "
                + mismatches.stream().map(Mismatch::toString).collect(Collectors.joining("; ")));
      }
      digits = setup.digits();
      connection.commit();
      dialect = found;
    }
  }

  /** Whether the fields are columns, or have been found to be none of the source's either. */
  boolean knows(Set<String> fields) {
    return knownFields.containsAll(fields);
  }

  /** Gives the table the columns of these names that the source has and the table has not. */
  synchronized void follow(Set<String> names) throws SQLException {
    if (knows(names)) {
      return;
    }
    Map<String, SourceColumn> columns = describeSource();
    List<Column> missing = new ArrayList<>();
    for (String name : names) {
      // Where there is none, the column was dropped again: later rows go without.
      SourceColumn column = columns.get(name);
      if (column != null && !knownFields.contains(name)) {
        missing.add(Column.of(name, column.type()));
      }
    }
    try (Connection connection = connect()) {
      FlatTable longer = table.withColumns(missing);
      TableSetup setup = new TableSetup(connection, dialect, longer);
      addColumns(connection, dialect, setup.missingColumns());
      digits = setup.digits();
      connection.commit();
      table = longer;
      Set<String> known = new HashSet<>(names);
      known.addAll(names(longer));
      known.addAll(knownFields);
      knownFields = Set.copyOf(known);
    }
  }

  private Map<String, SourceColumn> describeSource() throws SQLException {
    try {
      return write.sourceColumns().describe().stream()
          .collect(Collectors.toMap(SourceColumn::name, column -> column));
    } catch (SQLException e) {
      throw e;
    } catch (Exception e) {
      throw new SQLException("the source does not tell its columns: " + e.getMessage(), "08000", e);
    }
  }

  private void addColumns(Connection connection, Dialect spoken, List<Column> missing)
      throws SQLException {
    if (missing.isEmpty()) {
      return;
    }
    Map<String, SourceColumn> source = describeSource();
    try (Statement statement = connection.createStatement()) {
      for (Column column : missing) {
        SourceColumn described = source.get(column.name());
        String initial = described == null ? null : described.initial();
        statement.execute(spoken.addColumn(write.table(), column, initial));
        LOG.info("{} has the new column {} ({}).", write, column.name(), column.type());
      }
    }
  }
}
