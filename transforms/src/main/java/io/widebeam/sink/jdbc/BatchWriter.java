package io.widebeam.sink.jdbc;

import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.RowBatch.Whole;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Gauge;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.util.BackOff;
import org.apache.beam.sdk.util.BackOffUtils;
import org.apache.beam.sdk.util.FluentBackoff;
import org.apache.beam.sdk.util.Sleeper;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;
import org.joda.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one batch in one transaction, and returns when it is committed. Thread-safe; the caller
 * has claimed the batch's documents.
 *
 * <p>The versions of the rows that are there are read first: for the counters, to leave out what is
 * not newer, and to find what has to go of documents that come whole. The guard itself is a
 * condition of the write, which the server checks, so that it holds against other writers too.
 */
final class BatchWriter {

  private static final Logger LOG = LoggerFactory.getLogger(BatchWriter.class);

  private static final String METRICS = "widebeam";

  private static final FluentBackoff RETRY =
      FluentBackoff.DEFAULT
          .withInitialBackoff(Duration.millis(50))
          .withMaxBackoff(Duration.standardSeconds(5))
          .withMaxRetries(Integer.MAX_VALUE);

  private static final int MAX_ROWS_PER_STATEMENT = 512;
  private static final int MAX_DELETES_PER_STATEMENT = 64;

  /** Postgres has room for 65,535. */
  private static final int MAX_PARAMETERS = 30_000;

  private static final int MAX_KEY_IN_MESSAGE = 200;

  private static final ColumnType ROW_KEY_TYPE = ColumnType.text(RowKey.MAX_LENGTH);

  private final Counter inserted = Metrics.counter(METRICS, "documentsInserted");
  private final Counter written = Metrics.counter(METRICS, "documentsWritten");
  private final Counter deleted = Metrics.counter(METRICS, "documentsDeleted");
  private final Counter staleRefused = Metrics.counter(METRICS, "staleWritesRefused");
  private final Counter retries = Metrics.counter(METRICS, "writeRetries");
  private final Gauge delayMillis = Metrics.gauge(METRICS, "delayMillis");

  private final SharedTable shared;
  private final TableWrite target;
  private volatile boolean givenUp;

  BatchWriter(SharedTable shared, TableWrite target) {
    this.shared = shared;
    this.target = target;
  }

  /** Sets the parameters of one of a statement's repeated parts. Answers the next index. */
  @FunctionalInterface
  private interface Binder<T> {
    int bind(PreparedStatement statement, int index, T item) throws SQLException;
  }

  /** Makes a statement for so many parts. */
  @FunctionalInterface
  private interface SqlFor {
    String parts(int count);
  }

  /** Takes the result of an executed statement. */
  @FunctionalInterface
  private interface Execution {
    void run(PreparedStatement statement) throws SQLException;
  }

  /** Something that talks to the database. */
  @FunctionalInterface
  private interface Action {
    void run() throws SQLException;
  }

  /** What an attempt has done, once it is committed. */
  private static final class Outcome {
    long inserted;
    long written;
    long deleted;
    long stale;
    long newestCommit = Long.MIN_VALUE;

    void committed(RowWrite write) {
      newestCommit = Math.max(newestCommit, write.commitMillis());
    }
  }

  void write(RowBatch batch) throws IOException, InterruptedException {
    batch
        .wholes()
        .forEach((document, whole) -> shared.replacements().add(document, whole.version() - 1));
    batch
        .writes()
        .values()
        .removeIf(
            write -> {
              if (write.isDelete()) {
                shared.deletes().add(write.id(), write.version());
                return false;
              }
              boolean outranked =
                  shared.deletes().outranks(write.id(), write.version())
                      || shared.replacements().outranks(write.document(), write.version());
              if (outranked) {
                staleRefused.inc();
              }
              return outranked;
            });
    BackOff backOff = RETRY.backoff();
    boolean outcomeUnknown = false;
    while (!batch.isEmpty()) {
      try {
        count(attempt(batch, outcomeUnknown));
        shared.outages().reportSuccess();
        return;
      } catch (SQLException e) {
        if (Failures.isInterruption(e)) {
          throw interrupted(e);
        }
        if (!Failures.isTransient(e, shared.dialect())) {
          findCulprit(batch, e);
          return;
        }
        outcomeUnknown = true;
        pauseBeforeRetry(backOff, Failures.reason(e, target.target()));
      }
    }
  }

  /** Creates the table, or checks it, if nobody has before. */
  void prepare() throws IOException, InterruptedException {
    untilItWorks("Cannot write to ", () -> shared.connect().close());
  }

  /** Gives the table the columns of these names that its source has got since. */
  void follow(Set<String> columns) throws IOException, InterruptedException {
    untilItWorks("Cannot add columns to ", () -> shared.follow(columns));
  }

  /** Deletes the rows of lower versions. Answers how many that were. */
  long deleteBelow(long version) throws IOException, InterruptedException {
    long[] rows = {0};
    untilItWorks(
        "Cannot delete from ",
        () -> {
          try (Connection connection = shared.connect()) {
            FlatTable table = shared.table();
            Dialect dialect = shared.dialect();
            try (PreparedStatement statement =
                connection.prepareStatement(
                    "DELETE FROM "
                        + dialect.quotedTable(table.name())
                        + " WHERE "
                        + dialect.quoted(table.versionColumn())
                        + " < ?")) {
              statement.setLong(1, version);
              rows[0] = statement.executeUpdate();
            }
            connection.commit();
          }
        });
    return rows[0];
  }

  private void untilItWorks(String failure, Action action)
      throws IOException, InterruptedException {
    BackOff backOff = RETRY.backoff();
    while (true) {
      try {
        action.run();
        return;
      } catch (SQLException e) {
        if (Failures.isInterruption(e)) {
          throw interrupted(e);
        }
        String reason = Failures.reason(e, target.target());
        if (!Failures.isTransient(e, shared.dialect())) {
          throw new JdbcTargetException(failure + target + ": " + reason);
        }
        pauseBeforeRetry(backOff, reason);
      }
    }
  }

  /** What is on its way ends without another retry. */
  void giveUp() {
    givenUp = true;
  }

  private Outcome attempt(RowBatch batch, boolean outcomeUnknown) throws SQLException {
    try (Connection connection = shared.connect()) {
      try {
        Outcome outcome = write(batch, outcomeUnknown, connection);
        connection.commit();
        return outcome;
      } catch (SQLException | RuntimeException e) {
        rollBack(connection, e);
        throw e;
      }
    }
  }

  private static void rollBack(Connection connection, Exception cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private Outcome write(RowBatch batch, boolean outcomeUnknown, Connection connection)
      throws SQLException {
    FlatTable table = batch.table();
    Map<String, Long> stored = storedVersions(batch, connection);
    Outcome outcome = new Outcome();
    List<RowWrite> deletes = new ArrayList<>();
    List<RowWrite> upserts = new ArrayList<>();
    for (RowWrite write : batch.writes().values()) {
      Long version = stored.remove(write.id());
      // A delete goes out also where no row was read: a key may read otherwise than it was written.
      if (version == null || version < write.version()) {
        (write.isDelete() ? deletes : upserts).add(write);
        outcome.committed(write);
        outcome.inserted += version == null && !write.isDelete() ? 1 : 0;
      } else if (version == write.version() && outcomeUnknown && !write.isDelete()) {
        // An attempt before, whose answer was lost, has put it there.
        outcome.committed(write);
        outcome.written++;
      } else {
        outcome.stale++;
      }
    }
    // What is left of documents that come whole is not in them any more.
    stored.forEach(
        (row, version) -> {
          Whole whole = batch.wholes().get(RowKey.documentOf(row));
          if (whole != null && version < whole.version()) {
            deletes.add(
                new RowWrite(
                    row,
                    RowKey.documentOf(row),
                    whole.key(),
                    null,
                    whole.version(),
                    Long.MIN_VALUE));
          }
        });

    // In one order everywhere, so that transactions seldom wait for each other in a circle.
    deletes.sort(Comparator.comparing(RowWrite::id));
    upserts.sort(Comparator.comparing(RowWrite::id));
    outcome.deleted = delete(table, deletes, connection);
    upsert(table, upserts, connection);
    outcome.written += upserts.size();
    return outcome;
  }

  /**
   * The versions of the rows that are there, by their keys: of the rows to be written, and of all
   * rows of documents that come whole.
   */
  private Map<String, Long> storedVersions(RowBatch batch, Connection connection)
      throws SQLException {
    FlatTable table = batch.table();
    Map<String, Long> versions = new HashMap<>();
    List<Column> keyColumns = table.documentKeyColumns();
    List<String> rowKey = table.primaryKey();
    List<String> documentKey = keyColumns.stream().map(Column::name).toList();
    inParts(
        connection,
        List.copyOf(batch.wholes().values()),
        MAX_ROWS_PER_STATEMENT,
        count -> selectVersions(table, documentKey, count),
        (statement, index, whole) -> bindDocumentKey(table, statement, index, whole.key()),
        statement -> readVersions(table, statement, versions));
    inParts(
        connection,
        batch.ofPartialDocuments(batch.writes().values()),
        MAX_ROWS_PER_STATEMENT,
        count -> selectVersions(table, rowKey, count),
        (statement, index, write) -> bindRowKey(table, statement, index, write),
        statement -> readVersions(table, statement, versions));
    return versions;
  }

  private String selectVersions(FlatTable table, List<String> columns, int count) {
    Dialect dialect = shared.dialect();
    String key = dialect.list(columns);
    String one = Dialect.repeated("?", columns.size());
    boolean composite = columns.size() > 1;
    return "SELECT "
        + (table.hasRowKey()
            ? dialect.quoted(FlatTable.ROW_KEY)
            : selected(dialect, table.documentKeyColumns()))
        + ", "
        + dialect.quoted(table.versionColumn())
        + " FROM "
        + dialect.quotedTable(table.name())
        + " WHERE "
        + (composite ? "(" + key + ")" : key)
        + " IN ("
        + Dialect.repeated(composite ? "(" + one + ")" : one, count)
        + ")";
  }

  private static String selected(Dialect dialect, List<Column> columns) {
    return columns.stream().map(dialect::selected).collect(Collectors.joining(", "));
  }

  private void readVersions(
      FlatTable table, PreparedStatement statement, Map<String, Long> versions)
      throws SQLException {
    Dialect dialect = shared.dialect();
    List<Column> keyColumns = table.documentKeyColumns();
    try (ResultSet found = statement.executeQuery()) {
      while (found.next()) {
        String id;
        int version;
        if (table.hasRowKey()) {
          id = found.getString(1);
          version = 2;
        } else {
          BsonValue[] key = new BsonValue[keyColumns.size()];
          for (int i = 0; i < key.length; i++) {
            key[i] = storedValue(dialect, found, i + 1, keyColumns.get(i).type());
          }
          id = RowKey.ofDocument(key);
          version = key.length + 1;
        }
        long stored = found.getLong(version);
        versions.put(id, found.wasNull() ? -1 : stored);
      }
    }
  }

  /** A key's value as its document has it, or one of the same text; null for null. */
  @Nullable
  private static BsonValue storedValue(Dialect dialect, ResultSet row, int index, ColumnType type)
      throws SQLException {
    BsonValue value =
        switch (type.kind()) {
          case BOOLEAN -> BsonBoolean.valueOf(row.getBoolean(index));
          case INT16, INT32, INT64 -> new BsonInt64(row.getLong(index));
          case DECIMAL -> number(row.getBigDecimal(index));
          case FLOAT64 -> new BsonDouble(row.getDouble(index));
          case BINARY -> {
            byte[] bytes = row.getBytes(index);
            yield bytes == null ? null : new BsonBinary(bytes);
          }
          case DATE -> {
            LocalDate date = row.getObject(index, LocalDate.class);
            yield date == null ? null : moment(date.atStartOfDay(ZoneOffset.UTC).toInstant());
          }
          case TIMESTAMP, INSTANT -> {
            Instant moment = dialect.moment(row, index);
            yield moment == null ? null : moment(moment);
          }
          case TIME, DURATION -> {
            String text = row.getString(index);
            yield text == null ? null : new BsonString(timeText(text));
          }
          case TEXT, UUID, JSON -> {
            String text = row.getString(index);
            yield text == null ? null : new BsonString(text);
          }
        };
    return row.wasNull() ? null : value;
  }

  @Nullable
  private static BsonValue number(@Nullable BigDecimal number) {
    if (number == null) {
      return null;
    }
    // In digits where BSON has not enough of them, as the sources give it.
    return number.stripTrailingZeros().precision() <= MathContext.DECIMAL128.getPrecision()
        ? new BsonDecimal128(new Decimal128(number.stripTrailingZeros()))
        : new BsonString(RowKey.text(number));
  }

  /** A time as the sources write it: without a fraction, or with one of six digits. */
  private static String timeText(String text) {
    int point = text.indexOf('.');
    if (point < 0) {
      return text;
    }
    String fraction = (text.substring(point + 1) + "000000").substring(0, 6);
    return fraction.equals("000000")
        ? text.substring(0, point)
        : text.substring(0, point + 1) + fraction;
  }

  private static BsonValue moment(Instant instant) {
    return new BsonDateTime(instant.toEpochMilli());
  }

  /** The keys of all rows of a table with nullable keys, each a document of the key's fields. */
  List<BsonDocument> keys() throws IOException, InterruptedException {
    List<BsonDocument> keys = new ArrayList<>();
    untilItWorks(
        "Cannot read ",
        () -> {
          keys.clear();
          try (Connection connection = shared.connect()) {
            readKeys(connection, keys);
            connection.commit();
          }
        });
    return keys;
  }

  private void readKeys(Connection connection, List<BsonDocument> keys) throws SQLException {
    FlatTable table = shared.table();
    Dialect dialect = shared.dialect();
    List<Column> columns = table.documentKeyColumns();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT "
                    + dialect.quoted(FlatTable.ROW_KEY)
                    + (columns.isEmpty() ? "" : ", " + selected(dialect, columns))
                    + " FROM "
                    + dialect.quotedTable(table.name()))) {
      while (rows.next()) {
        BsonValue[] values = new BsonValue[columns.size()];
        BsonDocument key = new BsonDocument();
        for (int i = 0; i < values.length; i++) {
          values[i] = storedValue(dialect, rows, i + 2, columns.get(i).type());
          key.put(table.documentKey().get(i), values[i] == null ? BsonNull.VALUE : values[i]);
        }
        if (RowKey.ofDocument(values).equals(rows.getString(1))) {
          keys.add(key);
        } else {
          // Its column's type does not keep the value as it was. Taken for a key, another row might
          // be deleted.
          LOG.warn("{}: the row {} is not told by its columns {}.", target, rows.getString(1), key);
        }
      }
    }
  }

  private long delete(FlatTable table, List<RowWrite> writes, Connection connection)
      throws SQLException {
    Dialect dialect = shared.dialect();
    String one =
        "("
            + String.join(
                " AND ",
                table.primaryKey().stream().map(column -> dialect.quoted(column) + " = ?").toList())
            + " AND COALESCE("
            + dialect.quoted(table.versionColumn())
            + ", -1) < ?)";
    long[] rows = {0};
    inParts(
        connection,
        writes,
        MAX_DELETES_PER_STATEMENT,
        count ->
            "DELETE FROM "
                + dialect.quotedTable(table.name())
                + " WHERE "
                + String.join(" OR ", Collections.nCopies(count, one)),
        (statement, index, write) -> {
          int next = bindRowKey(table, statement, index, write);
          statement.setLong(next, write.version());
          return next + 1;
        },
        statement -> rows[0] += statement.executeUpdate());
    return rows[0];
  }

  private void upsert(FlatTable table, List<RowWrite> writes, Connection connection)
      throws SQLException {
    int parameters = Dialect.writtenColumns(table).size();
    inParts(
        connection,
        writes,
        Math.max(1, Math.min(shared.dialect().maxRowsPerUpsert(), MAX_PARAMETERS / parameters)),
        count -> shared.dialect().upsert(table, count),
        (statement, index, write) -> bindRow(table, statement, index, write),
        PreparedStatement::executeUpdate);
  }

  private int bindRow(FlatTable table, PreparedStatement statement, int index, RowWrite write)
      throws SQLException {
    int next = index;
    if (table.hasRowKey()) {
      statement.setString(next++, write.id());
    }
    for (int i = 0; i < write.values().length; i++) {
      Column column = table.columns().get(i);
      BsonValue value = write.values()[i];
      try {
        if (value != null) {
          Integer digits = shared.digits().get(column.name());
          SqlValues.requireExact(column.type(), value, digits);
        }
        shared.dialect().bind(statement, next++, column.type(), value);
      } catch (IllegalArgumentException e) {
        throw rejection(write.id(), "column " + column.name() + " " + e.getMessage());
      }
    }
    statement.setLong(next++, write.version());
    return next;
  }

  private int bindRowKey(FlatTable table, PreparedStatement statement, int index, RowWrite write)
      throws SQLException {
    if (table.hasRowKey()) {
      shared.dialect().bind(statement, index, ROW_KEY_TYPE, new BsonString(write.id()));
      return index + 1;
    }
    return bindDocumentKey(table, statement, index, write.key());
  }

  private int bindDocumentKey(
      FlatTable table, PreparedStatement statement, int index, BsonValue[] key)
      throws SQLException {
    List<Column> columns = table.documentKeyColumns();
    for (int i = 0; i < key.length; i++) {
      try {
        shared.dialect().bind(statement, index + i, columns.get(i).type(), key[i]);
      } catch (IllegalArgumentException e) {
        throw rejection(
            RowKey.ofDocument(key), "column " + columns.get(i).name() + " " + e.getMessage());
      }
    }
    return index + key.length;
  }

  /**
   * Runs a statement for all items, many at a time. The numbers of items are powers of two, so that
   * there are few different statements for the server to parse.
   */
  private static <T> void inParts(
      Connection connection,
      List<T> items,
      int largest,
      SqlFor sql,
      Binder<T> binder,
      Execution execution)
      throws SQLException {
    int from = 0;
    while (from < items.size()) {
      int count = Integer.highestOneBit(Math.min(items.size() - from, largest));
      try (PreparedStatement statement = connection.prepareStatement(sql.parts(count))) {
        int index = 1;
        for (T item : items.subList(from, from + count)) {
          index = binder.bind(statement, index, item);
        }
        execution.run(statement);
      }
      from += count;
    }
  }

  private void count(Outcome outcome) {
    inserted.inc(outcome.inserted);
    written.inc(outcome.written);
    deleted.inc(outcome.deleted);
    staleRefused.inc(outcome.stale);
    if (outcome.newestCommit != Long.MIN_VALUE) {
      delayMillis.set(System.currentTimeMillis() - outcome.newestCommit);
    }
  }

  /**
   * The database refuses something in the batch for good: tells which row, by trying each alone.
   */
  private void findCulprit(RowBatch batch, SQLException refusal) {
    if (shared.dialect() != null && batch.writes().size() > 1) {
      for (RowWrite write : batch.writes().values()) {
        RowBatch one = batch.only(write);
        try {
          attempt(one, true);
        } catch (SQLException e) {
          if (!Failures.isTransient(e, shared.dialect())) {
            throw rejection(write.id(), "was refused: " + Failures.reason(e, target.target()));
          }
          break;
        }
      }
    }
    String reason = Failures.reason(refusal, target.target());
    if (batch.writes().size() == 1) {
      throw rejection(batch.writes().values().iterator().next().id(), "was refused: " + reason);
    }
    throw new JdbcTargetException("Cannot write to " + target + ": " + reason);
  }

  /** The one place where a row that cannot be stored ends up. */
  private JdbcTargetException rejection(String row, String reason) {
    String shown =
        row.length() <= MAX_KEY_IN_MESSAGE ? row : row.substring(0, MAX_KEY_IN_MESSAGE) + "…";
    return new JdbcTargetException(
        "Cannot write to " + target + ": the row with key " + shown + ": " + reason);
  }

  private void pauseBeforeRetry(BackOff backOff, String reason)
      throws IOException, InterruptedException {
    retries.inc();
    shared.outages().reportOutage(reason);
    if (givenUp || !BackOffUtils.next(Sleeper.DEFAULT, backOff)) {
      throw new JdbcTargetException(
          "The database did not take writes to " + target + ": " + reason);
    }
  }

  private static InterruptedException interrupted(SQLException e) {
    InterruptedException interrupted = new InterruptedException("interrupted while writing");
    interrupted.initCause(e);
    return interrupted;
  }
}
