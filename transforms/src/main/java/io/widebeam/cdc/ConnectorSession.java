package io.widebeam.cdc;

import io.debezium.data.Envelope;
import io.widebeam.cdc.CdcCheckpoint.Offset;
import io.widebeam.cdc.CdcCheckpoint.Position;
import io.widebeam.cdc.EventClock.Phase;
import io.widebeam.deadletter.DeadLetter;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.annotation.Nullable;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;
import org.apache.kafka.connect.source.SourceTaskContext;
import org.apache.kafka.connect.storage.OffsetStorageReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running connector task, and the thread that polls it into a bounded queue of batches. The task
 * lives from its start to {@link #close}, whatever the runner does with its bundles meanwhile.
 *
 * <p>When the connection to the database is lost, the thread starts a new task where the last one
 * stopped, with growing pauses, as often as {@code errors.max.retries} allows. Any other failure
 * ends the session; {@link #poll} throws it once the queue is empty.
 *
 * <p>Where a {@link TableLoader} can read the tables, the connector's snapshot takes but a position
 * in the log; this thread reads the tables, and then takes up the log from there. Its changes up to
 * where the log was when the tables had been read have the snapshot's time.
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

  /** A connector left alone for longer is started anew: the server would not wait for ever. */
  private static final long ALONE_MILLIS = 20_000;

  /**
   * How often the connector says where it is while there is something to catch up with: so a longer
   * silence means that there is nothing.
   */
  private static final String HELD_HEARTBEAT_MILLIS = "500";

  /**
   * A server that has sent no sign of life for so long, nor for several of its intervals, is gone.
   */
  private static final long DEAF_MILLIS = 10_000;

  private static final long DEAF_INTERVALS = 3;

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

  /** What a record is, as its schema tells. */
  private enum Kind {
    CHANGE,
    SNAPSHOT_NOTIFICATION,
    HEARTBEAT,
    TRANSACTION,
    MESSAGE,
    OTHER
  }

  /** How far the load of the tables beside the log is. */
  private enum Load {
    /** It is done, or the connector's. */
    NONE,
    /** The connector is about to take the position in the log. */
    POSITION,
    /** The tables are being read. */
    TABLES
  }

  private final String id = UUID.randomUUID().toString();
  private final Map<String, String> properties;
  private final RecordDecoder<T> decoder;
  private final SchemaHistoryLog history;
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
  @Nullable private volatile TableLoader loader;

  // The thread's own.
  private final IdentityHashMap<Schema, Kind> kinds = new IdentityHashMap<>();
  private final Map<Map<String, ?>, Map<String, ?>> offsets = new LinkedHashMap<>();
  private final EventClock clock;
  private long sequence;
  private long elements;
  private long lastRecordNanos = System.nanoTime();
  private boolean everPolled;
  private boolean connected;
  private int failures;
  private Load load = Load.NONE;
  private boolean loadRefused;
  private long loadNanos;
  @Nullable private CatchUp catchUp;
  @Nullable private SourceConnector connector;
  @Nullable private SourceTask task;

  private List<T> values = new ArrayList<>();
  private List<CdcBatch.Letter> letters = new ArrayList<>();
  private long[] eventMillis = new long[MAX_BATCH_ELEMENTS];
  private long batchBytes;

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
    this.handedOut = start;
    this.clock = new EventClock(start.clock());
    this.elements = start.elements();
    this.sequence = start.sequence();
    start.offsets().forEach(offset -> offsets.put(offset.partition(), offset.offset()));
    this.thread = new Thread(this::run, "cdc-" + properties.get(ConnectorProperties.TOPIC_PREFIX));
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
      } else if (failure instanceof TableEmptiedException emptied) {
        throw emptied;
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

  /** Tells the database, at the next poll, that everything up to the offsets is safe. */
  void acknowledge(List<Offset> safe) {
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
    TableLoader loading = loader;
    if (loading != null) {
      loading.abort();
    }
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
          closeLoader();
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
      closeLoader();
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
    if (e instanceof TableEmptiedException emptied) {
      throw emptied;
    }
    String reason = ConnectorFailure.describe(e, properties);
    int allowed = Integer.parseInt(properties.get(ConnectorProperties.MAX_RETRIES));
    boolean exhausted = allowed >= 0 && failures >= allowed;
    if (!everPolled || exhausted || !ConnectorFailure.isConnectionLoss(e)) {
      LOG.debug("The connector failed", e);
      throw ConnectorFailure.toException(e, properties);
    }
    long pause = Math.min(LAST_RETRY_MILLIS, FIRST_RETRY_MILLIS << Math.min(failures, Byte.SIZE));
    failures++;
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
    if (load == Load.TABLES) {
      // Interrupted before. The position stays, and so does all that was deleted since.
      loadTables();
    }
    if (clock.phase() == Phase.LOAD) {
      offsets.clear();
      history.clear();
      load = Load.NONE;
      if (decoder.takesRows() && !loadRefused) {
        loader = TableLoader.open(properties, connectorClassLoader());
        if (loader != null) {
          load = Load.POSITION;
          clock.loadStarted(System.currentTimeMillis());
        }
      }
    } else if (clock.phase() == Phase.CATCH_UP && catchUp == null) {
      catchUp = CatchUp.toEndOfLog(properties, connectorClassLoader());
    }
    Map<String, String> effective = effectiveProperties();
    connector =
        Class.forName(
                properties.get(ConnectorProperties.CONNECTOR_CLASS), true, connectorClassLoader())
            .asSubclass(SourceConnector.class)
            .getDeclaredConstructor()
            .newInstance();
    connector.start(effective);
    task = (SourceTask) connector.taskClass().getDeclaredConstructor().newInstance();
    task.initialize(new Context(effective));
    task.start(connector.taskConfigs(1).get(0));
    QuietMetrics.install(task);
    connected = false;
    lastRecordNanos = System.nanoTime();
  }

  private Map<String, String> effectiveProperties() {
    if (load == Load.NONE && clock.phase() != Phase.CATCH_UP) {
      return properties;
    }
    Map<String, String> effective = new HashMap<>(properties);
    effective.put("heartbeat.interval.ms", HELD_HEARTBEAT_MILLIS);
    if (load == Load.POSITION) {
      effective.put("snapshot.mode", "no_data");
    }
    return effective;
  }

  /**
   * Reads all tables. It leaves no task if the one that was there has been alone for too long, or
   * must be started in another way.
   */
  private void loadTables() throws Exception {
    loadNanos = System.nanoTime();
    long before = elements;
    try {
      TableLoader tables = loader;
      if (tables == null) {
        tables = TableLoader.connect(properties, connectorClassLoader());
        loader = tables;
      }
      for (TableLoader.Table table : tables.tables()) {
        long readMillis = System.currentTimeMillis();
        tables.read(
            table,
            row -> append(decoder.row(table.id(), row, sequence + 1, readMillis), clock.heldRow()));
        enqueueBatch();
        publishTail();
      }
      catchUp = CatchUp.toEndOfLog(tables.database());
    } catch (SourceDatabase.UnsuitableException | RowEncoder.UnsupportedValueException e) {
      // The tables were altered meanwhile, or hold what only the connector can make something of.
      LOG.info(
          "The connector's own snapshot loads {}: {}",
          ConnectorProperties.describe(properties),
          e.getMessage());
      loadRefused = true;
      load = Load.NONE;
      closeLoader();
      stopTask();
      return;
    }
    closeLoader();
    LOG.info(
        "Read {} rows of {} in {} ms",
        elements - before,
        ConnectorProperties.describe(properties),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - loadNanos));
    load = Load.NONE;
    clock.catchUpStarted(System.currentTimeMillis());
    lastRecordNanos = System.nanoTime();
    publishTail();
    if (isAloneForTooLong()) {
      stopTask();
    }
  }

  private boolean isAloneForTooLong() {
    return System.nanoTime() - loadNanos > TimeUnit.MILLISECONDS.toNanos(ALONE_MILLIS);
  }

  private void closeLoader() {
    TableLoader open = loader;
    loader = null;
    if (open != null) {
      open.close();
    }
  }

  private void caughtUp() {
    catchUp = null;
    clock.caughtUp();
  }

  private static ClassLoader connectorClassLoader() {
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    return loader != null ? loader : ConnectorSession.class.getClassLoader();
  }

  private void stopTask() {
    // The connector's own waiting in stop() must not be cut short by the wish to stop it.
    Thread.interrupted();
    try {
      if (task != null) {
        task.stop();
      }
      if (connector != null) {
        connector.stop();
      }
    } catch (RuntimeException e) {
      LOG.warn(
          "Stopping the connector of {}: {}",
          ConnectorProperties.describe(properties),
          ConnectorFailure.describe(e, properties));
    } finally {
      task = null;
      connector = null;
    }
  }

  private void pollTask() throws Exception {
    List<Offset> safe = acknowledged.getAndSet(null);
    if (safe != null) {
      for (Offset offset : safe) {
        task.commitRecord(
            new SourceRecord(offset.partition(), offset.offset(), "", null, null), null);
      }
      task.commit();
    }
    CatchUp catchingUp = catchUp;
    if (catchingUp != null) {
      catchingUp.beforePoll(task);
    }
    List<SourceRecord> records = task.poll();
    everPolled = true;
    if (records == null || records.isEmpty()) {
      long silentMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - lastRecordNanos);
      if (catchingUp != null && catchingUp.isReachedInSilence(silentMillis)) {
        caughtUp();
      }
      checkConnection(silentMillis);
      clock.idle(System.currentTimeMillis(), silentMillis);
      publishTail();
      return;
    }
    failures = 0;
    lastRecordNanos = System.nanoTime();
    long now = System.currentTimeMillis();
    for (SourceRecord record : records) {
      accept(record, now);
      if (load == Load.TABLES) {
        loadTables();
        if (task == null) {
          // What is left of the records will come again.
          startTask();
          return;
        }
        now = System.currentTimeMillis();
      }
    }
    enqueueBatch();
    publishTail();
  }

  /**
   * The connector does not notice when the server of a binlog goes away. (Its own watchdog, if it
   * is on, asks once a minute, and disturbs a client that has to wait for the pipeline.)
   */
  private void checkConnection(long silentMillis) throws IOException {
    BinlogClient client = BinlogClient.of(task);
    if (client == null) {
      return;
    }
    boolean before = connected;
    connected = client.isConnected();
    if (before && !connected) {
      throw new IOException("the server has closed the connection");
    }
    long patience =
        Math.max(
            DEAF_MILLIS,
            DEAF_INTERVALS * Long.parseLong(properties.get(ConnectorProperties.SIGN_OF_LIFE)));
    if (connected
        && silentMillis > patience
        && System.currentTimeMillis() - client.lastHeardMillis() > patience) {
      throw new IOException("the server has not been heard of for " + patience + " ms");
    }
  }

  private void accept(SourceRecord record, long now) throws Exception {
    Map<String, ?> before = offsets.get(record.sourcePartition());
    try {
      takeIn(record, now);
    } catch (TableEmptiedException | RuntimeException e) {
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
    if (record.sourceOffset() != null && !record.sourceOffset().isEmpty()) {
      offsets.put(record.sourcePartition(), record.sourceOffset());
    }
    if (catchUp != null && catchUp.isReachedBy(record)) {
      caughtUp();
    }
    switch (kindOf(record)) {
      case CHANGE -> {
        long time = eventTime((Struct) record.value(), now);
        add(record, time);
      }
      case OTHER -> add(record, otherTime(now));
      case MESSAGE -> {
        // Who takes rows takes nothing else.
        if (!decoder.takesRows() && !CatchUp.isMarker(record)) {
          add(record, otherTime(now));
        }
      }
      case SNAPSHOT_NOTIFICATION -> notified((Struct) record.value(), now);
      case TRANSACTION -> {
        if ("END".equals(((Struct) record.value()).getWithoutDefault("status"))) {
          clock.transactionEnded();
        }
      }
      case HEARTBEAT -> {}
    }
  }

  private long otherTime(long now) {
    return clock.phase() == Phase.LIVE ? clock.logRow(null, now, now) : clock.heldRow();
  }

  private long eventTime(Struct value, long now) {
    Struct source = (Struct) value.getWithoutDefault(Envelope.FieldName.SOURCE);
    switch (clock.phase()) {
      case LOAD -> {
        if (DebeziumChanges.isSnapshot(source)) {
          return clock.heldRow();
        }
        // A connector that does not report the snapshot's end has gone over to the log.
        clock.caughtUp();
      }
      case CATCH_UP -> {
        return clock.heldRow();
      }
      case LIVE -> {
        // Below.
      }
    }
    String transaction = null;
    if (value.schema().field(Envelope.FieldName.TRANSACTION) != null
        && value.getWithoutDefault(Envelope.FieldName.TRANSACTION) instanceof Struct block) {
      transaction = (String) block.getWithoutDefault("id");
    }
    return clock.logRow(transaction, DebeziumChanges.commitMillis(value, source), now);
  }

  private void notified(Struct notification, long now) {
    if (!"Initial Snapshot".equals(notification.getWithoutDefault("aggregate_type"))) {
      return;
    }
    switch ((String) notification.getWithoutDefault("type")) {
      case "STARTED" -> clock.loadStarted(now);
      case "COMPLETED", "SKIPPED" -> {
        switch (load) {
          case NONE -> {
            if (clock.phase() == Phase.LOAD) {
              clock.caughtUp();
            }
          }
          case POSITION -> load = Load.TABLES;
          case TABLES -> {
            // The tables decide.
          }
        }
      }
      default -> {
        // Progress within the snapshot.
      }
    }
  }

  private Kind kindOf(SourceRecord record) {
    Schema schema = record.valueSchema();
    if (schema == null) {
      return Kind.OTHER;
    }
    Kind kind = kinds.get(schema);
    if (kind == null) {
      String name = schema.name() == null ? "" : schema.name();
      if (ConnectorProperties.NOTIFICATION_TOPIC.equals(record.topic())) {
        kind = Kind.SNAPSHOT_NOTIFICATION;
      } else if (Envelope.isEnvelopeSchema(schema)) {
        kind = Kind.CHANGE;
      } else if (name.endsWith(".Heartbeat")) {
        kind = Kind.HEARTBEAT;
      } else if (name.endsWith(".TransactionMetadataValue")) {
        kind = Kind.TRANSACTION;
      } else if (name.endsWith(".MessageValue")) {
        kind = Kind.MESSAGE;
      } else {
        kind = Kind.OTHER;
      }
      if (kinds.size() > 10_000) {
        kinds.clear();
      }
      kinds.put(schema, kind);
    }
    return kind;
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
    elements++;
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
    Entry<T> entry = new Entry<>(batch, batchBytes, position());
    values = new ArrayList<>();
    letters = new ArrayList<>();
    batchBytes = 0;
    if (load == Load.TABLES && !isWanted()) {
      throw new InterruptedException();
    }
    lock.lockInterruptibly();
    try {
      while (queue.size() >= MAX_QUEUED_BATCHES || queuedBytes >= MAX_QUEUED_BYTES) {
        if (!isWanted()) {
          throw new InterruptedException();
        }
        changed.await(100, TimeUnit.MILLISECONDS);
      }
      // The connector gives little at a time; what has to wait anyway may wait together.
      Entry<T> last = queue.peekLast();
      if (last != null
          && last.batch.size() + batch.size() <= MAX_BATCH_ELEMENTS
          && last.bytes + entry.bytes <= MAX_BATCH_BYTES) {
        queue.removeLast();
        queue.add(new Entry<>(last.batch.plus(batch), last.bytes + entry.bytes, entry.position));
      } else {
        queue.add(entry);
      }
      tail = entry.position;
      queuedBytes += entry.bytes;
      queuedElements += batch.size();
    } finally {
      lock.unlock();
    }
  }

  private void publishTail() {
    Position position = position();
    lock.lock();
    try {
      tail = position;
    } finally {
      lock.unlock();
    }
  }

  private Position position() {
    if (clock.phase() == Phase.LOAD) {
      return new Position(List.of(), sequence, elements, clock.state(), 0);
    }
    List<Offset> current = new ArrayList<>(offsets.size());
    offsets.forEach((partition, offset) -> current.add(new Offset(partition, offset)));
    return new Position(current, sequence, elements, clock.state(), history.size());
  }

  /** Gives the connector the offsets that it last reported itself. */
  private final class Context implements SourceTaskContext, OffsetStorageReader {
    private final Map<String, String> configuration;

    Context(Map<String, String> configuration) {
      this.configuration = configuration;
    }

    @Override
    public Map<String, String> configs() {
      return configuration;
    }

    @Override
    public OffsetStorageReader offsetStorageReader() {
      return this;
    }

    @Override
    public PluginMetrics pluginMetrics() {
      throw new UnsupportedOperationException("connectors do not report metrics here");
    }

    @Override
    @Nullable
    public <V> Map<String, Object> offset(Map<String, V> partition) {
      Map<String, ?> offset = offsets.get(partition);
      return offset == null ? null : new HashMap<>(offset);
    }

    @Override
    public <V> Map<Map<String, V>, Map<String, Object>> offsets(
        Collection<Map<String, V>> partitions) {
      Map<Map<String, V>, Map<String, Object>> found = new HashMap<>();
      for (Map<String, V> partition : partitions) {
        found.put(partition, offset(partition));
      }
      return found;
    }
  }
}
