package io.widebeam.cdc;

import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.io.debezium.SourceRecordJson;
import org.apache.beam.io.debezium.SourceRecordMapper;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Reads the changes of a database through a Debezium connector, for as long as the pipeline runs.
 *
 * <p>It takes the configuration, the mappers and the connectors of Beam's {@code DebeziumIO}, but
 * keeps the connector running from one bundle to the next, restores it from the runner's
 * checkpoints, and acknowledges to the database only what a checkpoint holds.
 *
 * <pre>{@code
 * PCollection<Change> changes =
 *     pipeline.apply(
 *         "ReadShop",
 *         CdcIO.readChanges()
 *             .withConnectorConfiguration(
 *                 ConnectorConfiguration.create()
 *                     .withConnectorClass(MySqlConnector.class)
 *                     .withHostName("127.0.0.1")
 *                     .withPort("3306")
 *                     .withUsername("cdc")
 *                     .withPassword(password)
 *                     .withConnectionProperty("topic.prefix", "shop")
 *                     .withConnectionProperty("database.include.list", "ECommerceData")));
 * }</pre>
 *
 * <h2>Order and numbers</h2>
 *
 * <p>Changes come in the order of the database's log, and the rows of its tables between them in
 * any order. Of two elements about the same row the one with the greater {@link Change#sequence()}
 * counts: changes of the log have growing numbers, rows that are read from a table have lower ones
 * than every change that is read after the reading began. A reader that goes on from a checkpoint
 * in another process gives higher numbers than the one before it did, to what is read again too.
 *
 * <h2>Initial load</h2>
 *
 * <p>{@link #readChanges()} reads the tables of MySQL, MariaDB and Postgres itself, over JDBC, in
 * chunks of their primary keys and beside the log, which is read from a position taken before the
 * first row. An interrupted load goes on with the chunks that were open. Sources with other
 * settings that shape rows, rarer column types or tables without a primary key are loaded by the
 * connector's own snapshot, which starts over when it is interrupted (and a row deleted between two
 * attempts keeps what the first one said of it); the log says why.
 *
 * <p>A table whose columns change is read again in the same way while the rest goes on: the log
 * says nothing of rows that have got a default value or lost a column. MySQL and MariaDB tell of
 * such a change at once, Postgres with the next row that is changed.
 *
 * <h2>Time</h2>
 *
 * <p>Event times never run back. All rows of the snapshot carry one, as do the changes that the log
 * has of the time it took, and until these are out there is no watermark at all (it is the smallest
 * time there is). A reader that goes on from a checkpoint in another process holds its watermark in
 * the same way until the log has been read to where it ended at its start. After that all rows of a
 * transaction carry one time, and the watermark reaches it when the whole transaction is out. When
 * nothing is left to read, the watermark follows the wall clock. Transactions are known by the
 * connector's transaction metadata ({@code provide.transaction.metadata}, on by default).
 *
 * <h2>Several readers of a database</h2>
 *
 * <p>Each needs a {@code name} of its own, by which state finds its settings when a job is resumed
 * ({@code topic.prefix} if it is left out); on Postgres, a {@code slot.name} as well, and a {@code
 * publication.name} unless the publication is made for all of them.
 *
 * <h2>Settings</h2>
 *
 * <p>Properties that the configuration leaves out get values fit for a live pipeline: a poll
 * interval of 2 ms, no tombstones, no skipped operations, no schema change events, exact values, a
 * heartbeat every 10 s, no TLS to a MySQL or MariaDB server on the same machine, a random {@code
 * database.server.id}. The schema history is kept in the checkpoint: {@code
 * schema.history.internal} and {@code database.history} are not used. Two properties are not the
 * connector's: {@code widebeam.load.threads}, how many connections read the tables at once (half
 * the processors, four at most), and {@code widebeam.load.chunk.rows}, how many rows each reads at
 * a time (16384).
 *
 * <h2>Metrics</h2>
 *
 * <p>In the namespace {@code widebeam}: the counters {@code changes} and {@code
 * snapshotRows.<table>} and the gauges {@code snapshotDone.<name>} (0 or 1), {@code catchingUp} (1
 * while the log of the time of the load or of the interruption is read), {@code live.<name>} (1
 * after both), {@code backlog} (changes read but not yet taken by the pipeline), {@code
 * sourceDown.<name>} (1 while the database cannot be reached), {@code tableRows.<table>} (how many
 * rows the database thinks there are to load) and {@code rowsBefore.<name>.<table>} (how many of
 * them the checkpoint had from which the reader went on; {@code snapshotRows} counts those that
 * came after).
 *
 * <h2>Errors</h2>
 *
 * <p>A lost connection is noticed within seconds and tried again with growing pauses for as long as
 * it takes, or {@code errors.max.retries} times. Where the database has thrown away the log that a
 * reader must go on with, it ends with {@link LogLostException}. Any other failure of the connector
 * fails the pipeline with a message without secrets; so does a change without its row before,
 * naming the database setting that is missing. A value without a representation fails it, too,
 * unless {@link Read#withDeadLetters} takes it.
 *
 * <p>When {@code TRUNCATE}, {@code DROP TABLE} or the like takes all of a table's rows at once,
 * {@link #readChanges()} ends with {@link TableEmptiedException}, which says what to do. Postgres
 * tells its readers of {@code TRUNCATE}, but not of a dropped table. It ends with {@link
 * LoadInterruptedException} where the connector's own snapshot is what loads the tables, and was
 * interrupted, or the columns of a table have changed that nothing else can read.
 */
public final class CdcIO {
  private CdcIO() {}

  /** Reads changes, their rows as BSON. */
  public static Read<Change> readChanges() {
    return new Read<>(
        null,
        new ChangeDecoders(false),
        ChangeCoder.of(),
        CdcSource.Limits.NONE,
        0,
        Map.of(),
        null);
  }

  /**
   * Reads whatever a {@link SourceRecordMapper} makes of the connector's records. The connector's
   * heartbeats, notifications and transaction metadata are not given to the mapper.
   */
  public static <T> Read<T> read() {
    return new Read<>(null, null, null, CdcSource.Limits.NONE, 0, Map.of(), null);
  }

  /** Reads the connector's records as JSON texts, as {@code DebeziumIO.readAsJson} does. */
  public static Read<String> readAsJson() {
    return CdcIO.<String>read()
        .withFormatFunction(new SourceRecordJson.SourceRecordJsonMapper())
        .withCoder(StringUtf8Coder.of());
  }

  /** See {@link CdcIO}. */
  public static final class Read<T> extends PTransform<PBegin, PCollection<T>> {
    private static final long serialVersionUID = 1L;

    @Nullable private final ConnectorConfiguration configuration;
    @Nullable private final RecordDecoder.Factory<T> decoders;
    @Nullable private final Coder<T> coder;
    private final CdcSource.Limits limits;
    private final long generation;
    private final Map<String, String> settings;
    @Nullable private final ErrorHandler<DeadLetter, ?> deadLetters;

    private Read(
        @Nullable ConnectorConfiguration configuration,
        @Nullable RecordDecoder.Factory<T> decoders,
        @Nullable Coder<T> coder,
        CdcSource.Limits limits,
        long generation,
        Map<String, String> settings,
        @Nullable ErrorHandler<DeadLetter, ?> deadLetters) {
      this.configuration = configuration;
      this.decoders = decoders;
      this.coder = coder;
      this.limits = limits;
      this.generation = generation;
      this.settings = settings;
      this.deadLetters = deadLetters;
    }

    /** The connector, where its database is, and any of the connector's properties. Required. */
    public Read<T> withConnectorConfiguration(ConnectorConfiguration configuration) {
      return new Read<>(configuration, decoders, coder, limits, generation, settings, deadLetters);
    }

    /**
     * Makes an element of each of the connector's records; a null is left out. Required by {@link
     * CdcIO#read()}.
     */
    public Read<T> withFormatFunction(SourceRecordMapper<T> mapper) {
      return new Read<>(
          configuration,
          properties -> new MappingDecoder<>(mapper),
          coder,
          limits,
          generation,
          settings,
          deadLetters);
    }

    /** The elements' coder. Required by {@link CdcIO#read()}. */
    public Read<T> withCoder(Coder<T> coder) {
      return new Read<>(configuration, decoders, coder, limits, generation, settings, deadLetters);
    }

    /** Ends the read after so many elements; null, the default, never ends it. */
    public Read<T> withMaxNumberOfRecords(@Nullable Integer elements) {
      return new Read<>(
          configuration,
          decoders,
          coder,
          new CdcSource.Limits(elements, limits.millis()),
          generation,
          settings,
          deadLetters);
    }

    /** Ends the read after so many milliseconds; null, the default, never ends it. */
    public Read<T> withMaxTimeToRun(@Nullable Long millis) {
      return new Read<>(
          configuration,
          decoders,
          coder,
          new CdcSource.Limits(limits.elements(), millis),
          generation,
          settings,
          deadLetters);
    }

    /**
     * Gives every change a number of at least {@code firstSequence}, whatever a checkpoint says;
     * zero, the default, asks for nothing.
     */
    public Read<T> withGeneration(long firstSequence) {
      return new Read<>(
          configuration, decoders, coder, limits, firstSequence, settings, deadLetters);
    }

    /**
     * Says what is made of the changes. A read that goes on from a checkpoint for something that
     * the checkpoint's was not for, or that was another then, ends with {@link
     * StateMismatchException}: nobody would have told it of what was read before.
     *
     * @param views by the name of each, a text that is another when it is altered
     */
    public Read<T> withViews(Map<String, String> views) {
      return with(own -> ConnectorProperties.putViews(views, own));
    }

    /**
     * Whether the watermark waits, at the end of the first load, for a checkpoint to be completed.
     * It has to where a job that fails before its first checkpoint is started over by itself: if
     * something had been written by then, nobody would know what of it was deleted since.
     */
    public Read<T> withReleaseByCheckpoint(boolean waits) {
      return waits ? with(ConnectorProperties::releaseByCheckpoint) : this;
    }

    private Read<T> with(Consumer<Map<String, String>> setting) {
      Map<String, String> more = new HashMap<>(settings);
      setting.accept(more);
      return new Read<>(configuration, decoders, coder, limits, generation, more, deadLetters);
    }

    /**
     * Gives changes with a row that cannot be represented to the handler; without one, they fail
     * the pipeline. To all others such a change is the deletion of its row, if its key can be
     * represented. For {@link CdcIO#readChanges()} only.
     */
    public Read<T> withDeadLetters(ErrorHandler<DeadLetter, ?> handler) {
      return new Read<>(configuration, decoders, coder, limits, generation, settings, handler);
    }

    @Override
    public PCollection<T> expand(PBegin input) {
      CdcSource<T> source = source();
      TupleTag<T> elements = new TupleTag<>("elements");
      TupleTagList others =
          deadLetters == null ? TupleTagList.empty() : TupleTagList.of(ExplodeBatches.DEAD_LETTERS);
      PCollectionTuple outputs =
          input
              .apply("Read", org.apache.beam.sdk.io.Read.from(source))
              .apply(
                  "Explode",
                  ParDo.of(new ExplodeBatches<>(elements)).withOutputTags(elements, others));
      if (deadLetters != null) {
        deadLetters.addErrorCollection(
            outputs.get(ExplodeBatches.DEAD_LETTERS).setCoder(DeadLetterCoder.of()));
      }
      return outputs.get(elements).setCoder(coder);
    }

    /**
     * The connector's properties as they will be used: those given, and the defaults where nothing
     * was given. They contain the password.
     */
    public Map<String, String> connectorProperties() {
      if (configuration == null) {
        throw new IllegalArgumentException("CdcIO: withConnectorConfiguration is required");
      }
      Map<String, String> properties =
          ConnectorProperties.complete(configurationMap(configuration));
      properties.putAll(settings);
      return decoders instanceof ChangeDecoders
          ? ConnectorProperties.withEveryChange(properties)
          : properties;
    }

    /** How many connections read the tables of the initial load at the same time. */
    public int loadThreads() {
      return ConnectorProperties.loadThreads(connectorProperties());
    }

    /** How many rows each of them asks for at a time. */
    public int chunkRows() {
      return ConnectorProperties.chunkRows(connectorProperties());
    }

    CdcSource<T> source() {
      if (decoders == null) {
        throw new IllegalArgumentException("CdcIO: withFormatFunction is required");
      }
      if (coder == null) {
        throw new IllegalArgumentException("CdcIO: withCoder is required");
      }
      return new CdcSource<>(
          JobProperties.of(connectorProperties()), decodersForLetters(), coder, limits, generation);
    }

    private RecordDecoder.Factory<T> decodersForLetters() {
      if (deadLetters == null) {
        return decoders;
      }
      if (!(decoders instanceof ChangeDecoders)) {
        throw new IllegalArgumentException(
            "CdcIO: withDeadLetters is for readChanges(); a mapper decides itself about records"
                + " that it cannot map");
      }
      @SuppressWarnings("unchecked") // These make changes, and so T is Change.
      RecordDecoder.Factory<T> giving = (RecordDecoder.Factory<T>) new ChangeDecoders(true);
      return giving;
    }

    private static Map<String, String> configurationMap(ConnectorConfiguration configuration) {
      try {
        // Left out, it would be set to a class that needs Debezium 1.
        return configuration
            .withConnectionProperty("database.history", "unused")
            .getConfigurationMap();
      } catch (UnsupportedOperationException e) {
        throw new IllegalArgumentException(
            "CdcIO: the map given to withConnectionProperties must be modifiable, such as a HashMap",
            e);
      } catch (NullPointerException e) {
        throw new IllegalArgumentException(
            "CdcIO: the connector configuration must have the connector's class, the host, the"
                + " port, the user name and the password",
            e);
      }
    }

    @Override
    public void populateDisplayData(DisplayData.Builder builder) {
      super.populateDisplayData(builder);
      if (configuration != null) {
        Map<String, String> properties = configurationMap(configuration);
        for (String shown :
            new String[] {
              "connector.class", "database.hostname", "database.port", "topic.prefix"
            }) {
          if (properties.get(shown) != null) {
            builder.add(DisplayData.item(shown, properties.get(shown)));
          }
        }
      }
    }
  }

  /** Makes the decoders of {@link #readChanges()}. */
  private record ChangeDecoders(boolean giveDeadLetters) implements RecordDecoder.Factory<Change> {
    @Override
    public RecordDecoder<Change> create(Map<String, String> properties) {
      return new DebeziumChanges(properties, giveDeadLetters);
    }
  }

  /** Lets a mapper written for {@code DebeziumIO} make the elements. */
  private static final class MappingDecoder<T> implements RecordDecoder<T> {
    /** What a mapped record is taken to weigh in the queue. */
    private static final long TYPICAL_BYTES = 1024;

    private final SourceRecordMapper<T> mapper;

    MappingDecoder(SourceRecordMapper<T> mapper) {
      this.mapper = mapper;
    }

    @Override
    @Nullable
    public T decode(SourceRecord record, long sequence) throws Exception {
      return mapper.mapSourceRecord(record);
    }

    @Override
    public long sizeInBytes(T element) {
      return element instanceof CharSequence text ? 2L * text.length() : TYPICAL_BYTES;
    }
  }
}
