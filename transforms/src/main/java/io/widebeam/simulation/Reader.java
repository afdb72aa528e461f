package io.widebeam.simulation;

import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.simulation.Database.RowChange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import javax.annotation.Nullable;
import org.apache.beam.sdk.values.PCollection;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.joda.time.Instant;

/**
 * One source, read as {@code CdcIO} reads it: first the tables, row by row, while their changes go
 * to the log; then the log, held back up to where it was when the tables had been read; then live,
 * transaction by transaction. After a crash it goes on from a checkpoint, with the rows that were
 * not loaded yet, as they are now, and held back up to where the log was at the restart; its
 * numbers are above all that it had given out.
 */
final class Reader {
  enum Phase {
    WAITING,
    LOADING,
    HOLDING,
    LIVE
  }

  /**
   * Where a checkpoint finds the reader.
   *
   * @param tablesToLoad those of which no row has been loaded
   * @param loading the table that is being loaded; null if none is
   * @param loadedRows its rows that have been loaded
   */
  record Position(
      Phase phase,
      int next,
      long sequence,
      long stamp,
      long watermark,
      List<TableId> tablesToLoad,
      @Nullable TableId loading,
      List<BsonDocument> loadedRows) {}

  private record LogEntry(RowChange change, long transaction, boolean last, long commitMillis) {}

  private final PCollection<Change> output;
  private final List<TableId> tables;
  private final Database database;
  private final GraphRun graph;
  private final Random random;
  private final boolean holdsWhenResuming;
  private final boolean bumpsWhenResuming;
  private final List<LogEntry> log = new ArrayList<>();

  private Phase phase = Phase.WAITING;
  private final Deque<TableId> tablesToLoad = new ArrayDeque<>();
  private final Deque<RowChange> rowsToLoad = new ArrayDeque<>();
  @Nullable private TableId loading;
  private final List<BsonDocument> loadedRows = new ArrayList<>();
  private int next;
  private int heldUntil;
  private long clock;
  private long sequence;
  private long highestSequence;
  private long stamp;
  private long watermark = Long.MIN_VALUE;

  Reader(
      PCollection<Change> output,
      List<TableId> tables,
      Database database,
      GraphRun graph,
      Random random,
      Interference interference) {
    this.output = output;
    this.tables = tables;
    this.database = database;
    this.graph = graph;
    this.random = random;
    this.holdsWhenResuming = interference.holdsWhenResuming();
    this.bumpsWhenResuming = interference.bumpsWhenResuming();
  }

  boolean isLive() {
    return phase == Phase.LIVE;
  }

  boolean hasStarted() {
    return phase != Phase.WAITING;
  }

  void append(List<RowChange> changes, long transaction, long commitMillis) {
    for (int i = 0; i < changes.size(); i++) {
      log.add(new LogEntry(changes.get(i), transaction, i == changes.size() - 1, commitMillis));
    }
  }

  void start(long nowMillis) {
    phase = Phase.LOADING;
    stamp = nowMillis;
    tablesToLoad.addAll(tables);
  }

  /** Gives out one element, or finds that a phase is over. Returns whether there was either. */
  boolean read(long nowMillis) {
    clock = nowMillis;
    return switch (phase) {
      case WAITING -> false;
      case LOADING -> {
        load(nowMillis);
        yield true;
      }
      case HOLDING -> {
        if (next >= heldUntil) {
          phase = Phase.LIVE;
          moveWatermark(Math.max(stamp + 50, nowMillis));
        } else {
          giveOut(log.get(next++));
        }
        yield true;
      }
      case LIVE -> {
        if (next >= log.size()) {
          yield false;
        }
        follow(nowMillis);
        yield true;
      }
    };
  }

  private void load(long nowMillis) {
    if (!rowsToLoad.isEmpty()) {
      RowChange row = rowsToLoad.poll();
      loadedRows.add(row.after());
      emit(row.table(), null, row.after(), nowMillis, true);
    } else if (!tablesToLoad.isEmpty()) {
      loading = tablesToLoad.poll();
      loadedRows.clear();
      addRowsToLoad();
    } else {
      loading = null;
      phase = Phase.HOLDING;
      heldUntil = log.size();
    }
  }

  /** Those of the present table that have not been loaded, as they are now. */
  private void addRowsToLoad() {
    for (BsonDocument row : List.copyOf(database.rows(loading))) {
      if (loadedRows.stream().noneMatch(loaded -> database.haveOneKey(loading, loaded, row))) {
        rowsToLoad.add(new RowChange(loading, null, row));
      }
    }
  }

  private void follow(long nowMillis) {
    LogEntry entry = log.get(next);
    boolean first = next == 0 || log.get(next - 1).transaction != entry.transaction;
    if (first || watermark >= stamp) {
      stamp = Math.max(Math.max(stamp, watermark + 1), Math.min(entry.commitMillis, nowMillis));
      moveWatermark(stamp - 1);
    }
    next++;
    giveOut(entry);
    if (entry.last && random.nextBoolean()) {
      moveWatermark(stamp);
    }
  }

  /** The highest number that it has ever given out. */
  long highestSequence() {
    return highestSequence;
  }

  /** Nothing is left to read. */
  void idle(long nowMillis) {
    moveWatermark(Math.max(stamp, nowMillis));
  }

  private void moveWatermark(long to) {
    watermark = Math.max(watermark, to);
    graph.watermark(output, Instant.ofEpochMilli(watermark));
  }

  private void giveOut(LogEntry entry) {
    RowChange change = entry.change;
    emit(change.table(), change.before(), change.after(), entry.commitMillis, false);
  }

  private void emit(
      TableId table,
      @Nullable BsonDocument before,
      @Nullable BsonDocument after,
      long commitMillis,
      boolean snapshot) {
    // Numbers follow the clock; not if nothing is to raise them.
    sequence = Math.max(sequence + 1, bumpsWhenResuming ? clock : 0);
    highestSequence = Math.max(highestSequence, sequence);
    graph.read(
        output,
        new Change(table, raw(before), raw(after), sequence, commitMillis, snapshot),
        Instant.ofEpochMilli(stamp));
  }

  @Nullable
  private static RawBsonDocument raw(@Nullable BsonDocument row) {
    return row == null ? null : new RawBsonDocument(row, new BsonDocumentCodec());
  }

  /** Where a restart could go on; null before the start. */
  @Nullable
  Position position() {
    return phase == Phase.WAITING
        ? null
        : new Position(
            phase,
            next,
            sequence,
            stamp,
            watermark,
            List.copyOf(tablesToLoad),
            loading,
            List.copyOf(loadedRows));
  }

  /**
   * Goes on from a checkpoint.
   *
   * @param floor a number above all that any source has given out
   */
  void resume(Position position, long floor, long nowMillis) {
    next = position.next;
    rowsToLoad.clear();
    tablesToLoad.clear();
    tablesToLoad.addAll(position.tablesToLoad);
    loading = position.loading;
    loadedRows.clear();
    loadedRows.addAll(position.loadedRows);
    if (loading != null) {
      addRowsToLoad();
    }
    sequence = bumpsWhenResuming ? Math.max(floor, nowMillis) : position.sequence;
    watermark = position.watermark;
    if (position.phase == Phase.LOADING) {
      phase = Phase.LOADING;
      stamp = Math.max(position.stamp, nowMillis);
    } else if (holdsWhenResuming) {
      phase = Phase.HOLDING;
      heldUntil = log.size();
      stamp = Math.max(Math.max(position.stamp, position.watermark + 1), nowMillis);
    } else {
      phase = Phase.LIVE;
      stamp = position.stamp;
      moveWatermark(watermark);
    }
  }
}
