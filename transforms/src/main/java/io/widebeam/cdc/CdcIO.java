package io.widebeam.cdc;

import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.io.debezium.SourceRecordJson;
import org.apache.beam.io.debezium.SourceRecordMapper;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
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
 * <p>Changes come in the order of the database's log. {@link Change#sequence()} grows strictly. A
 * reader that goes on from a checkpoint in another process gives higher numbers than the one before
 * it did, to what is read again too. When an interrupted snapshot starts over, a row deleted
 * between the two attempts keeps what the first one said of it.
 *
 * <h2>Initial load</h2>
 *
 * <p>{@link #readChanges()} reads the tables of MySQL and MariaDB itself, over JDBC, while the
 * connector keeps the log from a position taken before the first row: a row may then come once from
 * its table and again from the log, always with a higher number. Sources with other settings that
 * shape rows, rarer column types or tables without a primary key are loaded by the connector's own
 * snapshot; the log says why.
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
 * <h2>Settings</h2>
 *
 * <p>Properties that the configuration leaves out get values fit for a live pipeline: a poll
 * interval of 2 ms, no tombstones, no skipped operations, no schema change events, exact values, a
 * heartbeat every 10 s, no TLS to a MySQL or MariaDB server on the same machine, a random {@code
 * database.server.id}. The schema history is kept in the checkpoint: {@code
 * schema.history.internal} and {@code database.history} are not used.
 *
 * <h2>Metrics</h2>
 *
 * <p>In the namespace {@code widebeam}: the counters {@code changes} and {@code
 * snapshotRows.<table>} and the gauges {@code snapshotDone} (0 or 1), {@code catchingUp} (1 while
 * the log of the time of the load or of the interruption is read) and {@code backlog} (changes read
 * but not yet taken by the pipeline).
 *
 * <h2>Errors</h2>
 *
 * <p>A lost connection is tried again {@code errors.max.retries} times (30) with growing pauses.
 * Any other failure of the connector fails the pipeline with a message without secrets; so does a
 * change without its row before, naming the database setting that is missing.
 *
 * <p>When {@code TRUNCATE}, {@code DROP TABLE} or the like takes all of a table's rows at once,
 * {@link #readChanges()} ends with {@link TableEmptiedException}, which says what to do. Postgres
 * tells its readers of {@code TRUNCATE}, but not of a dropped table.
 */
public final class CdcIO {
  private CdcIO() {}

  /** Reads changes, their rows as BSON. */
  public static Read<Change> readChanges() {
    return new Read<>(null, new ChangeDecoders(), ChangeCoder.of(), CdcSource.Limits.NONE, 0);
  }

  /**
   * Reads whatever a {@link SourceRecordMapper} makes of the connector's records. The connector's
   * heartbeats, notifications and transaction metadata are not given to the mapper.
   */
  public static <T> Read<T> read() {
    return new Read<>(null, null, null, CdcSource.Limits.NONE, 0);
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

    private Read(
        @Nullable ConnectorConfiguration configuration,
        @Nullable RecordDecoder.Factory<T> decoders,
        @Nullable Coder<T> coder,
        CdcSource.Limits limits,
        long generation) {
      this.configuration = configuration;
      this.decoders = decoders;
      this.coder = coder;
      this.limits = limits;
      this.generation = generation;
    }

    /** The connector, where its database is, and any of the connector's properties. Required. */
    public Read<T> withConnectorConfiguration(ConnectorConfiguration configuration) {
      return new Read<>(configuration, decoders, coder, limits, generation);
    }

    /**
     * Makes an element of each of the connector's records; a null is left out. Required by {@link
     * CdcIO#read()}.
     */
    public Read<T> withFormatFunction(SourceRecordMapper<T> mapper) {
      return new Read<>(
          configuration, properties -> new MappingDecoder<>(mapper), coder, limits, generation);
    }

    /** The elements' coder. Required by {@link CdcIO#read()}. */
    public Read<T> withCoder(Coder<T> coder) {
      return new Read<>(configuration, decoders, coder, limits, generation);
    }

    /** Ends the read after so many elements; null, the default, never ends it. */
    public Read<T> withMaxNumberOfRecords(@Nullable Integer elements) {
      return new Read<>(
          configuration,
          decoders,
          coder,
          new CdcSource.Limits(elements, limits.millis()),
          generation);
    }

    /** Ends the read after so many milliseconds; null, the default, never ends it. */
    public Read<T> withMaxTimeToRun(@Nullable Long millis) {
      return new Read<>(
          configuration,
          decoders,
          coder,
          new CdcSource.Limits(limits.elements(), millis),
          generation);
    }

    /**
     * Gives every change a number of at least {@code firstSequence}, whatever a checkpoint says;
     * zero, the default, asks for nothing.
     */
    public Read<T> withGeneration(long firstSequence) {
      return new Read<>(configuration, decoders, coder, limits, firstSequence);
    }

    @Override
    public PCollection<T> expand(PBegin input) {
      CdcSource<T> source = source();
      return input
          .apply("Read", org.apache.beam.sdk.io.Read.from(source))
          .apply("Explode", ParDo.of(new ExplodeBatches<>()))
          .setCoder(coder);
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
      return decoders instanceof ChangeDecoders
          ? ConnectorProperties.withEveryChange(properties)
          : properties;
    }

    CdcSource<T> source() {
      if (decoders == null) {
        throw new IllegalArgumentException("CdcIO: withFormatFunction is required");
      }
      if (coder == null) {
        throw new IllegalArgumentException("CdcIO: withCoder is required");
      }
      return new CdcSource<>(
          JobProperties.of(connectorProperties()), decoders, coder, limits, generation);
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
  private record ChangeDecoders() implements RecordDecoder.Factory<Change> {
    @Override
    public RecordDecoder<Change> create(Map<String, String> properties) {
      return new DebeziumChanges(properties);
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
