package io.widebeam.cdc;

import com.github.shyiko.mysql.binlog.BinaryLogClient;
import com.github.shyiko.mysql.binlog.event.Event;
import com.github.shyiko.mysql.binlog.event.EventData;
import com.github.shyiko.mysql.binlog.event.EventHeaderV4;
import com.github.shyiko.mysql.binlog.event.EventType;
import com.github.shyiko.mysql.binlog.event.MariadbGtidEventData;
import com.github.shyiko.mysql.binlog.event.QueryEventData;
import com.github.shyiko.mysql.binlog.event.TableMapEventData;
import com.github.shyiko.mysql.binlog.event.TransactionPayloadEventData;
import com.github.shyiko.mysql.binlog.event.XAPrepareEventData;
import io.debezium.connector.binlog.BinlogOffsetContext;
import io.debezium.connector.binlog.BinlogStreamingChangeEventSource;
import io.debezium.connector.common.BaseSourceTask;
import io.debezium.pipeline.ChangeEventSourceCoordinator;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiPredicate;
import javax.annotation.Nullable;
import org.apache.kafka.connect.source.SourceTask;

/**
 * Sees every event of a binary log right before the MySQL or MariaDB connector does, and minds two
 * things that the connector (Debezium 3.5) does not:
 *
 * <ul>
 *   <li>It passes over events that it cannot read, and over statements that stand for rows. Here
 *       they hold up the log: nothing comes after, and {@link #failure} says why.
 *   <li>It knows a transaction's end by its commit only. MariaDB begins one for every statement
 *       such as {@code CREATE TABLE}, which has none; from there on the connector would count all
 *       that comes, be it a server's sign of life, as events of the transaction, and a resume would
 *       skip as many. So its offset is told of these ends.
 * </ul>
 *
 * <p>The connector does not show its client, so this reaches into the task.
 */
final class BinlogWatch {
  /** Events may have been read that were not seen. */
  static final class TooLateException extends IOException {
    private static final long serialVersionUID = 1L;

    private TooLateException() {
      super("the log was read before it was watched");
    }
  }

  private static final String ANEW = ", then load everything anew (run --fresh)";

  /** In the header of an event that whoever does not know it may leave alone. */
  private static final int IGNORABLE = 0x80;

  private static final int MAX_KNOWN_TABLES = 10_000;

  /** Where in the log the last event was. */
  private enum Group {
    /** Between two transactions. */
    NONE,
    /** In one, whose first statement tells what ends it. */
    BEGUN,
    /** In one that a commit ends. */
    TRANSACTION,
    /** In one of MySQL's that its {@code XA PREPARE} ends; the connector does not notice it. */
    XA
  }

  private final Map<String, String> properties;
  private final boolean takesRows;
  private final ChangeEventSourceCoordinator<?, ?> coordinator;
  private final BinaryLogClient client;
  private final BiPredicate<String, String> capturedTable;
  private final Map<String, Boolean> knownTables = new HashMap<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  @Nullable private volatile Exception failure;

  // The client thread's own.
  private Group group = Group.NONE;
  private boolean groupEnds;
  private boolean groupIsCaptured;

  private BinlogWatch(
      Map<String, String> properties,
      boolean takesRows,
      ChangeEventSourceCoordinator<?, ?> coordinator,
      BinaryLogClient client) {
    this.properties = properties;
    this.takesRows = takesRows;
    this.coordinator = coordinator;
    this.client = client;
    this.capturedTable = TableLoader.captured(properties);
  }

  /**
   * Watches what a started task reads, from its first event.
   *
   * @param before the task's watch so far: the task may have started over by itself
   * @param takesRows whether tables that have lost all their rows end the read
   * @return null of a task that does not run yet
   * @throws TooLateException if the task was quicker, and has to be started again
   */
  @Nullable
  static BinlogWatch of(
      SourceTask task,
      @Nullable BinlogWatch before,
      Map<String, String> properties,
      boolean takesRows)
      throws TooLateException {
    try {
      if (!(valueOf(BaseSourceTask.class, "coordinator", task)
          instanceof ChangeEventSourceCoordinator<?, ?> coordinator)) {
        return null;
      }
      if (before != null && before.coordinator == coordinator) {
        return before;
      }
      Object factory =
          valueOf(ChangeEventSourceCoordinator.class, "changeEventSourceFactory", coordinator);
      BinaryLogClient client =
          (BinaryLogClient) valueOf(factory.getClass(), "binaryLogClient", factory);
      BinlogWatch watch = new BinlogWatch(properties, takesRows, coordinator, client);
      client.registerEventListener(watch::onEvent);
      if (client.isConnected()) {
        throw new TooLateException();
      }
      return watch;
    } catch (ReflectiveOperationException | ClassCastException e) {
      throw new IllegalStateException(
          "This connector is not as Debezium 3.5's: what it reads cannot be watched", e);
    }
  }

  private static Object valueOf(Class<?> type, String name, Object owner)
      throws ReflectiveOperationException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field.get(owner);
  }

  /** Why the log is held up; null if it is not. All events before it have been read by then. */
  @Nullable
  Exception failure() {
    return failure;
  }

  /** Lets a held up log go, for its task to stop. */
  void stop() {
    stopped.countDown();
  }

  private void onEvent(Event event) {
    Exception found;
    try {
      EventHeaderV4 header = event.getHeader();
      found = look(event, header.getPosition(), header.getEventLength());
    } catch (RuntimeException e) {
      // The client would pass over it.
      found = e;
    }
    if (found != null) {
      failure = found;
      try {
        stopped.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Nullable
  private Exception look(Event event, long position, long length) {
    if (groupEnds) {
      groupEnds = false;
      group = Group.NONE;
      offset().commitTransaction();
    }
    if (group == Group.XA) {
      // A resume begins with the group, for the connector does not skip in it.
      offset().setInitialSkips(0, 0);
    }
    EventHeaderV4 header = event.getHeader();
    EventData data = event.getData();
    EventType type = header.getEventType();
    switch (type) {
      case GTID, ANONYMOUS_GTID -> begin(Group.BEGUN);
      case MARIADB_GTID -> {
        int flags = ((MariadbGtidEventData) data).getFlags();
        boolean standalone = (flags & MariadbGtidEventData.FL_STANDALONE) != 0;
        begin(standalone ? Group.BEGUN : Group.TRANSACTION);
      }
      case QUERY -> {
        QueryEventData query = (QueryEventData) data;
        if (isInGroup(query.getSql().strip(), position, length)) {
          return effect(query, position);
        }
      }
      case TABLE_MAP -> groupIsCaptured |= isCaptured((TableMapEventData) data);
      case XID -> group = Group.NONE;
      case XA_PREPARE -> {
        if (groupIsCaptured && !((XAPrepareEventData) data).isOnePhase()) {
          return unreadable(
              "a transaction in two phases (XA PREPARE), of which nobody knows whether it will be"
                  + " committed",
              position,
              "Change these tables without XA, or with XA COMMIT ... ONE PHASE" + ANEW);
        }
        groupEnds = true;
      }
      case TRANSACTION_PAYLOAD -> {
        for (Event inner : ((TransactionPayloadEventData) data).getUncompressedEvents()) {
          Exception found = look(inner, position, length);
          if (found != null) {
            return found;
          }
        }
      }
      case PARTIAL_UPDATE_ROWS_EVENT -> {
        if (groupIsCaptured) {
          return unreadable(
              "a row with parts of its JSON values",
              position,
              "Leave binlog_row_value_options empty on the server and for whoever sets it in his"
                  + " session"
                  + ANEW);
        }
      }
      case BEGIN_LOAD_QUERY, EXECUTE_LOAD_QUERY -> {
        return statement("LOAD DATA", position);
      }
      case UNKNOWN -> {
        if (group != Group.NONE && (header.getFlags() & IGNORABLE) == 0) {
          return unreadable(
              "changes in a form that the connector does not know, such as MariaDB's compressed"
                  + " events",
              position,
              "Set log_bin_compress=OFF on the server, for good" + ANEW);
        }
      }
      default -> {
        // Nothing, or what the connector minds.
      }
    }
    return null;
  }

  private void begin(Group begun) {
    group = begun;
    groupIsCaptured = false;
  }

  /** Whether a statement is one of its group, and not what begins it, or ends it. */
  private boolean isInGroup(String sql, long position, long length) {
    String start = sql.substring(0, Math.min(sql.length(), 16)).toUpperCase(Locale.ROOT);
    if (start.equals("BEGIN")) {
      begin(Group.TRANSACTION);
      return false;
    }
    if (start.equals("COMMIT")) {
      group = Group.NONE;
      return false;
    }
    if (start.startsWith("XA START") || start.startsWith("XA BEGIN")) {
      if (group != Group.TRANSACTION) {
        begin(Group.XA);
        offset().setEventPosition(position, length);
        offset().startNextTransaction();
      }
      return false;
    }
    if (start.startsWith("XA COMMIT") || start.startsWith("XA ROLLBACK")) {
      groupEnds = true;
      return false;
    }
    groupEnds = group == Group.NONE || group == Group.BEGUN;
    return true;
  }

  @Nullable
  private Exception effect(QueryEventData query, long position) {
    LoggedStatement.Effect effect =
        LoggedStatement.effect(query.getDatabase(), query.getSql(), this::isCaptured);
    if (effect == null) {
      return null;
    }
    LoggedStatement.Name table = effect.table();
    if (!effect.replaced()) {
      return statement(effect.verb() + " of " + table, position);
    }
    return takesRows
        ? new TableEmptiedException(
            new io.widebeam.change.TableId(
                properties.get(ConnectorProperties.TOPIC_PREFIX), table.database(), table.table()),
            effect.verb())
        : null;
  }

  private Exception statement(String what, long position) {
    return unreadable(
        "a statement instead of the rows that it changed (" + what + ")",
        position,
        "Set binlog_format=ROW on the server and for whoever sets it in his session" + ANEW);
  }

  private Exception unreadable(String what, long position, String remedy) {
    return new IllegalStateException(
        "the log has, in "
            + client.getBinlogFilename()
            + " at "
            + position
            + ", "
            + what
            + ". "
            + remedy);
  }

  private boolean isCaptured(TableMapEventData table) {
    return isCaptured(table.getDatabase(), table.getTable());
  }

  private boolean isCaptured(String database, String table) {
    if (knownTables.size() > MAX_KNOWN_TABLES) {
      knownTables.clear();
    }
    return knownTables.computeIfAbsent(
        database + "." + table, name -> capturedTable.test(database, table));
  }

  /** What the connector says of where it is; of this thread, for it is the one that reads. */
  private BinlogOffsetContext<?> offset() {
    return Objects.requireNonNull(
        ((BinlogStreamingChangeEventSource<?, ?>) coordinator.getStreamingSource().orElseThrow())
            .getOffsetContext());
  }
}
