package io.widebeam.flow;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlExpressions;
import io.widebeam.view.RowFunction;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.bson.RawBsonDocument;

/**
 * What {@code SELECT fields FROM rows WHERE filters} makes of one row. Only the specification
 * travels; expressions are compiled where the rows are.
 */
final class SelectedRow implements RowFunction {
  private static final long serialVersionUID = 1L;

  /**
   * The rows that expressions are over.
   *
   * @param table what their columns may carry before their names; empty for nothing
   * @param joined whether the columns' names begin with those of their tables
   */
  record Input(List<SqlColumn> columns, String table, boolean joined) implements Serializable {
    Input {
      columns = List.copyOf(columns);
    }

    SqlExpressions expressions() {
      return joined
          ? SqlExpressions.overJoined(columns)
          : SqlExpressions.over(columns).ofTable(table);
    }
  }

  private record Value(byte[] name, CompiledExpression expression) {}

  private final Input input;
  private final ArrayList<String> filters;
  private final LinkedHashMap<String, String> fields;

  /** Fields of the input that are kept as they are. */
  private final ArrayList<String> kept;

  private transient List<CompiledExpression> conditions;
  private transient List<Value> values;
  private transient List<byte[]> keptNames;
  private transient BsonBuffer out;

  SelectedRow(Input input, List<String> filters, Map<String, String> fields, List<String> kept) {
    this.input = input;
    this.filters = new ArrayList<>(filters);
    this.fields = new LinkedHashMap<>(fields);
    this.kept = new ArrayList<>(kept);
  }

  @Override
  @Nullable
  public RawBsonDocument apply(RawBsonDocument row) {
    if (out == null) {
      compile();
    }
    byte[] bytes = BsonRow.bytes(row);
    for (CompiledExpression condition : conditions) {
      if (!condition.matches(bytes)) {
        return null;
      }
    }
    out.clear();
    int start = out.startDocument();
    values.forEach(value -> value.expression.write(bytes, value.name, out));
    for (byte[] name : keptNames) {
      int element = BsonRow.find(bytes, name);
      if (element >= 0) {
        out.putElements(bytes, element, BsonRow.nextElement(bytes, element));
      }
    }
    out.end(start);
    return out.toDocument();
  }

  private void compile() {
    SqlExpressions expressions = input.expressions();
    conditions = filters.stream().map(expressions::compileCondition).toList();
    values = new ArrayList<>();
    fields.forEach(
        (name, text) ->
            values.add(new Value(BsonBuffer.fieldName(name), expressions.compile(text))));
    keptNames = kept.stream().map(BsonRow::name).toList();
    out = new BsonBuffer();
  }

  /** For the description of a flow's shape: two that differ make other rows. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    filters.forEach(filter -> text.append("filter ").append(oneLine(filter)).append("; "));
    fields.forEach(
        (name, value) -> text.append(name).append(" = ").append(oneLine(value)).append("; "));
    return text.substring(0, Math.max(0, text.length() - 2));
  }

  private static String oneLine(String expression) {
    return expression.replaceAll("\\s+", " ");
  }
}
