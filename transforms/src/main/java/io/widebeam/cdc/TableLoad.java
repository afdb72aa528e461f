package io.widebeam.cdc;

import io.widebeam.cdc.LoadProgress.KeyRange;
import io.widebeam.cdc.LoadProgress.RowKey;
import io.widebeam.cdc.LoadProgress.TableProgress;
import io.widebeam.cdc.SourceDatabase.UnsuitableException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads tables in chunks of their primary keys, several at once, beside the log.
 *
 * <p>It follows DBLog (Netflix, 2019), made simpler by numbered changes. A load is given its
 * numbers beforehand, and every change that is polled from the log after that has a higher one. So
 * whatever happened to a row since is in the log and outranks what is read here, in whichever order
 * the two are given out; and a row that is read here is at least as new as any of its changes that
 * was polled before. There are no locks, and nothing is written to the source. That holds for a
 * load that starts with the source, for one that goes on after a crash (with new numbers, and the
 * chunks that were open), and for a table that is loaded again while the rest goes on.
 *
 * <p>The chunks are shared out among threads of this reader, not among splits of the source: the
 * watermark can be let go only when the log has been read to where it ended after the last chunk,
 * and whoever polls the log here knows it. Splits would have to tell each other through the
 * database. One thread reads many times the rows that the joins take, so nothing is gained by
 * reading in several places.
 */
final class TableLoad<T> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TableLoad.class);

  /** Whom the rows are for. Any thread may call it. */
  interface Sink<T> {
    LoadProgress progress();

    void update(UnaryOperator<LoadProgress> change);

    /**
     * Takes rows; waits for room.
     *
     * @param change what becomes known together with the rows
     * @throws InterruptedException if nobody wants them any more
     */
    void rows(List<T> values, long bytes, UnaryOperator<LoadProgress> change)
        throws InterruptedException;

    /**
     * Waits until the pipeline has everything that there is now.
     *
     * @throws InterruptedException if nobody wants it any more
     */
    void awaitGivenOut() throws InterruptedException;

    boolean isWanted();

    /** The load cannot reach the database, or can again. */
    void reachable(boolean reachable);
  }

  /** Numbers for one table's rows: above those of all changes polled before, below all later. */
  private static final class Numbers {
    private final AtomicLong last;
    private final long limit;

    Numbers(long before, long limit) {
      this.last = new AtomicLong(before);
      this.limit = limit;
    }

    /** When there are more rows than thought, the others share a number: their keys differ. */
    long next() {
      return Math.min(last.incrementAndGet(), limit);
    }
  }

  /**
   * A chunk that a thread is reading.
   *
   * @param end its last key, which it is known by: where what is left of it begins moves on
   */
  private record Chunk(TableProgress table, @Nullable RowKey end) {}

  private static final int MAX_BATCH_ELEMENTS = 1024;
  private static final long MAX_BATCH_BYTES = 1 << 20;
  private static final long FIRST_RETRY_MILLIS = 200;
  private static final long LAST_RETRY_MILLIS = 10_000;

  private final Map<String, String> properties;
  private final ClassLoader classes;
  private final RecordDecoder<T> decoder;
  private final Sink<T> sink;
  private final int threads;
  private final int chunkRows;

  // Guarded by this.
  private final List<Thread> running = new ArrayList<>();
  private final Set<Chunk> taken = new HashSet<>();
  private final Map<String, Numbers> numbers = new HashMap<>();
  private final Set<TableLoader> connections = new HashSet<>();
  @Nullable private Exception failure;
  private boolean closed;

  TableLoad(
      Map<String, String> properties,
      ClassLoader classes,
      RecordDecoder<T> decoder,
      Sink<T> sink,
      int threads,
      int chunkRows) {
    this.properties = properties;
    this.classes = classes;
    this.decoder = decoder;
    this.sink = sink;
    this.threads = threads;
    this.chunkRows = chunkRows;
  }

  /**
   * Loads, or goes on loading, those tables of the progress that are not done.
   *
   * @param before the numbers begin after this one
   * @param limit the numbers end with this one
   */
  synchronized void start(long before, long limit) {
    Numbers shared = new Numbers(before, limit);
    for (TableProgress table : sink.progress().tables()) {
      if (!table.isDone()) {
        numbers.put(name(table), shared);
      }
    }
    wake();
  }

  /**
   * Loads one table from its beginning again.
   *
   * @param publish makes it known to the progress
   */
  synchronized void restart(
      String namespace, String name, long before, long limit, Runnable publish) {
    // First: a thread that sees the table must not give its rows old numbers.
    numbers.put(namespace + "." + name, new Numbers(before, limit));
    publish.run();
    wake();
  }

  private void wake() {
    running.removeIf(thread -> !thread.isAlive());
    while (!closed && running.size() < threads) {
      Thread thread =
          new Thread(
              this::work,
              "cdc-load-" + properties.get(ConnectorProperties.NAME) + "-" + running.size());
      thread.setDaemon(true);
      thread.setContextClassLoader(classes);
      running.add(thread);
      thread.start();
    }
  }

  /** What ended the load before its time, or null. */
  @Nullable
  synchronized Exception failure() {
    return failure;
  }

  private static String name(TableProgress table) {
    return table.namespace() + "." + table.name();
  }

  private void work() {
    TableLoader loader = null;
    Map<String, TableLoader.Table> known = new HashMap<>();
    long pause = FIRST_RETRY_MILLIS;
    Chunk chunk = null;
    try {
      while (isWanted()) {
        try {
          if (loader == null) {
            loader = open();
          }
          if (chunk == null) {
            chunk = take(loader, known);
          }
          if (chunk == null) {
            return;
          }
          read(loader, chunk, table(loader, chunk.table(), known));
          forget(chunk);
          chunk = null;
          pause = FIRST_RETRY_MILLIS;
          sink.reachable(true);
          // Not further ahead than a chunk: whoever goes on after a crash reads it again.
          sink.awaitGivenOut();
        } catch (SQLException e) {
          known.clear();
          if (!isWanted()) {
            return;
          }
          LOG.warn(
              "Reading the tables of {}: {}. Trying again in {} ms",
              ConnectorProperties.describe(properties),
              ConnectorFailure.describe(e, properties),
              pause);
          if (!ConnectorFailure.isBadStatement(e)) {
            sink.reachable(false);
          }
          release(loader);
          loader = null;
          Thread.sleep(pause);
          pause = Math.min(LAST_RETRY_MILLIS, 2 * pause);
        }
      }
    } catch (InterruptedException e) {
      // Asked to stop.
    } catch (Exception e) {
      fail(e);
    } finally {
      if (chunk != null) {
        forget(chunk);
      }
      release(loader);
    }
  }

  private synchronized void fail(Exception e) {
    if (failure == null) {
      failure = e;
    }
  }

  private boolean isWanted() {
    synchronized (this) {
      if (closed || failure != null) {
        return false;
      }
    }
    return sink.isWanted();
  }

  private TableLoader open() throws SQLException, UnsuitableException, InterruptedException {
    TableLoader loader = TableLoader.connect(properties, classes);
    synchronized (this) {
      if (!closed) {
        connections.add(loader);
        return loader;
      }
    }
    loader.close();
    throw new InterruptedException();
  }

  private void release(@Nullable TableLoader loader) {
    if (loader != null) {
      synchronized (this) {
        connections.remove(loader);
      }
      loader.close();
    }
  }

  private synchronized void forget(Chunk chunk) {
    taken.remove(chunk);
  }

  private static TableLoader.Table table(
      TableLoader loader, TableProgress progress, Map<String, TableLoader.Table> known)
      throws SQLException, UnsuitableException {
    String name = name(progress) + "/" + progress.round();
    TableLoader.Table table = known.get(name);
    if (table == null) {
      table = loader.table(progress.namespace(), progress.name());
      known.put(name, table);
    }
    return table;
  }

  /** The next chunk that nobody reads; null when there is none left. */
  @Nullable
  private synchronized Chunk take(TableLoader loader, Map<String, TableLoader.Table> known)
      throws SQLException, UnsuitableException {
    for (TableProgress table : sink.progress().tables()) {
      for (KeyRange range : table.open()) {
        Chunk chunk = new Chunk(table.identity(), range.upTo());
        if (taken.add(chunk)) {
          return chunk;
        }
      }
    }
    for (TableProgress table : sink.progress().tables()) {
      if (!table.complete()) {
        RowKey upTo = loader.lastKey(table(loader, table, known), table.sharedOut(), chunkRows);
        KeyRange range = new KeyRange(table.sharedOut(), upTo);
        sink.update(progress -> progress.opened(table, range));
        Chunk chunk = new Chunk(table.identity(), range.upTo());
        taken.add(chunk);
        return chunk;
      }
    }
    // At once, so that whoever adds a table from now on starts another thread.
    running.remove(Thread.currentThread());
    return null;
  }

  /** Gives out what is left of a chunk: after a failure, what had been read is not read again. */
  private void read(TableLoader loader, Chunk chunk, TableLoader.Table table) throws Exception {
    Numbers given;
    synchronized (this) {
      given = numbers.get(name(chunk.table()));
    }
    KeyRange left = sink.progress().left(chunk.table(), chunk.end());
    if (left == null) {
      return; // The table is being loaded anew.
    }
    Batch batch = new Batch();
    long readMillis = System.currentTimeMillis();
    loader.read(
        table,
        left,
        (row, key) -> {
          T value = decoder.row(table.id(), row, given.next(), readMillis);
          batch.values.add(value);
          batch.bytes += decoder.sizeInBytes(value);
          batch.uncounted++;
          if (batch.values.size() == MAX_BATCH_ELEMENTS || batch.bytes >= MAX_BATCH_BYTES) {
            List<T> full = batch.values;
            long bytes = batch.bytes;
            batch.values = new ArrayList<>();
            batch.bytes = 0;
            RowKey last = key.read();
            if (last == null) {
              // Whoever goes on from here begins the table again.
              sink.rows(full, bytes, progress -> progress);
              return;
            }
            long count = batch.uncounted;
            batch.uncounted = 0;
            sink.rows(
                full,
                bytes,
                progress -> progress.givenOut(chunk.table(), chunk.end(), last, count));
          }
        });
    sink.rows(
        batch.values,
        batch.bytes,
        progress -> progress.finished(chunk.table(), chunk.end(), batch.uncounted));
  }

  private final class Batch {
    private List<T> values = new ArrayList<>();
    private long bytes;

    /** How many rows the progress does not know of. */
    private long uncounted;
  }

  @Override
  public void close() {
    List<TableLoader> open;
    List<Thread> stopping;
    synchronized (this) {
      closed = true;
      open = List.copyOf(connections);
      stopping = List.copyOf(running);
    }
    stopping.forEach(Thread::interrupt);
    open.forEach(TableLoader::abort);
    for (Thread thread : stopping) {
      try {
        thread.join(LAST_RETRY_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
