package io.widebeam.cdc;

import io.debezium.relational.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * What one of the connector's schema change events, a row of its log, or its database's catalog
 * says of a table.
 *
 * @param columns all that makes a difference to the rows, as a text to be compared
 */
record TableSchema(String namespace, String name, String columns) {

  private static final String[] DIFFERENCES = {
    "name", "typeExpression", "length", "scale", "optional", "defaultValueExpression", "enumValues"
  };

  private static final String CATALOG = "catalog\n";

  /** A table by its database's own catalog, whose columns compare with no others. */
  static TableSchema ofCatalog(String namespace, String name, String columns) {
    return new TableSchema(namespace, name, CATALOG + columns);
  }

  static boolean isOfCatalog(String columns) {
    return columns.startsWith(CATALOG);
  }

  String fullName() {
    return namespace + "." + name;
  }

  /** The tables that an event has created or altered. */
  static List<TableSchema> in(Struct event) {
    List<TableSchema> tables = new ArrayList<>();
    for (Object element : event.getArray("tableChanges")) {
      Struct change = (Struct) element;
      Struct table = change.getStruct("table");
      if (table == null) {
        continue;
      }
      TableId id = TableId.parse(change.getString("id"));
      String namespace = id.schema() == null ? id.catalog() : id.schema();
      tables.add(new TableSchema(namespace, id.table(), columns(table)));
    }
    return tables;
  }

  /** The table of a change in Postgres' log, with the columns that it had then. */
  static Optional<TableSchema> ofRow(SourceRecord record) {
    if (!(record.value() instanceof Struct value)
        || !(value.getWithoutDefault("source") instanceof Struct source)
        || record.valueSchema().field("after") == null) {
      return Optional.empty();
    }
    StringBuilder text = new StringBuilder();
    for (Field field : record.valueSchema().field("after").schema().fields()) {
      Schema type = field.schema();
      text.append(field.name()).append('\t').append(type.type()).append('\t');
      text.append(type.name()).append('\t').append(type.isOptional()).append('\t');
      text.append(type.parameters() == null ? "" : new TreeMap<>(type.parameters())).append('\n');
    }
    return Optional.of(
        new TableSchema(source.getString("schema"), source.getString("table"), text.toString()));
  }

  private static String columns(Struct table) {
    StringBuilder text = new StringBuilder();
    for (Object element : table.getArray("columns")) {
      Struct column = (Struct) element;
      for (String name : DIFFERENCES) {
        Field field = column.schema().field(name);
        Object value = field == null ? null : column.getWithoutDefault(name);
        text.append(value == null ? "" : value).append('\t');
      }
      text.append('\n');
    }
    return text.toString();
  }
}
