package io.widebeam.cdc;

import io.debezium.data.Envelope;
import io.widebeam.change.BsonBuffer;
import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
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
 * <p>Debezium 3.5 misreads, from the log alone, the UUID columns of MariaDB whose last byte is
 * zero: the bytes are shifted. MariaDB's JSON is text, in the database as here.
 *
 * <p>Not thread-safe: it remembers the schemas it has seen.
 */
final class DebeziumChanges implements RecordDecoder<Change> {
  /** Every ALTER TABLE brings new schemas; the old ones need not be remembered for ever. */
  private static final int MAX_KNOWN_SCHEMAS = 10_000;

  private static final int CHANGE_OVERHEAD_BYTES = 160;

  private final IdentityHashMap<Schema, TableEncoder> encoders = new IdentityHashMap<>();
  private final BsonBuffer buffer = new BsonBuffer();
  private final RowsLostByDdl rowsLost;

  /** What is known of one table in one version of its schema. */
  private static final class TableEncoder {
    private final RowEncoder rows;
    private final boolean postgres;
    private final TableId table;

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
   */
  DebeziumChanges(Map<String, String> properties) {
    rowsLost = new RowsLostByDdl(properties);
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
    RawBsonDocument before = null;
    RawBsonDocument after = null;
    if (!operation.equals("r")) {
      before = row(encoder, value, Envelope.FieldName.BEFORE);
    }
    if (!operation.equals("d")) {
      after = row(encoder, value, Envelope.FieldName.AFTER);
    }
    if (before == null && (operation.equals("u") || operation.equals("d"))) {
      throw new MissingRowException(missingRow(encoder, "row before"));
    }
    if (after == null && !operation.equals("d")) {
      throw new MissingRowException(missingRow(encoder, "row after"));
    }
    return new Change(
        encoder.table, before, after, sequence, commitMillis(value, source), isSnapshot(source));
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

  @Nullable
  private RawBsonDocument row(TableEncoder encoder, Struct value, String field) {
    Struct row = (Struct) value.getWithoutDefault(field);
    if (row == null) {
      return null;
    }
    // Without REPLICA IDENTITY FULL, Postgres gives the row before with its key alone.
    if (encoder.postgres
        && field.equals(Envelope.FieldName.BEFORE)
        && encoder.rows.lacksRequiredColumn(row)) {
      throw new MissingRowException(missingRow(encoder, "whole row before"));
    }
    return encoder.rows.encode(buffer, row);
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
        + ", then load the table again.";
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
