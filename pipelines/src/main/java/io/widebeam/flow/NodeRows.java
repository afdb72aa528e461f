package io.widebeam.flow;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.flow.NodeOptions.Expression;
import io.widebeam.flow.NodeOptions.JavaCondition;
import io.widebeam.flow.NodeOptions.JavaValue;
import io.widebeam.flow.NodeOptions.Sql;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlExpressions;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.annotation.Nullable;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;

/**
 * What a node's options make of its table's rows. Only the specification travels; expressions are
 * compiled where the rows are, once per instance.
 *
 * <p>Columns that the joins need and documents do not show come under {@link ViewNode#hidden
 * hidden} names, and a column that is shown under another name is joined by that.
 */
final class NodeRows implements RowFunction {
  private static final long serialVersionUID = 1L;

  private final String table;
  private final ArrayList<SqlColumn> columns;
  private final NodeOptions options;

  /**
   * Of the columns that are not simply copied, under which names they come; null for under none.
   */
  private final LinkedHashMap<String, String> renamed = new LinkedHashMap<>();

  private transient Compiled compiled;

  /**
   * Rows of a table with these columns.
   *
   * @param needed the columns that joins need
   */
  NodeRows(String table, List<SqlColumn> columns, NodeOptions options, Set<String> needed) {
    this.table = table;
    this.columns = new ArrayList<>(columns);
    this.options = options;
    Set<String> considered = new LinkedHashSet<>(options.columns());
    considered.addAll(options.exclude());
    considered.addAll(options.rename().keySet());
    considered.addAll(new TreeSet<>(needed));
    for (String column : considered) {
      boolean shown = shows(column, options);
      if (shown && options.rename().containsKey(column)) {
        renamed.put(column, options.rename().get(column));
      } else if (!shown) {
        renamed.put(column, needed.contains(column) ? ViewNode.hidden(column) : null);
      } else if (!options.columns().isEmpty()) {
        renamed.put(column, column);
      }
    }
  }

  static boolean shows(String column, NodeOptions options) {
    return (options.columns().isEmpty() || options.columns().contains(column))
        && !options.exclude().contains(column);
  }

  /** Under which name a column that joins need comes. */
  String nameOf(String column) {
    return renamed.getOrDefault(column, column);
  }

  /** What compiles the SQL of a table's nodes. */
  static SqlExpressions expressions(String table, List<SqlColumn> columns) {
    return SqlExpressions.over(columns).ofTable(table);
  }

  @Override
  @Nullable
  public RawBsonDocument apply(RawBsonDocument row) {
    if (compiled == null) {
      compiled = new Compiled();
    }
    return compiled.apply(row);
  }

  /** For the description of a flow's shape: two that differ make other rows. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (!options.columns().isEmpty()) {
      text.append("columns ").append(String.join(", ", options.columns())).append("; ");
    }
    renamed.forEach(
        (column, name) -> {
          if (!column.equals(name)) {
            text.append(column).append(as(name)).append("; ");
          }
        });
    options.filters().forEach(filter -> text.append("filter ").append(filter).append("; "));
    options
        .computed()
        .forEach((field, value) -> text.append(field).append(" = ").append(value).append("; "));
    return text.substring(0, Math.max(0, text.length() - 2));
  }

  private static String as(@Nullable String name) {
    if (name == null) {
      return " left out";
    }
    return ViewNode.isHidden(name) ? " not shown" : " as " + name;
  }

  /** A condition, or the value of a field, that works on rows. */
  private record Prepared(byte[] field, @Nullable CompiledExpression sql, Expression given) {}

  private final class Compiled {
    private final List<Prepared> filters = new ArrayList<>();
    private final List<Prepared> computed = new ArrayList<>();
    private final byte[][] columnNames;
    private final byte[][] newNames;
    private final boolean onlyNamed = !options.columns().isEmpty();
    private final BsonBuffer out = new BsonBuffer();

    Compiled() {
      SqlExpressions expressions = expressions(table, columns);
      for (Expression filter : options.filters()) {
        CompiledExpression sql =
            filter instanceof Sql text ? expressions.compileCondition(text.text()) : null;
        filters.add(new Prepared(new byte[0], sql, filter));
      }
      options
          .computed()
          .forEach(
              (field, value) -> {
                CompiledExpression sql =
                    value instanceof Sql text ? expressions.compile(text.text()) : null;
                computed.add(new Prepared(BsonBuffer.fieldName(field), sql, value));
              });
      columnNames = renamed.keySet().stream().map(BsonRow::name).toArray(byte[][]::new);
      newNames =
          renamed.values().stream()
              .map(name -> name == null ? null : BsonBuffer.fieldName(name))
              .toArray(byte[][]::new);
    }

    @Nullable
    RawBsonDocument apply(RawBsonDocument row) {
      byte[] bytes = BsonRow.bytes(row);
      for (Prepared filter : filters) {
        if (!matches(filter, row, bytes)) {
          return null;
        }
      }
      out.clear();
      int start = out.startDocument();
      if (onlyNamed) {
        putNamed(bytes);
      } else {
        putAll(bytes);
      }
      for (Prepared field : computed) {
        if (field.sql() != null) {
          field.sql().write(bytes, field.field(), out);
        } else {
          put(field, row);
        }
      }
      out.end(start);
      return out.toDocument();
    }

    private boolean matches(Prepared filter, RawBsonDocument row, byte[] bytes) {
      if (filter.sql() != null) {
        return filter.sql().matches(bytes);
      }
      try {
        return ((JavaCondition) filter.given()).condition().matches(row);
      } catch (RuntimeException e) {
        throw new RowException("the filter's Java function fails: " + e, e);
      }
    }

    private void put(Prepared field, RawBsonDocument row) {
      try {
        BsonValue value = ((JavaValue) field.given()).value().of(row);
        out.putValue(field.field(), value);
      } catch (RuntimeException e) {
        throw new RowException("a computed field's Java function fails: " + e, e);
      }
    }

    private void putNamed(byte[] row) {
      for (int i = 0; i < columnNames.length; i++) {
        int element = newNames[i] == null ? -1 : BsonRow.find(row, columnNames[i]);
        if (element >= 0) {
          out.putElement(newNames[i], row, element);
        }
      }
    }

    /** In the table's order, whatever columns it has by now. */
    private void putAll(byte[] row) {
      int copyFrom = BsonRow.FIRST_ELEMENT;
      int element = BsonRow.FIRST_ELEMENT;
      while (element < row.length - 1) {
        int value = BsonRow.valueOffset(row, element);
        int next = BsonRow.nextElement(row, element);
        int special = special(row, element + 1, value - 1);
        if (special >= 0) {
          out.putElements(row, copyFrom, element);
          copyFrom = next;
          if (newNames[special] != null) {
            out.putElement(newNames[special], row, element);
          }
        }
        element = next;
      }
      out.putElements(row, copyFrom, row.length - 1);
    }

    private int special(byte[] row, int from, int to) {
      for (int i = 0; i < columnNames.length; i++) {
        if (Arrays.equals(row, from, to, columnNames[i], 0, columnNames[i].length)) {
          return i;
        }
      }
      return -1;
    }
  }

  /** The fields that documents show, in order. */
  static List<String> shownFields(List<String> columns, NodeOptions options) {
    List<String> fields = new ArrayList<>();
    for (String column : options.columns().isEmpty() ? columns : options.columns()) {
      if (shows(column, options)) {
        fields.add(options.rename().getOrDefault(column, column));
      }
    }
    fields.addAll(options.computed().keySet());
    return fields;
  }
}
