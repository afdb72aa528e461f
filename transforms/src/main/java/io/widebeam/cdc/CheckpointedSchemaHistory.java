package io.widebeam.cdc;

import io.debezium.config.Configuration;
import io.debezium.document.Document;
import io.debezium.document.DocumentReader;
import io.debezium.document.DocumentWriter;
import io.debezium.relational.history.AbstractSchemaHistory;
import io.debezium.relational.history.HistoryRecord;
import io.debezium.relational.history.HistoryRecordComparator;
import io.debezium.relational.history.SchemaHistoryException;
import io.debezium.relational.history.SchemaHistoryListener;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * The schema history of a {@link CdcIO} reader: it lives in the reader and in its checkpoints, so
 * it needs no file or topic and is always the one that belongs to the offset.
 *
 * <p>Public because the connector makes it by its name; of no use elsewhere.
 */
public final class CheckpointedSchemaHistory extends AbstractSchemaHistory {

  /** The connector property that names the reader. */
  static final String READER_PROPERTY = CONFIGURATION_FIELD_PREFIX_STRING + "widebeam.reader";

  private static final Map<String, SchemaHistoryLog> LOGS = new ConcurrentHashMap<>();

  private SchemaHistoryLog log = new SchemaHistoryLog();

  /** Makes the log known to the connector that is about to start. */
  static void register(String reader, SchemaHistoryLog log) {
    LOGS.put(reader, log);
  }

  static void unregister(String reader) {
    LOGS.remove(reader);
  }

  @Override
  public void configure(
      Configuration config,
      HistoryRecordComparator comparator,
      SchemaHistoryListener listener,
      boolean useCatalogBeforeSchema) {
    super.configure(
        config, new WithoutWhatIsReadAgain(comparator), listener, useCatalogBeforeSchema);
    String reader = config.getString(READER_PROPERTY);
    SchemaHistoryLog registered = reader == null ? null : LOGS.get(reader);
    if (registered == null) {
      throw new SchemaHistoryException(
          getClass().getName() + " works with the readers of CdcIO only");
    }
    log = registered;
  }

  @Override
  protected void storeRecord(HistoryRecord record) {
    try {
      log.append(DocumentWriter.defaultWriter().write(record.document()));
    } catch (IOException e) {
      throw new SchemaHistoryException("a schema change cannot be written as JSON", e);
    }
  }

  @Override
  protected void recoverRecords(Consumer<HistoryRecord> records) {
    DocumentReader reader = DocumentReader.defaultReader();
    for (String document : log.documents()) {
      try {
        records.accept(new HistoryRecord(reader.read(document)));
      } catch (IOException e) {
        throw new SchemaHistoryException("a checkpointed schema change is not JSON", e);
      }
    }
  }

  @Override
  public boolean exists() {
    return log.size() > 0;
  }

  @Override
  public boolean storageExists() {
    return true;
  }

  @Override
  public String toString() {
    return "checkpoint";
  }

  /**
   * A reader that goes on from a set of transactions begins with the first that is not in it. Of
   * the connectors' comparators, a statement that was recorded with the same set, which is the one
   * before it, belongs to the history; but it is read again, and may not apply twice: a column that
   * has been renamed is no longer there.
   */
  private static final class WithoutWhatIsReadAgain extends HistoryRecordComparator {
    private static final String POSITION = "position";
    private static final String TRANSACTIONS = "gtids";
    private static final String SNAPSHOT = "snapshot";

    private final HistoryRecordComparator comparator;

    WithoutWhatIsReadAgain(HistoryRecordComparator comparator) {
      this.comparator = comparator;
    }

    @Override
    public boolean isAtOrBefore(HistoryRecord record, HistoryRecord start) {
      return comparator.isAtOrBefore(record, start) && !isReadAgain(record, start);
    }

    private boolean isReadAgain(HistoryRecord record, HistoryRecord start) {
      Document position = record.document().getDocument(POSITION);
      return position != null
          && position.has(TRANSACTIONS)
          && !position.has(SNAPSHOT)
          && comparator.isAtOrBefore(transactionsOnly(start), transactionsOnly(record));
    }

    /** Without the place in a transaction. */
    private static HistoryRecord transactionsOnly(HistoryRecord record) {
      Document whole = record.document();
      Document position =
          Document.create(TRANSACTIONS, whole.getDocument(POSITION).getString(TRANSACTIONS));
      Document copy = whole.clone();
      copy.setDocument(POSITION, position);
      return new HistoryRecord(copy);
    }
  }
}
