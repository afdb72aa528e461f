package io.widebeam.cdc;

import io.debezium.relational.Selectors;
import io.debezium.relational.TableId;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Struct;

/**
 * Finds, in the connector's schema change events, the statements that take rows away without a word
 * about each: {@code TRUNCATE} itself comes as an event of its own.
 *
 * <p>MySQL and MariaDB only: Postgres tells its readers nothing of them. What these events do not
 * tell, such as who had a name before, {@link BinlogWatch} finds in the statements themselves.
 */
final class RowsLostByDdl {
  private static final String IGNORED = "(?:\\s|/\\*.*?\\*/|--[^\\n]*\\n|#[^\\n]*\\n)*+";
  private static final Pattern LOST_PARTITION =
      Pattern.compile(
          IGNORED + "ALTER\\s.*\\b(?:DROP|TRUNCATE|EXCHANGE)\\s+PARTITION\\b.*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
  private static final Pattern DROPPED_DATABASE =
      Pattern.compile(
          IGNORED + "DROP\\s+(?:DATABASE|SCHEMA)\\b.*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  private final Predicate<String> capturedDatabase;
  private final BiPredicate<String, String> capturedTable;

  RowsLostByDdl(Map<String, String> properties) {
    capturedDatabase =
        Selectors.databaseSelector()
            .includeDatabases(properties.get("database.include.list"))
            .excludeDatabases(properties.get("database.exclude.list"))
            .build();
    capturedTable = TableLoader.captured(properties);
  }

  /**
   * Looks at one event.
   *
   * @param source the connection's name
   * @throws TableEmptiedException if a captured table has lost rows by it
   */
  void check(Struct event, String source) throws TableEmptiedException {
    String ddl = event.getWithoutDefault("ddl") instanceof String text ? text : "";
    if (DROPPED_DATABASE.matcher(ddl).matches()
        && event.getWithoutDefault("databaseName") instanceof String database
        && capturedDatabase.test(database)) {
      throw new TableEmptiedException(
          new io.widebeam.change.TableId(source, database, "*"), "was dropped with its database");
    }
    for (Object element : event.getArray("tableChanges")) {
      Struct change = (Struct) element;
      TableId table = TableId.parse(change.getString("id"));
      String what =
          switch (change.getString("type")) {
            case "DROP" -> "was dropped";
            case "ALTER" -> LOST_PARTITION.matcher(ddl).matches() ? "has lost a partition" : "";
            default -> "";
          };
      if (!what.isEmpty() && capturedTable.test(table.catalog(), table.table())) {
        throw new TableEmptiedException(
            new io.widebeam.change.TableId(source, table.catalog(), table.table()), what);
      }
    }
  }
}
