package io.widebeam.cdc;

import io.debezium.data.Envelope;
import io.widebeam.cdc.RowEncoder.UnsupportedValueException;
import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import java.sql.SQLException;
import java.util.IdentityHashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.bson.RawBsonDocument;

/**
 * Makes a {@link Change} of a Debezium change event, its rows written straight to BSON.
 *
 * <table>
 *   <caption>How a column's values are represented</caption>
 *   <tr><th>column</th><th>BSON</th></tr>
 *   <tr><td>integers up to 32 bits; YEAR</td><td>Int32</td></tr>
 *   <tr><td>integers of 64 bits; BIGINT UNSIGNED</td><td>Int64; Decimal128 beyond its range</td></tr>
 *   <tr><td>DECIMAL, NUMERIC</td><td>Decimal128; a string if it has more than 34 digits</td></tr>
 *   <tr><td>REAL, FLOAT, DOUBLE</td><td>Double (of a 32-bit float: the one with the same shortest
 *       text)</td></tr>
 *   <tr><td>DATE, DATETIME, TIMESTAMP</td><td>DateTime in UTC. BSON knows milliseconds only: finer
 *       digits are cut off, towards the past</td></tr>
 *   <tr><td>TIME</td><td>string {@code [-]HH:mm:ss[.ffffff]}</td></tr>
 *   <tr><td>text, ENUM, SET, UUID, XML, intervals</td><td>string</td></tr>
 *   <tr><td>JSON</td><td>document or array; other JSON values as their text</td></tr>
 *   <tr><td>BIT, BINARY, BLOB, BYTEA</td><td>Binary</td></tr>
 *   <tr><td>BOOLEAN, BIT(1)</td><td>Boolean</td></tr>
 *   <tr><td>arrays; maps; geometry</td><td>array; document; document of {@code wkb}, {@code srid}
 *       </td></tr>
 * </table>
 *
 * <p>MariaDB's JSON is text, in the database as here.
 *
 * <p>Not thread-safe: it remembers the schemas it has seen.
 */
final class DebeziumChanges implements RecordDecoder<Change> {
  /** Every ALTER TABLE brings new schemas; the old ones need not be remembered for ever. */
  private static final int MAX_KNOWN_SCHEMAS = 10_000;

  private static final int CHANGE_OVERHEAD_BYTES = 160;

  private final IdentityHashMap<Schema, TableEncoder> encoders = new IdentityHashMap<>();
  private final BsonBuffer buffer = new BsonBuffer();
  private final Map<String, String> properties;
  private final RowsLostByDdl rowsLost;
  private final boolean givesDeadLetters;
  @Nullable private DeadLetter deadLetter;

  /** What is known of one table in one version of its schema. */
  private static final class TableEncoder {
    private final RowEncoder rows;
    private final boolean postgres;
    private final TableId table;

    /** Whether the server says that its log holds whole rows; null if it was not asked. */
    @Nullable private Boolean fullIdentity;

    TableEncoder(TableId table, Schema envelope, String connector) {
      this.table = table;
      this.postgres = "postgresql".equals(connector);
      this.rows =
          new RowEncoder(
              table.namespace() + "." + table.name(),
              envelope.field(Envelope.FieldName.AFTER).schema());
    }
  }

  /**
   * @param properties the connector's
   * @param givesDeadLetters whether a row that cannot be represented becomes a dead letter; the
   *     decoder throws otherwise
   */
  DebeziumChanges(Map<String, String> properties, boolean givesDeadLetters) {
    this.properties = Map.copyOf(properties);
    this.rowsLost = new RowsLostByDdl(properties);
    this.givesDeadLetters = givesDeadLetters;
  }

  @Override
  @Nullable
  public Change decode(SourceRecord record, long sequence) throws TableEmptiedException {
    if (!(record.value() instanceof Struct value)) {
      return null;
    }
    if (!encoders.containsKey(record.valueSchema())
        && !Envelope.isEnvelopeSchema(record.valueSchema())) {
      schemaChanged(value);
      return null;
    }
    Struct source = (Struct) value.getWithoutDefault(Envelope.FieldName.SOURCE);
    String operation = (String) value.getWithoutDefault(Envelope.FieldName.OPERATION);
    if (source == null || operation == null) {
      return null;
    }
    TableEncoder encoder = encoderFor(record.valueSchema(), source);
    switch (operation) {
      case "r", "c", "u", "d" -> {}
      case "t" -> throw new TableEmptiedException(encoder.table, "was truncated");
      default -> {
        return null;
      }
    }
    Struct before = operation.equals("r") ? null : struct(value, Envelope.FieldName.BEFORE);
    Struct after = operation.equals("d") ? null : struct(value, Envelope.FieldName.AFTER);
    if (before == null && (operation.equals("u") || operation.equals("d"))) {
      throw new MissingRowException(missingRow(encoder, "row before"));
    }
    if (after == null && !operation.equals("d")) {
      throw new MissingRowException(missingRow(encoder, "row after"));
    }
    // Without REPLICA IDENTITY FULL, Postgres gives the row before with its key alone.
    if (before != null
        && encoder.postgres
        && (encoder.rows.lacksRequiredColumn(before)
            || (operation.equals("d")
                && record.keySchema() != null
                && encoder.rows.hasNothingBut(record.keySchema(), before)
                && !hasFullIdentity(encoder)))) {
      throw new MissingRowException(missingRow(encoder, "whole row before"));
    }
    long commitMillis = commitMillis(value, source);
    boolean snapshot = isSnapshot(source);
    try {
      return new Change(
          encoder.table,
          encode(encoder, before),
          encode(encoder, after),
          sequence,
          commitMillis,
          snapshot);
    } catch (UnsupportedValueException e) {
      if (!givesDeadLetters) {
        throw e;
      }
      return readable(encoder, record, before, after, sequence, commitMillis, snapshot);
    }
  }

  /**
   * What can be said of a change one of whose rows cannot be represented. If it is the row after,
   * the change is a dead letter, and to all others a deletion. If it is the row before, that one
   * was a dead letter when it came, and now there is an end to it.
   */
  @Nullable
  private Change readable(
      TableEncoder encoder,
      SourceRecord record,
      @Nullable Struct before,
      @Nullable Struct after,
      long sequence,
      long commitMillis,
      boolean snapshot) {
    RawBsonDocument readableBefore =
        before == null ? null : encoder.rows.encodeReadable(buffer, before);
    RawBsonDocument whole = null;
    RawBsonDocument lost = readableBefore;
    try {
      whole = encode(encoder, after);
    } catch (UnsupportedValueException e) {
      RawBsonDocument readableAfter = encoder.rows.encodeReadable(buffer, after);
      if (lost == null) {
        lost = readableAfter;
      }
      deadLetter =
          new DeadLetter(
              DeadLetter.Stage.READ,
              "",
              encoder.table,
              hasKey(readableAfter, record) ? key(readableAfter, record) : null,
              sequence,
              LogPosition.document(record.sourceOffset()),
              commitMillis,
              e.getMessage(),
              readableBefore,
              readableAfter);
    }
    if (lost != null && !hasKey(lost, record)) {
      lost = null;
    }
    return lost == null && whole == null
        ? null
        : new Change(encoder.table, lost, whole, sequence, commitMillis, snapshot);
  }

  private static boolean hasKey(RawBsonDocument row, SourceRecord record) {
    return record.keySchema() != null
        && record.keySchema().fields().stream()
            .allMatch(column -> row.containsKey(column.name()) && !row.isNull(column.name()));
  }

  private static RawBsonDocument key(RawBsonDocument row, SourceRecord record) {
    return new RawBsonDocument(
        BsonRow.project(
            BsonRow.bytes(row),
            record.keySchema().fields().stream()
                .map(column -> BsonRow.name(column.name()))
                .toArray(byte[][]::new)));
  }

  @Override
  @Nullable
  public DeadLetter takeDeadLetter() {
    DeadLetter taken = deadLetter;
    deadLetter = null;
    return taken;
  }

  private void schemaChanged(Struct value) throws TableEmptiedException {
    if (value.schema().field("tableChanges") == null) {
      return;
    }
    Struct source = (Struct) value.getWithoutDefault(Envelope.FieldName.SOURCE);
    // A snapshot begins by telling of the tables as if it made them.
    if (!isSnapshot(source)) {
      rowsLost.check(value, text(source, "name"));
    }
  }

  /**
   * Asked once in each version of a table's schema, which altering the identity makes a new one of,
   * and only if a row may be without its columns: all that are not of its key are null.
   */
  private boolean hasFullIdentity(TableEncoder encoder) {
    if (encoder.fullIdentity == null) {
      try (SourceDatabase database =
          SourceDatabase.connect(properties, DebeziumChanges.class.getClassLoader())) {
        encoder.fullIdentity =
            database.hasFullIdentity(encoder.table.namespace(), encoder.table.name());
      } catch (SQLException | SourceDatabase.UnsuitableException e) {
        throw new MissingRowException(
            missingRow(encoder, "whole row before, it seems, and the server cannot be asked: ")
                + ConnectorProperties.redact(String.valueOf(e.getMessage()), properties));
      }
    }
    return encoder.fullIdentity;
  }

  @Nullable
  private static Struct struct(Struct value, String field) {
    return (Struct) value.getWithoutDefault(field);
  }

  @Nullable
  private RawBsonDocument encode(TableEncoder encoder, @Nullable Struct row) {
    return row == null ? null : encoder.rows.encode(buffer, row);
  }

  private static String missingRow(TableEncoder encoder, String what) {
    return "A change of table "
        + encoder.table.namespace()
        + "."
        + encoder.table.name()
        + " came without the "
        + what
        + ". "
        + (encoder.postgres
            ? "Set ALTER TABLE "
                + encoder.table.namespace()
                + "."
                + encoder.table.name()
                + " REPLICA IDENTITY FULL"
            : "Set binlog_row_image=FULL on the server")
        + ", then load everything anew (run --fresh).";
  }

  private TableEncoder encoderFor(Schema envelope, Struct source) {
    TableEncoder encoder = encoders.get(envelope);
    String namespace = namespace(source);
    String name = text(source, "table");
    if (encoder == null
        || !encoder.table.name().equals(name)
        || !encoder.table.namespace().equals(namespace)) {
      if (encoders.size() >= MAX_KNOWN_SCHEMAS) {
        encoders.clear();
      }
      encoder =
          new TableEncoder(
              new TableId(text(source, "name"), namespace, name),
              envelope,
              text(source, "connector"));
      encoders.put(envelope, encoder);
    }
    return encoder;
  }

  private static String namespace(Struct source) {
    String schema = text(source, "schema");
    return schema.isEmpty() ? text(source, "db") : schema;
  }

  private static String text(Struct source, String name) {
    Field field = source.schema().field(name);
    Object value = field == null ? null : source.getWithoutDefault(name);
    return value == null ? "" : (String) value;
  }

  /** When the database committed, or for a snapshot row, when the snapshot was taken. */
  static long commitMillis(Struct value, Struct source) {
    Long millis = (Long) source.getWithoutDefault("ts_ms");
    if (millis == null) {
      millis = (Long) value.getWithoutDefault(Envelope.FieldName.TIMESTAMP);
    }
    return millis == null ? System.currentTimeMillis() : millis;
  }

  /** Whether the row is of the first snapshot; a later, incremental one is part of the log. */
  static boolean isSnapshot(Struct source) {
    return switch (text(source, "snapshot")) {
      case "", "false", "incremental" -> false;
      default -> true;
    };
  }

  @Override
  public boolean takesRows() {
    return true;
  }

  @Override
  public Change row(TableId table, RawBsonDocument row, long sequence, long readMillis) {
    return new Change(table, null, row, sequence, readMillis, true);
  }

  @Override
  public long sizeInBytes(Change change) {
    return CHANGE_OVERHEAD_BYTES
        + (long) ChangeCoder.encodedSize(change.before())
        + ChangeCoder.encodedSize(change.after());
  }

  /** A change without the row that a setting of the database should have given it. */
  static final class MissingRowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MissingRowException(String message) {
      super(message);
    }
  }
}
