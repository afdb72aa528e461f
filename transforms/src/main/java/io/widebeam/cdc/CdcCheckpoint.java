package io.widebeam.cdc;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.coders.CustomCoder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.json.JsonConverter;

/**
 * Where a reader has got to: enough to go on in another process with nothing lost, nothing read
 * twice, and the same numbers.
 *
 * <p>While the connector itself takes a snapshot, the checkpoint has no offset to go on from: such
 * a snapshot cannot be continued, it starts over. A load beside the log goes on with the chunks
 * that were open.
 */
final class CdcCheckpoint implements UnboundedSource.CheckpointMark {

  /**
   * What the connector last said of one of its partitions.
   *
   * @param partition names the part of the database
   * @param offset where in its log
   */
  record Offset(Map<String, ?> partition, Map<String, ?> offset) {}

  /**
   * Everything that changes from one batch to the next.
   *
   * @param offsets after the batch; empty while the connector's own snapshot runs
   * @param sequence the last number given to a change
   * @param elements how many elements have been handed out since the first start
   * @param clock the event clock after the batch
   * @param historySize how many documents of the schema history were there
   * @param load how far the tables beside the log have been loaded
   */
  record Position(
      List<Offset> offsets,
      long sequence,
      long elements,
      EventClock.State clock,
      int historySize,
      LoadProgress load) {
    private static final int SEQUENCE_BITS = 12;

    static Position start(long nowMillis, long generation) {
      return new Position(
          List.of(),
          Math.max(generation, firstSequence(nowMillis)),
          0,
          // All sources' loads have one time, and it says of which generation they are.
          EventClock.State.fresh(generation > 0 ? millisOf(generation) : nowMillis),
          0,
          LoadProgress.NONE);
    }

    /**
     * This position for a reader that goes on from it after others may have gone further: what they
     * gave out and no checkpoint knows of must not outrank what is read again.
     */
    Position resumed(long nowMillis, long generation) {
      EventClock resumed = new EventClock(clock);
      if (clock.phase() != EventClock.Phase.LOAD) {
        resumed.catchUpStarted(nowMillis);
      }
      return new Position(
          offsets,
          Math.max(sequence, Math.max(generation, firstSequence(nowMillis))),
          elements,
          resumed.state(),
          historySize,
          load);
    }

    /** This position with more elements of the load handed out, and the load further. */
    Position loaded(int moreElements, LoadProgress progress) {
      return new Position(offsets, sequence, elements + moreElements, clock, historySize, progress);
    }

    /**
     * Numbers begin with the time, in units of 1/4096 ms: whatever is read again, or anew, outranks
     * what was written before, even what no checkpoint knows of.
     */
    static long firstSequence(long nowMillis) {
      return nowMillis << SEQUENCE_BITS;
    }

    private static long millisOf(long sequence) {
      return sequence >> SEQUENCE_BITS;
    }
  }

  private final String session;
  private final Position position;
  private final SchemaHistoryLog history;
  private final Map<String, String> views;

  /**
   * @param views what was made of the changes, as {@link CdcIO.Read#withViews} says it
   */
  CdcCheckpoint(
      String session, Position position, SchemaHistoryLog history, Map<String, String> views) {
    this.session = session;
    this.position = position;
    this.history = history;
    this.views = views;
  }

  /** The connector's session, which may still be running in this process. */
  String session() {
    return session;
  }

  Position position() {
    return position;
  }

  /** Makes sure that whoever goes on has nothing that this knows nothing of. */
  void requireViews(Map<String, String> now) throws StateMismatchException {
    List<String> unknown =
        now.keySet().stream().filter(view -> !now.get(view).equals(views.get(view))).toList();
    if (!unknown.isEmpty()) {
      throw new StateMismatchException(unknown);
    }
  }

  /** The schema history, for a reader of its own. */
  SchemaHistoryLog copyHistory() {
    return SchemaHistoryLog.decode(history.encoded(position.historySize()));
  }

  /** Tells the database, through the connector, that it may forget its log up to here. */
  @Override
  public void finalizeCheckpoint() {
    ConnectorSession<?> live = ConnectorSession.find(session);
    if (live != null) {
      live.acknowledge(position.offsets());
    }
  }

  static CheckpointCoder coder() {
    return CheckpointCoder.INSTANCE;
  }

  /** The form kept in runners' state: it must stay readable, so it begins with a version. */
  static final class CheckpointCoder extends CustomCoder<CdcCheckpoint> {
    private static final CheckpointCoder INSTANCE = new CheckpointCoder();
    private static final int VERSION = 5;

    private CheckpointCoder() {}

    @Override
    public void encode(CdcCheckpoint value, OutputStream stream) throws IOException {
      DataOutputStream out = new DataOutputStream(stream);
      Position position = value.position;
      out.writeByte(VERSION);
      out.writeUTF(value.session);
      out.writeLong(position.sequence);
      out.writeLong(position.elements);
      EventClock.State clock = position.clock;
      out.writeUTF(clock.phase().name());
      out.writeLong(clock.stamp());
      out.writeLong(clock.watermark());
      out.writeBoolean(clock.transaction() != null);
      if (clock.transaction() != null) {
        out.writeUTF(clock.transaction());
      }
      out.writeInt(position.offsets.size());
      JsonConverter json = converter();
      for (Offset offset : position.offsets) {
        writeBytes(out, json.fromConnectData("partition", null, offset.partition));
        writeBytes(out, json.fromConnectData("offset", null, offset.offset));
      }
      out.writeInt(position.historySize);
      writeBytes(out, value.history.encoded(position.historySize));
      position.load.encode(out);
      out.writeInt(value.views.size());
      for (Map.Entry<String, String> view : value.views.entrySet()) {
        writeText(out, view.getKey());
        writeText(out, view.getValue());
      }
      out.flush();
    }

    @Override
    public CdcCheckpoint decode(InputStream stream) throws IOException {
      DataInputStream in = new DataInputStream(stream);
      int version = in.readUnsignedByte();
      if (version != VERSION) {
        throw new CoderException(
            "the source's checkpoint has format "
                + version
                + ", this program reads format "
                + VERSION
                + ": go on with the program that wrote it, or start the flow anew");
      }
      String session = in.readUTF();
      long sequence = in.readLong();
      long elements = in.readLong();
      EventClock.Phase phase = EventClock.Phase.valueOf(in.readUTF());
      long stamp = in.readLong();
      long watermark = in.readLong();
      String transaction = in.readBoolean() ? in.readUTF() : null;
      EventClock.State clock = new EventClock.State(phase, stamp, watermark, transaction);
      int count = in.readInt();
      JsonConverter json = converter();
      List<Offset> offsets = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        offsets.add(
            new Offset(
                map(json.toConnectData("partition", readBytes(in))),
                map(json.toConnectData("offset", readBytes(in)))));
      }
      int historySize = in.readInt();
      SchemaHistoryLog history = SchemaHistoryLog.decode(readBytes(in));
      LoadProgress load = LoadProgress.decode(in);
      Map<String, String> views = new HashMap<>();
      for (int i = in.readInt(); i > 0; i--) {
        views.put(readText(in), readText(in));
      }
      return new CdcCheckpoint(
          session,
          new Position(offsets, sequence, elements, clock, historySize, load),
          history,
          views);
    }

    @Override
    public void verifyDeterministic() {}

    /** The format in which Kafka Connect itself keeps offsets. */
    private static JsonConverter converter() {
      JsonConverter json = new JsonConverter();
      json.configure(Map.of("schemas.enable", "false"), false);
      return json;
    }

    private static Map<String, Object> map(@Nullable SchemaAndValue value) {
      Map<String, Object> result = new HashMap<>();
      if (value != null && value.value() instanceof Map<?, ?> map) {
        map.forEach((name, part) -> result.put((String) name, part));
      }
      return result;
    }
  }

  static void writeText(DataOutputStream out, String text) throws IOException {
    writeBytes(out, text.getBytes(StandardCharsets.UTF_8));
  }

  static String readText(DataInputStream in) throws IOException {
    return new String(readBytes(in), StandardCharsets.UTF_8);
  }

  private static void writeBytes(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static byte[] readBytes(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return bytes;
  }
}
