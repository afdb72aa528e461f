package io.widebeam.cdc;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import javax.annotation.Nullable;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells when a connector has read a database's log to where it ended at one moment, and everything
 * before it has been polled. That is known
 *
 * <ul>
 *   <li>of a binlog by the position of a record, or of the connector's client when nothing of
 *       interest follows;
 *   <li>of Postgres by a message that is written to the log at that moment and comes out of it in
 *       its turn, or by whatever comes from behind it (the connector may leave messages out);
 *   <li>elsewhere by silence, which proves nothing, but a connector that has been asked to say
 *       every half second where it is does so while it has something to read.
 * </ul>
 *
 * <p>Not thread-safe.
 */
final class CatchUp {
  private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

  private static final long SILENCE_MILLIS = 2_000;
  private static final long FIRST_SILENCE_MILLIS = 10_000;

  /** When the proof should have come: the connector may read another server than it asks. */
  private static final long LAST_SILENCE_MILLIS = 30_000;

  /**
   * The same, of a connector that has said nothing at all: it may be waiting for its slot, which a
   * Postgres server keeps for a client that is gone for a minute.
   */
  private static final long FIRST_PROOF_MILLIS = 120_000;

  @Nullable private final LogPosition end;
  @Nullable private final String marker;

  /** The position right after the marker. */
  private final long markerLsn;

  private boolean reached;
  private boolean heard;

  private CatchUp(@Nullable LogPosition end, @Nullable String marker, long markerLsn) {
    this.end = end;
    this.marker = marker;
    this.markerLsn = markerLsn;
  }

  /** To where the log ends now; everything that the connection has read is before it. */
  static CatchUp toEndOfLog(SourceDatabase database) throws SQLException {
    if (database.kind().hasBinlog()) {
      return new CatchUp(database.endOfBinlog(), null, 0);
    }
    String marker = UUID.randomUUID().toString();
    return new CatchUp(null, marker, database.writeMarker(marker));
  }

  /** To the end of the log, or to the first silence where nobody can say where that is. */
  static CatchUp toEndOfLog(Map<String, String> properties, ClassLoader classes)
      throws SQLException {
    try (SourceDatabase database = SourceDatabase.connect(properties, classes)) {
      return toEndOfLog(database);
    } catch (SourceDatabase.UnsuitableException | SQLException e) {
      if (e instanceof SQLException sql && ConnectorFailure.isConnectionLoss(sql)) {
        throw sql;
      }
      LOG.info(
          "When {} has caught up with its log is told by silence: {}",
          ConnectorProperties.describe(properties),
          ConnectorFailure.describe(e, properties));
      return new CatchUp(null, null, 0);
    }
  }

  /** Whether a record is one of this program's own messages in Postgres' log. */
  static boolean isMarker(SourceRecord record) {
    return record.value() instanceof Struct value
        && value.schema().field("message") != null
        && value.getWithoutDefault("message") instanceof Struct message
        && SourceDatabase.MARKER_PREFIX.equals(message.getWithoutDefault("prefix"));
  }

  /** Before each poll, with the task that will be polled. */
  void beforePoll(ConnectorTask task) {
    if (end != null) {
      BinlogClient client = task.binlogClient();
      LogPosition position = client == null ? null : client.position();
      reached = position != null && position.compareTo(end) >= 0;
    }
  }

  /** For each record polled: whether everything up to the end has come before it. */
  boolean isReachedBy(SourceRecord record) {
    heard = true;
    if (end != null) {
      LogPosition position =
          record.sourceOffset() == null ? null : LogPosition.of(record.sourceOffset());
      return position != null && position.compareTo(end) >= 0;
    }
    return marker != null && (isOwnMarker(record) || isBehindMarker(record));
  }

  private boolean isOwnMarker(SourceRecord record) {
    return isMarker(record)
        && marker.equals(contentOf(((Struct) record.value()).getStruct("message")));
  }

  /** The log gives transactions in the order of their commits: all before the marker's are out. */
  private boolean isBehindMarker(SourceRecord record) {
    return record.sourceOffset() != null
        && record.sourceOffset().get("lsn") instanceof Long lsn
        && lsn >= markerLsn;
  }

  private static String contentOf(Struct message) {
    byte[] content = message.getBytes("content");
    return content == null ? "" : new String(content, StandardCharsets.UTF_8);
  }

  /**
   * After a poll that gave nothing: whether the log has been read.
   *
   * @param silentMillis how long nothing has come
   */
  boolean isReachedInSilence(long silentMillis) {
    if (reached) {
      return true;
    }
    if (end != null || marker != null) {
      return silentMillis > (heard ? LAST_SILENCE_MILLIS : FIRST_PROOF_MILLIS);
    }
    return silentMillis > (heard ? SILENCE_MILLIS : FIRST_SILENCE_MILLIS);
  }
}
