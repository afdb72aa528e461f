package io.widebeam.cdc;

import io.debezium.data.Envelope;
import io.debezium.relational.RelationalChangeRecordEmitter;
import io.widebeam.cdc.CdcCheckpoint.Offset;
import io.widebeam.cdc.CdcCheckpoint.Position;
import io.widebeam.cdc.EventClock.Phase;
import io.widebeam.deadletter.DeadLetter;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiPredicate;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import javax.annotation.Nullable;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running connector task, the thread that polls it into a bounded queue of batches, and the load
 * of the tables beside it. The session lives from its start to {@link #close}, whatever the runner
 * does with its bundles meanwhile.
 *
 * <p>When the connection to the database is lost, the thread starts a new task where the last one
 * stopped, with growing pauses, as often as {@code errors.max.retries} allows. Any other failure
 * ends the session; {@link #poll} throws it once the queue is empty.
 *
 * <p>Where a {@link TableLoader} can read the tables, the connector's snapshot takes but a position
 * in the log. From there the log is polled while a {@link TableLoad} reads the tables; all of it
 * has one time, as has what follows up to where the log was when the last table had been read.
 */
final class ConnectorSession<T> {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectorSession.class);

  /** A batch, and where the reader stands once it has been handed out. */
  record Entry<T>(CdcBatch<T> batch, long bytes, Position position) {}

  private static final int MAX_BATCH_ELEMENTS = 1024;
  private static final long MAX_BATCH_BYTES = 1 << 20;
  private static final int MAX_QUEUED_BATCHES = 64;
  private static final long MAX_QUEUED_BYTES = 16L << 20;

  /** How long a session whose reader was closed waits for the next reader to take it over. */
  private static final long PARKING_MILLIS = 10_000;

  /**
   * How often the connector says where it is while there is something to catch up with: so a longer
   * silence means that there is nothing.
   */
  private static final String HELD_HEARTBEAT_MILLIS = "500";

  /** A load's numbers: the server's guess of its rows may be far off. */
  private static final long LEAST_NUMBERS = 1 << 22;

  private static final long NUMBERS_PER_ROW = 4;

  private static final int MAX_SEEN_SCHEMAS = 10_000;

  private static final long STOP_MILLIS = 10_000;
  private static final long FIRST_RETRY_MILLIS = 500;
  private static final long LAST_RETRY_MILLIS = 30_000;

  /** The sessions of this process, for checkpoints to be acknowledged to. */
  private static final Map<String, ConnectorSession<?>> LIVE = new ConcurrentHashMap<>();

  private enum State {
    ACTIVE,
    PARKED,
    STOPPED
  }

  private final String id = UUID.randomUUID().toString();
  private final Map<String, String> properties;
  private final RecordDecoder<T> decoder;
  private final SchemaHistoryLog history;
  private final TableLoad<T> load;
  private final LoadProgress loadedBefore;
  private final Thread thread;
  private final AtomicReference<List<Offset>> acknowledged = new AtomicReference<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  // Guarded by the lock.
  private final Deque<Entry<T>> queue = new ArrayDeque<>();
  private long queuedBytes;
  private long queuedElements;
  private Position tail;
  private Position handedOut;
  @Nullable private IOException failure;
  private long parkedAtNanos;

  private volatile State state = State.ACTIVE;
  private volatile boolean logDown;
  private volatile boolean tablesDown;

  // The thread's own.
  private final RecordKind.Memory kinds = new RecordKind.Memory();
  private final Map<Map<String, ?>, Map<String, ?>> offsets = new LinkedHashMap<>();
  private final EventClock clock;
  private long sequence;

  /** The connection worked once: if it is lost, it may come back. */
  private boolean proven;

  private int failures;

  /** The tables to load as soon as the connector has taken the position in the log. */
  @Nullable private List<TableLoader.Table> tablesToLoad;

  /** The tables by their full names, as they are before the load. */
  private final Map<String, TableSchema> schemas = new HashMap<>();

  /** The schemas of rows that have been looked at. */
  private final IdentityHashMap<Schema, Boolean> seenSchemas = new IdentityHashMap<>();

  private final boolean postgres;

  /** Whether the tables are read here, and not by the connector. */
  private boolean loading;

  private boolean loadRefused;
  private boolean loadResumed;
  private long loadNanos;

  /** Until a checkpoint has been completed, where the first load may not be acted on before. */
  private volatile boolean awaitsCheckpoint;

  @Nullable private CatchUp catchUp;
  @Nullable private ConnectorTask task;

  private List<T> values = new ArrayList<>();
  private List<CdcBatch.Letter> letters = new ArrayList<>();
  private long[] eventMillis = new long[MAX_BATCH_ELEMENTS];
  private long batchBytes;

  /** Of the batch: its values, and the letters without one. */
  private int batchElements;

  private ConnectorSession(
      Map<String, String> properties,
      RecordDecoder<T> decoder,
      Position start,
      SchemaHistoryLog history) {
    this.properties = new HashMap<>(properties);
    this.properties.put(CheckpointedSchemaHistory.READER_PROPERTY, id);
    this.decoder = decoder;
    this.history = history;
    this.tail = start;
    this.loadedBefore = start.load();
    this.handedOut = start;
    this.clock = new EventClock(start.clock());
    this.sequence = start.sequence();
    this.postgres = SourceDatabase.Kind.of(properties) == SourceDatabase.Kind.POSTGRES;
    this.proven = !start.offsets().isEmpty();
    this.awaitsCheckpoint =
        start.offsets().isEmpty() && ConnectorProperties.isReleasedByCheckpoint(properties);
    start.offsets().forEach(offset -> offsets.put(offset.partition(), offset.offset()));
    this.load =
        new TableLoad<>(
            ConnectorProperties.ofConnector(properties),
            connectorClassLoader(),
            decoder,
            new LoadSink(),
            ConnectorProperties.loadThreads(properties),
            ConnectorProperties.chunkRows(properties));
    this.thread = new Thread(this::run, "cdc-" + properties.get(ConnectorProperties.NAME));
    this.thread.setDaemon(true);
  }

  /** Starts a connector at a position; the history must not be shared with another session. */
  static <T> ConnectorSession<T> start(
      Map<String, String> properties,
      RecordDecoder<T> decoder,
      Position position,
      SchemaHistoryLog history) {
    ConnectorSession<T> session = new ConnectorSession<>(properties, decoder, position, history);
    LIVE.put(session.id, session);
    CheckpointedSchemaHistory.register(session.id, history);
    session.thread.start();
    return session;
  }

  /** The session of that name if it runs in this process. */
  @Nullable
  static ConnectorSession<?> find(String id) {
    return LIVE.get(id);
  }

  String id() {
    return id;
  }

  SchemaHistoryLog history() {
    return history;
  }

  /** The next batch, or null if there is none at the moment. Never blocks. */
  @Nullable
  Entry<T> poll() throws IOException {
    lock.lock();
    try {
      Entry<T> entry = queue.poll();
      if (entry != null) {
        queuedBytes -= entry.bytes;
        queuedElements -= entry.batch.size();
        handedOut = entry.position;
        changed.signalAll();
      } else if (failure instanceof ReloadException reload) {
        throw reload.again();
      } else if (failure != null) {
        throw new IOException(failure.getMessage());
      }
      return entry;
    } finally {
      lock.unlock();
    }
  }

  /** Where the reader stands after the last batch it was given. */
  Position handedOutPosition() {
    lock.lock();
    try {
      return handedOut;
    } finally {
      lock.unlock();
    }
  }

  /** Where the reader stands when the queue is empty; null if it is not. */
  @Nullable
  Position drainedPosition() {
    lock.lock();
    try {
      return queue.isEmpty() ? tail : null;
    } finally {
      lock.unlock();
    }
  }

  long backlogBytes() {
    lock.lock();
    try {
      return queuedBytes;
    } finally {
      lock.unlock();
    }
  }

  long backlogElements() {
    lock.lock();
    try {
      return queuedElements;
    } finally {
      lock.unlock();
    }
  }

  /** The connector's name, which tells it from others that read the same database. */
  String name() {
    return properties.get(ConnectorProperties.NAME);
  }

  /** How far the tables had been loaded when the session began. */
  LoadProgress loadedBefore() {
    return loadedBefore;
  }

  /** Whether the database cannot be reached at the moment, and is tried again. */
  boolean isSourceDown() {
    return logDown || tablesDown;
  }

  /** Tells the database, at the next poll, that everything up to the offsets is safe. */
  void acknowledge(List<Offset> safe) {
    awaitsCheckpoint = false;
    if (!safe.isEmpty()) {
      acknowledged.set(safe);
    }
  }

  /**
   * Keeps the connector running for a moment, for a runner that closes a reader only to open the
   * next one from its checkpoint.
   */
  void park() {
    lock.lock();
    try {
      if (state == State.ACTIVE) {
        state = State.PARKED;
        parkedAtNanos = System.nanoTime();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes over a parked session, if it stands where the checkpoint says. */
  boolean adopt(Position position) {
    lock.lock();
    try {
      if (state != State.PARKED || handedOut.elements() != position.elements()) {
        return false;
      }
      state = State.ACTIVE;
      return true;
    } finally {
      lock.unlock();
    }
  }

  boolean isParked() {
    return state == State.PARKED;
  }

  /** Stops the connector and waits for its thread. */
  void close() {
    state = State.STOPPED;
    thread.interrupt();
    try {
      thread.join(STOP_MILLIS);
      if (thread.isAlive()) {
        LOG.warn(
            "The connector of {} does not stop; it is left to itself",
            ConnectorProperties.describe(properties));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (isWanted()) {
        try {
          startTask();
          while (isWanted()) {
            pollTask();
          }
        } catch (InterruptedException e) {
          // Asked to stop; isWanted() knows.
        } catch (Exception e) {
          stopTask();
          // What came before is as good as ever.
          enqueueBatch();
          publishTail();
          retryOrFail(e);
        }
      }
    } catch (InterruptedException e) {
      // Asked to stop between two attempts.
    } catch (IOException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      // Such as a class that is not there: the pipeline must hear of it, not wait for ever.
      fail(ConnectorFailure.toException(e, properties));
    } finally {
      // The wish to stop has been heard; it must not cut short the stopping.
      Thread.interrupted();
      load.close();
      stopTask();
      CheckpointedSchemaHistory.unregister(id);
      LIVE.remove(id);
    }
  }

  private void fail(IOException reason) {
    lock.lock();
    try {
      failure = reason;
    } finally {
      lock.unlock();
    }
  }

  private boolean isWanted() {
    return switch (state) {
      case ACTIVE -> true;
      case STOPPED -> false;
      case PARKED -> {
        lock.lock();
        try {
          if (state == State.PARKED
              && System.nanoTime() - parkedAtNanos
                  > TimeUnit.MILLISECONDS.toNanos(PARKING_MILLIS)) {
            state = State.STOPPED;
          }
          yield state != State.STOPPED;
        } finally {
          lock.unlock();
        }
      }
    };
  }

  private void retryOrFail(Exception e) throws IOException, InterruptedException {
    if (!isWanted()) {
      return;
    }
    if (e instanceof ReloadException reload) {
      throw reload;
    }
    String lost = offsets.isEmpty() ? null : ConnectorFailure.lostLog(e, properties);
    if (lost != null) {
      throw new LogLostException(ConnectorProperties.describe(properties), lost);
    }
    String reason = ConnectorFailure.describe(e, properties);
    int allowed = Integer.parseInt(properties.get(ConnectorProperties.MAX_RETRIES));
    boolean exhausted = allowed >= 0 && failures >= allowed;
    if (!proven || exhausted || !ConnectorFailure.isConnectionLoss(e)) {
      LOG.debug("The connector failed", e);
      throw ConnectorFailure.toException(e, properties);
    }
    long pause = Math.min(LAST_RETRY_MILLIS, FIRST_RETRY_MILLIS << Math.min(failures, Byte.SIZE));
    failures++;
    logDown = true;
    LOG.warn(
        "Lost {}: {}. Trying again in {} ms, attempt {} of {}",
        ConnectorProperties.describe(properties),
        reason,
        pause,
        failures,
        allowed < 0 ? "any number" : allowed);
    Thread.sleep(pause);
  }

  private void startTask() throws Exception {
    boolean begins = clock.phase() == Phase.LOAD && progress().tables().isEmpty();
    if (begins) {
      beginLoad();
    } else if (!loadResumed) {
      loading = clock.phase() == Phase.LOAD;
      continueLoad();
    }
    checkSlot();
    if (clock.phase() == Phase.CATCH_UP && catchUp == null) {
      catchUp = CatchUp.toEndOfLog(properties, connectorClassLoader());
    }
    task =
        ConnectorTask.start(taskProperties(), offsets, decoder.takesRows(), connectorClassLoader());
    // Not sooner: whoever loads anew has to reach the server, too.
    if (begins) {
      requireNothingGivenOut("the connector's own snapshot, which was not done, begins again");
    }
  }

  private void requireNothingGivenOut(String reason) throws LoadInterruptedException {
    if (decoder.takesRows() && tail().elements() > 0) {
      throw LoadInterruptedException.of(ConnectorProperties.describe(properties), reason);
    }
  }

  /** The Postgres connector would make a new slot, and go on from there as if nothing were lost. */
  private void checkSlot() throws Exception {
    String slot = properties.get("slot.name");
    boolean begins = offsets.isEmpty() && !loading;
    if (begins || slot == null) {
      return;
    }
    long lsn =
        offsets.values().stream().mapToLong(ConnectorSession::lastLsn).max().orElse(Long.MAX_VALUE);
    try (SourceDatabase database = SourceDatabase.connect(properties, connectorClassLoader())) {
      String lost = database.lostSlot(slot, lsn);
      if (lost != null) {
        throw new LogLostException(ConnectorProperties.describe(properties), lost);
      }
    } catch (SourceDatabase.UnsuitableException e) {
      LOG.info("Whether the slot {} is there is not known: {}", slot, e.getMessage());
    }
  }

  private static long lastLsn(Map<String, ?> offset) {
    long last = 0;
    for (String name : new String[] {"lsn", "lsn_proc", "lsn_commit"}) {
      if (offset.get(name) instanceof Number lsn) {
        last = Math.max(last, lsn.longValue());
      }
    }
    return last;
  }

  /** From nothing, of which a snapshot of the connector's that was lost has left no more. */
  private void beginLoad() throws SQLException {
    offsets.clear();
    history.clear();
    tablesToLoad = null;
    schemas.clear();
    if (postgres && decoder.takesRows()) {
      // Before anybody reads a row: its log tells of no alteration before the next row of a table.
      tablesOfCatalog(null, null).forEach(table -> schemas.put(table.fullName(), table));
    }
    if (decoder.takesRows() && !loadRefused) {
      tablesToLoad = TableLoader.findTables(properties, connectorClassLoader());
      if (tablesToLoad != null) {
        clock.loadStarted(System.currentTimeMillis());
      }
    }
  }

  /** As a Postgres database has them now: one table, or all. */
  private List<TableSchema> tablesOfCatalog(@Nullable String schema, @Nullable String table)
      throws SQLException {
    try (SourceDatabase database = SourceDatabase.connect(properties, connectorClassLoader())) {
      return database.tablesOfCatalog(schema, table);
    } catch (SourceDatabase.UnsuitableException e) {
      LOG.info(
          "The columns of {} are not known before they are in its log: {}",
          ConnectorProperties.describe(properties),
          e.getMessage());
      return List.of();
    }
  }

  /** Reads what is left of the tables, beside the log. */
  private void continueLoad() throws InterruptedException {
    loadResumed = true;
    if (progress().isDone()) {
      return;
    }
    loadNanos = System.nanoTime();
    long rows = progress().tables().stream().mapToLong(LoadProgress.TableProgress::rows).sum();
    long before = reserveNumbers(rows);
    load.start(before, sequence);
  }

  /** Everything polled from now on outranks the numbers up to then. */
  private long reserveNumbers(long rows) throws InterruptedException {
    enqueueBatch();
    long before = sequence;
    sequence += numbersFor(rows);
    publishTail();
    return before;
  }

  private static long numbersFor(long rows) {
    return Math.max(LEAST_NUMBERS, NUMBERS_PER_ROW * rows);
  }

  private Map<String, String> taskProperties() {
    Map<String, String> effective = new HashMap<>(ConnectorProperties.ofConnector(properties));
    if (clock.phase() == Phase.CATCH_UP || loading || tablesToLoad != null) {
      effective.put(ConnectorProperties.HEARTBEAT, HELD_HEARTBEAT_MILLIS);
    }
    if (tablesToLoad != null || (loading && offsets.isEmpty())) {
      // A Postgres server knows by its slot where the log begins; there may be no offset yet.
      effective.put("snapshot.mode", "no_data");
    }
    return effective;
  }

  private LoadProgress progress() {
    return tail().load();
  }

  /** As other threads have left it. */
  private Position tail() {
    lock.lock();
    try {
      return tail;
    } finally {
      lock.unlock();
    }
  }

  /** Looks after the load of the tables; true if another task has to be started. */
  private boolean loadEnds() throws Exception {
    Exception reason = load.failure();
    if (reason != null) {
      loadFailed(reason);
      return true;
    }
    if (loading && clock.phase() == Phase.LOAD && progress().isDone()) {
      catchUp = CatchUp.toEndOfLog(properties, connectorClassLoader());
      clock.catchUpStarted(System.currentTimeMillis());
      LOG.info(
          "Read the tables of {} in {} ms",
          ConnectorProperties.describe(properties),
          TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - loadNanos));
      publishTail();
    }
    return false;
  }

  private void loadFailed(Exception reason) throws Exception {
    if (!(reason instanceof SourceDatabase.UnsuitableException)) {
      throw reason;
    }
    String altered = "its tables were altered: " + reason.getMessage();
    if (clock.phase() != Phase.LOAD) {
      throw LoadInterruptedException.of(ConnectorProperties.describe(properties), altered);
    }
    requireNothingGivenOut(altered);
    LOG.info(
        "The connector's own snapshot loads {}: {}",
        ConnectorProperties.describe(properties),
        reason.getMessage());
    loadRefused = true;
    loading = false;
    load.close();
    lock.lock();
    try {
      tail = tail.loaded(0, LoadProgress.NONE);
    } finally {
      lock.unlock();
    }
  }

  /** The connector's own, which has the rows of one moment: there is no more to catch up with. */
  private void snapshotEnds() {
    clock.catchUpStarted(System.currentTimeMillis());
    // From now on their columns are followed.
    BiPredicate<String, String> captured = TableLoader.captured(properties);
    for (TableSchema table : schemas.values()) {
      if (captured.test(table.namespace(), table.name())) {
        updateProgress(progress -> progress.created(table));
      }
    }
    schemas.clear();
    caughtUp();
  }

  private void caughtUp() {
    catchUp = null;
    release();
  }

  private void release() {
    if (clock.phase() == Phase.CATCH_UP && catchUp == null && !awaitsCheckpoint) {
      clock.caughtUp(System.currentTimeMillis());
    }
  }

  private static ClassLoader connectorClassLoader() {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    return loader != null ? loader : ConnectorSession.class.getClassLoader();
  }

  private void stopTask() {
    ConnectorTask stopping = task;
    task = null;
    if (stopping != null) {
      stopping.stop();
    }
  }

  private void pollTask() throws Exception {
    List<Offset> safe = acknowledged.getAndSet(null);
    if (safe != null) {
      task.acknowledge(safe);
    }
    if (loadEnds()) {
      stopTask();
      startTask();
      return;
    }
    release();
    CatchUp catchingUp = catchUp;
    if (catchingUp != null) {
      catchingUp.beforePoll(task);
    }
    List<SourceRecord> records = task.poll();
    proven = true;
    long now = System.currentTimeMillis();
    if (records.isEmpty()) {
      if (catchingUp != null && catchingUp.isReachedInSilence(task.silentMillis())) {
        caughtUp();
      }
      clock.idle(now, task.silentMillis());
      publishTail();
      return;
    }
    failures = 0;
    logDown = false;
    // So that a document which comes back outranks its deletion, though this be forgotten: that
    // may have been by another source's number.
    sequence = Math.max(sequence, Position.firstSequence(now));
    for (SourceRecord record : records) {
      accept(record, now);
    }
    enqueueBatch();
    publishTail();
  }

  private void accept(SourceRecord record, long now) throws Exception {
    RecordKind kind = kinds.of(record);
    if (kind == RecordKind.SCHEMA_CHANGE) {
      // A table that is loaded anew, and the offset after this record, belong together.
      enqueueBatch();
    }
    Map<String, ?> before = offsets.get(record.sourcePartition());
    try {
      takeIn(record, now);
    } catch (IOException | SQLException | RuntimeException e) {
      // Who goes on from here must meet the record again.
      if (before == null) {
        offsets.remove(record.sourcePartition());
      } else {
        offsets.put(record.sourcePartition(), before);
      }
      throw e;
    }
  }

  private void takeIn(SourceRecord record, long now) throws Exception {
    if (record.sourceOffset() != null
        && !record.sourceOffset().isEmpty()
        && !isFirstOfTwo(record)) {
      offsets.put(record.sourcePartition(), record.sourceOffset());
    }
    if (catchUp != null && catchUp.isReachedBy(record)) {
      caughtUp();
    }
    switch (kinds.of(record)) {
      case CHANGE -> {
        long time = eventTime((Struct) record.value(), now);
        add(record, time);
        if (isNewSchema(record)) {
          Optional<TableSchema> table = TableSchema.ofRow(record);
          if (table.isPresent()) {
            noticed(table.get());
          }
          if (seenSchemas.size() > MAX_SEEN_SCHEMAS) {
            seenSchemas.clear();
          }
          seenSchemas.put(record.valueSchema(), true);
        }
      }
      case OTHER -> add(record, otherTime(now));
      case MESSAGE -> {
        if (CatchUp.isMarker(record)) {
          task.heardOfServer();
        } else if (!decoder.takesRows()) {
          // Who takes rows takes nothing else.
          add(record, otherTime(now));
        }
      }
      case SNAPSHOT_NOTIFICATION -> notified((Struct) record.value(), now);
      case TRANSACTION -> {
        if ("END".equals(((Struct) record.value()).getWithoutDefault("status"))) {
          clock.transactionEnded();
        }
      }
      case SCHEMA_CHANGE -> {
        add(record, otherTime(now));
        if (decoder.takesRows()) {
          for (TableSchema table : TableSchema.in((Struct) record.value())) {
            described(table);
          }
        }
      }
      case HEARTBEAT -> {}
    }
  }

  /**
   * Whether a row has got another key, and this is the deletion of the old one. What follows, the
   * row under its new key, has the same offset: who went on from there would never be given it.
   */
  private static boolean isFirstOfTwo(SourceRecord record) {
    return record.headers().lastWithName(RelationalChangeRecordEmitter.PK_UPDATE_NEWKEY_FIELD)
        != null;
  }

  /**
   * A table has been created, or has other columns now. The log says nothing of rows that have got
   * a new column's default value, or lost a column; so it is read again, beside the log.
   */
  private void described(TableSchema table) throws LoadInterruptedException {
    if (isSnapshotRunning()) {
      schemas.put(table.fullName(), table);
      return;
    }
    LoadProgress.TableProgress known = progress().find(table.namespace(), table.name());
    if (known == null) {
      if (TableLoader.captured(properties).test(table.namespace(), table.name())) {
        publishTail(progress -> progress.created(table));
      }
    } else if (!table.columns().equals(known.columns())) {
      if (loadRefused) {
        throw LoadInterruptedException.of(
            ConnectorProperties.describe(properties),
            "table " + table.fullName() + " was altered, which its own snapshot has loaded");
      }
      LOG.info(
          "Reading table {}.{} of {} again: its columns have changed",
          table.namespace(),
          table.name(),
          ConnectorProperties.describe(properties));
      long before = sequence;
      sequence += numbersFor(known.rows());
      load.restart(
          table.namespace(),
          table.name(),
          before,
          sequence,
          () ->
              publishTail(
                  progress ->
                      progress.restarted(
                          table.namespace(), table.name(), known.rows(), table.columns())));
    }
  }

  /** Postgres does not tell of a change of columns before it has a row of them. */
  private void noticed(TableSchema table) throws Exception {
    LoadProgress.TableProgress known = progress().find(table.namespace(), table.name());
    if (known != null && TableSchema.isOfCatalog(known.columns())) {
      // The first row since the load. What the log tells does not compare with the catalog.
      List<TableSchema> now = tablesOfCatalog(table.namespace(), table.name());
      if (now.stream().allMatch(found -> found.columns().equals(known.columns()))) {
        updateProgress(progress -> progress.described(table));
        return;
      }
    }
    // The row is older than what is read from now on.
    enqueueBatch();
    described(table);
  }

  private boolean isNewSchema(SourceRecord record) {
    return postgres
        && decoder.takesRows()
        && !isSnapshotRunning()
        && !seenSchemas.containsKey(record.valueSchema());
  }

  /** The connector's own, or its taking of a position in the log. */
  private boolean isSnapshotRunning() {
    return clock.phase() == Phase.LOAD && !loading;
  }

  private long otherTime(long now) {
    return clock.phase() == Phase.LIVE ? clock.logRow(null, now, now) : clock.heldRow();
  }

  private long eventTime(Struct value, long now) {
    Struct source = (Struct) value.getWithoutDefault(Envelope.FieldName.SOURCE);
    switch (clock.phase()) {
      case LOAD -> {
        if (loading || DebeziumChanges.isSnapshot(source)) {
          return clock.heldRow();
        }
        // A connector that does not report the snapshot's end has gone over to the log.
        snapshotEnds();
      }
      case CATCH_UP, LIVE -> {
        // Below.
      }
    }
    if (clock.phase() == Phase.CATCH_UP) {
      return clock.heldRow();
    }
    String transaction = null;
    if (value.schema().field(Envelope.FieldName.TRANSACTION) != null
        && value.getWithoutDefault(Envelope.FieldName.TRANSACTION) instanceof Struct block) {
      transaction = (String) block.getWithoutDefault("id");
    }
    return clock.logRow(transaction, DebeziumChanges.commitMillis(value, source), now);
  }

  private void notified(Struct notification, long now) throws InterruptedException {
    if (!"Initial Snapshot".equals(notification.getWithoutDefault("aggregate_type"))) {
      return;
    }
    switch ((String) notification.getWithoutDefault("type")) {
      case "STARTED" -> {
        if (!loading) {
          clock.loadStarted(now);
        }
      }
      case "COMPLETED", "SKIPPED" -> {
        List<TableLoader.Table> tables = tablesToLoad;
        if (tables != null) {
          tablesToLoad = null;
          loading = true;
          for (TableLoader.Table table : tables) {
            String namespace = table.id().namespace();
            String name = table.id().name();
            TableSchema schema = schemas.get(namespace + "." + name);
            String columns = schema == null ? "" : schema.columns();
            updateProgress(progress -> progress.restarted(namespace, name, table.rows(), columns));
          }
          schemas.clear();
          continueLoad();
        } else if (clock.phase() == Phase.LOAD && !loading) {
          snapshotEnds();
        }
      }
      default -> {
        // Progress within the snapshot.
      }
    }
  }

  private void add(SourceRecord record, long time) throws Exception {
    T element = decoder.decode(record, sequence + 1);
    DeadLetter letter = decoder.takeDeadLetter();
    if (letter != null) {
      letters.add(new CdcBatch.Letter(letter, time));
      batchBytes += CdcBatch.Letter.TYPICAL_BYTES;
    }
    if (element != null) {
      append(element, time);
    } else if (letter != null) {
      countElement();
    }
  }

  /** Numbers tell what has been handed out, so a letter without an element needs one, too. */
  private void countElement() {
    sequence++;
    batchElements++;
  }

  private void append(T element, long time) throws InterruptedException {
    countElement();
    eventMillis[values.size()] = time;
    values.add(element);
    batchBytes += decoder.sizeInBytes(element);
    if (values.size() == MAX_BATCH_ELEMENTS || batchBytes >= MAX_BATCH_BYTES) {
      enqueueBatch();
    }
  }

  private void enqueueBatch() throws InterruptedException {
    if (values.isEmpty() && letters.isEmpty()) {
      return;
    }
    CdcBatch<T> batch = new CdcBatch<>(values, Arrays.copyOf(eventMillis, values.size()), letters);
    long bytes = batchBytes;
    int elements = batchElements;
    values = new ArrayList<>();
    letters = new ArrayList<>();
    batchBytes = 0;
    batchElements = 0;
    lock.lockInterruptibly();
    try {
      awaitRoom();
      enqueue(batch, bytes, position(elements));
    } finally {
      lock.unlock();
    }
  }

  private void awaitRoom() throws InterruptedException {
    awaitUntil(() -> queue.size() < MAX_QUEUED_BATCHES && queuedBytes < MAX_QUEUED_BYTES);
  }

  private void awaitUntil(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      if (!isWanted()) {
        throw new InterruptedException();
      }
      changed.await(100, TimeUnit.MILLISECONDS);
    }
  }

  private void enqueue(CdcBatch<T> batch, long bytes, Position position) {
    queuedBytes += bytes;
    queuedElements += batch.size();
    tail = position;
    // The connector gives little at a time; what has to wait anyway may wait together.
    Entry<T> last = queue.peekLast();
    if (last != null
        && last.batch.size() + batch.size() <= MAX_BATCH_ELEMENTS
        && last.bytes + bytes <= MAX_BATCH_BYTES) {
      queue.removeLast();
      queue.add(new Entry<>(last.batch.plus(batch), last.bytes + bytes, position));
    } else {
      queue.add(new Entry<>(batch, bytes, position));
    }
  }

  private void publishTail() {
    publishTail(UnaryOperator.identity());
  }

  private void publishTail(UnaryOperator<LoadProgress> change) {
    lock.lock();
    try {
      tail = position(0).loaded(0, change.apply(tail.load()));
    } finally {
      lock.unlock();
    }
  }

  /** Where the source stands after so many more elements. */
  private Position position(int moreElements) {
    long elements = tail.elements() + moreElements;
    if (clock.phase() == Phase.LOAD && !loading) {
      return new Position(List.of(), sequence, elements, clock.state(), 0, LoadProgress.NONE);
    }
    List<Offset> current = new ArrayList<>(offsets.size());
    offsets.forEach((partition, offset) -> current.add(new Offset(partition, offset)));
    return new Position(current, sequence, elements, clock.state(), history.size(), tail.load());
  }

  private void updateProgress(UnaryOperator<LoadProgress> change) {
    lock.lock();
    try {
      tail = tail.loaded(0, change.apply(tail.load()));
    } finally {
      lock.unlock();
    }
  }

  /** Takes the rows of the tables, from several threads. */
  private final class LoadSink implements TableLoad.Sink<T> {

    @Override
    public LoadProgress progress() {
      return ConnectorSession.this.progress();
    }

    @Override
    public void update(UnaryOperator<LoadProgress> change) {
      updateProgress(change);
    }

    @Override
    public void rows(List<T> rows, long bytes, UnaryOperator<LoadProgress> change)
        throws InterruptedException {
      lock.lockInterruptibly();
      try {
        awaitRoom();
        if (!isWanted()) {
          throw new InterruptedException();
        }
        Position position = tail.loaded(rows.size(), change.apply(tail.load()));
        if (rows.isEmpty()) {
          tail = position;
          return;
        }
        // Not before what has been told to be over, and not behind what comes next.
        long[] times = new long[rows.size()];
        Arrays.fill(times, tail.clock().nextTime());
        enqueue(new CdcBatch<>(rows, times, new ArrayList<>()), bytes, position);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void awaitGivenOut() throws InterruptedException {
      lock.lockInterruptibly();
      try {
        long given = tail.elements();
        awaitUntil(() -> handedOut.elements() >= given);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public boolean isWanted() {
      return ConnectorSession.this.isWanted();
    }

    @Override
    public void reachable(boolean reachable) {
      tablesDown = !reachable;
    }
  }
}
