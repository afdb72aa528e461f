package io.widebeam.flow;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.rollup.Aggregation;
import io.widebeam.sql.CompiledExpression;
import io.widebeam.sql.SqlColumn;
import io.widebeam.sql.SqlExpressions;
import io.widebeam.sql.SqlType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import javax.annotation.Nullable;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * The rows that a document gives a rollup, by SQL expressions over its fields. Only the
 * specification travels; expressions are compiled where the documents are, once per instance. One
 * instance is used by one thread at a time.
 */
final class RollupRows implements Aggregation.Rows {
  private static final long serialVersionUID = 1L;

  private static final BsonDocumentCodec CODEC = new BsonDocumentCodec();

  private static final int OBJECT = 0x03;
  private static final int ARRAY = 0x04;

  private final String table;
  private final ArrayList<DocumentColumns.Column> columns;
  private final ArrayList<List<String>> arrays;
  @Nullable private final String filter;
  private final LinkedHashMap<String, String> groupBy;
  private final LinkedHashMap<String, String> arguments;

  private transient Compiled compiled;

  /**
   * @param table the root table's name, which columns may carry
   * @param documents what documents have, and which of their arrays are unwound
   * @param arguments what is aggregated, by the aggregate's field
   */
  RollupRows(
      String table,
      DocumentColumns documents,
      @Nullable String filter,
      Map<String, String> groupBy,
      Map<String, String> arguments) {
    this.table = table;
    this.columns = new ArrayList<>(documents.columns());
    this.arrays = new ArrayList<>(documents.arrays());
    this.filter = filter;
    this.groupBy = new LinkedHashMap<>(groupBy);
    this.arguments = new LinkedHashMap<>(arguments);
  }

  @Override
  public void forEach(RawBsonDocument document, BiConsumer<BsonDocument, BsonDocument> row) {
    if (compiled == null) {
      compiled = new Compiled();
    }
    compiled.forEach(BsonRow.bytes(document), 0, row);
  }

  /** For the description of a flow's shape: two that differ give other rows. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("rows");
    if (!arrays.isEmpty()) {
      text.append(" of ").append(arrays);
    }
    if (filter != null) {
      text.append(" with ").append(filter.strip());
    }
    groupBy.forEach(
        (field, sql) -> text.append("; ").append(field).append(" = ").append(sql.strip()));
    arguments.forEach(
        (field, sql) -> text.append("; ").append(field).append(" of ").append(sql.strip()));
    return text.toString();
  }

  /** A field and what it is. */
  private record Prepared(byte[] name, String field, CompiledExpression sql) {}

  private final class Compiled {
    @Nullable private final CompiledExpression condition;
    private final List<Prepared> groups;
    private final List<Prepared> values;

    /** Per level, which of the columns that are used have their values there. */
    private final List<List<Integer>> columnsByLevel = new ArrayList<>();

    private final byte[][] names;
    private final byte[][][] paths;
    private final byte[][][] arrayPaths;

    /** Where the current row's values are: the document around them, and the element in it. */
    private final byte[][] documents;

    private final int[] elements;
    private final BsonBuffer out = new BsonBuffer();

    Compiled() {
      SqlExpressions expressions =
          NodeRows.expressions(
              table,
              columns.stream().map(column -> new SqlColumn(column.name(), column.sql())).toList());
      condition = filter == null ? null : expressions.compileCondition(filter);
      groups = prepare(groupBy, expressions);
      values = prepare(arguments, expressions);
      Set<String> used = new TreeSet<>();
      if (condition != null) {
        used.addAll(condition.columns());
      }
      groups.forEach(group -> used.addAll(group.sql().columns()));
      values.forEach(value -> used.addAll(value.sql().columns()));
      for (int level = 0; level <= arrays.size(); level++) {
        List<Integer> here = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
          if (columns.get(i).level() == level && used.contains(columns.get(i).name())) {
            here.add(i);
          }
        }
        columnsByLevel.add(here);
      }
      names =
          columns.stream()
              .map(column -> BsonBuffer.fieldName(column.name()))
              .toArray(byte[][]::new);
      paths = columns.stream().map(column -> path(column.path())).toArray(byte[][][]::new);
      arrayPaths = arrays.stream().map(Compiled::path).toArray(byte[][][]::new);
      documents = new byte[columns.size()][];
      elements = new int[columns.size()];
    }

    private static byte[][] path(List<String> fields) {
      return fields.stream().map(BsonRow::name).toArray(byte[][]::new);
    }

    private static List<Prepared> prepare(Map<String, String> fields, SqlExpressions expressions) {
      List<Prepared> prepared = new ArrayList<>();
      fields.forEach(
          (field, sql) ->
              prepared.add(
                  new Prepared(BsonBuffer.fieldName(field), field, expressions.compile(sql))));
      return prepared;
    }

    /**
     * @param document the document, or an element of the array of that level
     */
    void forEach(byte[] document, int level, BiConsumer<BsonDocument, BsonDocument> row) {
      for (int i : columnsByLevel.get(level)) {
        byte[][] path = paths[i];
        byte[] around = inner(document, path, path.length - 1);
        int element = around == null ? -1 : BsonRow.find(around, path[path.length - 1]);
        documents[i] = element < 0 ? null : around;
        elements[i] = element;
      }
      if (level == arrays.size()) {
        give(row);
        return;
      }
      byte[][] path = arrayPaths[level];
      byte[] around = inner(document, path, path.length - 1);
      int array = around == null ? -1 : BsonRow.find(around, path[path.length - 1]);
      if (array < 0 || around[array] != ARRAY) {
        return;
      }
      byte[] items = value(around, array);
      int item = BsonRow.FIRST_ELEMENT;
      while (item < items.length - 1) {
        if (items[item] == OBJECT) {
          forEach(value(items, item), level + 1, row);
        }
        item = BsonRow.nextElement(items, item);
      }
    }

    /** The object that the first so many names of a path lead to. */
    @Nullable
    private static byte[] inner(byte[] document, byte[][] path, int length) {
      byte[] current = document;
      for (int i = 0; i < length; i++) {
        int element = BsonRow.find(current, path[i]);
        if (element < 0 || current[element] != OBJECT) {
          return null;
        }
        current = value(current, element);
      }
      return current;
    }

    private static byte[] value(byte[] row, int element) {
      return Arrays.copyOfRange(
          row, BsonRow.valueOffset(row, element), BsonRow.nextElement(row, element));
    }

    private void give(BiConsumer<BsonDocument, BsonDocument> row) {
      out.clear();
      int start = out.startDocument();
      for (List<Integer> level : columnsByLevel) {
        for (int i : level) {
          if (documents[i] != null) {
            out.putElement(names[i], documents[i], elements[i]);
          }
        }
      }
      out.end(start);
      byte[] flat = BsonRow.bytes(out.toDocument());
      if (condition == null || condition.matches(flat)) {
        row.accept(evaluate(groups, flat), numbers(evaluate(values, flat)));
      }
    }

    private RawBsonDocument evaluate(List<Prepared> fields, byte[] flat) {
      out.clear();
      int start = out.startDocument();
      for (Prepared field : fields) {
        field.sql().write(flat, field.name(), out);
      }
      out.end(start);
      return out.toDocument();
    }

    /** What is true counts for one, as MySQL has it. */
    private BsonDocument numbers(RawBsonDocument document) {
      BsonDocument numbers = null;
      for (Prepared value : values) {
        if (value.sql().kind() == SqlType.Kind.BOOLEAN
            && document.get(value.field()) instanceof BsonBoolean logic) {
          numbers = numbers == null ? document.decode(CODEC) : numbers;
          numbers.put(value.field(), new BsonInt32(logic.getValue() ? 1 : 0));
        }
      }
      return numbers == null ? document : numbers;
    }
  }
}
