package io.widebeam.sql;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import io.widebeam.view.RowException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TimeZone;
import java.util.TreeSet;
import javax.annotation.Nullable;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.java.JavaTypeFactory;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.avatica.util.DateTimeUtils;
import org.apache.calcite.linq4j.QueryProvider;
import org.apache.calcite.linq4j.function.Function1;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexVisitorImpl;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.sql.type.SqlTypeName;

/** One expression, ready for rows. Made by {@link SqlExpressions}; not thread-safe. */
public final class CompiledExpression {
  private static final long MILLIS_PER_DAY = 86_400_000L;

  private final String text;
  private final SqlTypeName type;
  private final int precision;
  private final int scale;
  private final int[] used;
  private final byte[][] names;
  private final List<SqlColumn> columns;

  /** The column, if the expression is nothing but it: its value is copied as it is. */
  private final int copied;

  private final Function1<DataContext, Object[]> function;
  private final Row row;

  CompiledExpression(
      String text,
      List<SqlColumn> columns,
      RexNode rex,
      Function1<DataContext, Object[]> function) {
    this.text = text;
    this.columns = columns;
    this.function = function;
    this.type = rex.getType().getSqlTypeName();
    this.precision = rex.getType().getPrecision();
    this.scale = rex.getType().getScale();
    this.copied = rex instanceof RexInputRef column ? column.getIndex() : -1;
    this.row = new Row(columns.size());
    this.names = columns.stream().map(column -> BsonRow.name(column.name())).toArray(byte[][]::new);
    TreeSet<Integer> indexes = new TreeSet<>();
    rex.accept(
        new RexVisitorImpl<Void>(true) {
          @Override
          public Void visitInputRef(RexInputRef column) {
            indexes.add(column.getIndex());
            return null;
          }
        });
    this.used = indexes.stream().mapToInt(Integer::intValue).toArray();
    if (copied < 0 && !isWritten(type)) {
      throw new IllegalArgumentException(
          "`" + text + "` is of type " + type + ", which has no value in BSON");
    }
  }

  /** The columns that the expression needs. */
  public List<String> columns() {
    return Arrays.stream(used).mapToObj(i -> columns.get(i).name()).toList();
  }

  /** The column, if the expression is nothing but it. */
  public Optional<String> column() {
    return copied < 0 ? Optional.empty() : Optional.of(columns.get(copied).name());
  }

  /** What the values are, and with how many digits. */
  public SqlType type() {
    if (copied >= 0) {
      return columns.get(copied).type();
    }
    return type == SqlTypeName.DECIMAL
        ? SqlType.decimal(precision, scale)
        : new SqlType(kind(), 0, 0);
  }

  /** What the values are. */
  public SqlType.Kind kind() {
    if (copied >= 0) {
      return columns.get(copied).type().kind();
    }
    return switch (type) {
      case BOOLEAN -> SqlType.Kind.BOOLEAN;
      case TINYINT, SMALLINT, INTEGER, BIGINT -> SqlType.Kind.INTEGER;
      case DECIMAL -> SqlType.Kind.DECIMAL;
      case FLOAT, REAL, DOUBLE -> SqlType.Kind.DOUBLE;
      case DATE -> SqlType.Kind.DATE;
      case TIMESTAMP -> SqlType.Kind.DATETIME;
      case BINARY, VARBINARY -> SqlType.Kind.BYTES;
      default -> SqlType.Kind.TEXT;
    };
  }

  /**
   * Whether a condition is true of a row: not false, and not unknown.
   *
   * @throws RowException if it cannot be told
   */
  public boolean matches(byte[] bson) {
    return Boolean.TRUE.equals(evaluate(bson));
  }

  /**
   * Writes the value for a row.
   *
   * @param name the field's name, as {@link BsonBuffer#fieldName} gives it
   * @throws RowException if it cannot be told
   */
  public void write(byte[] bson, byte[] name, BsonBuffer out) {
    if (copied >= 0) {
      int element = BsonRow.find(bson, names[copied]);
      if (element < 0) {
        out.putNull(name);
      } else {
        out.putElement(name, bson, element);
      }
      return;
    }
    Object value = evaluate(bson);
    if (value == null) {
      out.putNull(name);
      return;
    }
    switch (type) {
      case BOOLEAN -> out.putBoolean(name, (Boolean) value);
      case TINYINT, SMALLINT, INTEGER -> out.putInt32(name, ((Number) value).intValue());
      case BIGINT -> out.putInt64(name, ((Number) value).longValue());
      case DECIMAL -> putDecimal(name, (BigDecimal) value, out);
      case FLOAT, REAL, DOUBLE -> out.putDouble(name, ((Number) value).doubleValue());
      case DATE -> out.putDateTime(name, ((Number) value).longValue() * MILLIS_PER_DAY);
      case TIMESTAMP -> out.putDateTime(name, ((Number) value).longValue());
      case TIME -> out.putString(name, DateTimeUtils.unixTimeToString((Integer) value));
      case BINARY, VARBINARY -> out.putBinary(name, ((ByteString) value).getBytes());
      default -> out.putString(name, value.toString());
    }
  }

  private static boolean isWritten(SqlTypeName type) {
    return switch (type) {
      case BOOLEAN,
          TINYINT,
          SMALLINT,
          INTEGER,
          BIGINT,
          DECIMAL,
          FLOAT,
          REAL,
          DOUBLE,
          DATE,
          TIMESTAMP,
          TIME,
          CHAR,
          VARCHAR,
          BINARY,
          VARBINARY,
          NULL ->
          true;
      default -> false;
    };
  }

  /** As columns are: exactly, or in digits where BSON has not enough of them. */
  private static void putDecimal(byte[] name, BigDecimal value, BsonBuffer out) {
    BigDecimal shortest = value;
    // Where decimals of any scale meet others, all get the scale of the longest.
    if (value.scale() >= SqlType.DEFAULT_SCALE || !BsonBuffer.fitsDecimal128(value)) {
      shortest = value.stripTrailingZeros();
      shortest = shortest.scale() < 0 ? shortest.setScale(0) : shortest;
    }
    if (BsonBuffer.fitsDecimal128(shortest)) {
      out.putDecimal(name, shortest);
    } else {
      out.putString(name, shortest.toPlainString());
    }
  }

  @Nullable
  private Object evaluate(byte[] bson) {
    for (int index : used) {
      SqlColumn column = columns.get(index);
      try {
        row.values[index] = BsonValues.read(bson, names[index], column.type());
      } catch (ArithmeticException | IllegalArgumentException e) {
        throw new RowException(
            "`" + text + "`: column `" + column.name() + "` " + e.getMessage(), e);
      }
    }
    try {
      return function.apply(row)[0];
    } catch (RuntimeException e) {
      throw new RowException("`" + text + "` fails: " + reason(e), e);
    }
  }

  private static String reason(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null
        && (cause.getMessage() == null || cause.getMessage().contains("Exception"))) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }

  @Override
  public String toString() {
    return text;
  }

  /** What generated code asks for its row. */
  static final class Row implements DataContext {
    private final Object[] values;

    /** Of no columns, for constants. */
    static Row none() {
      return new Row(0);
    }

    Row(int columns) {
      this.values = new Object[columns];
    }

    @Override
    public Object get(String name) {
      return switch (name) {
        case "inputRecord" -> values;
        case "timeZone" -> TimeZone.getTimeZone("UTC");
        // The names of days and months.
        case "locale" -> Locale.ENGLISH;
        default -> null;
      };
    }

    @Override
    @Nullable
    public SchemaPlus getRootSchema() {
      return null;
    }

    @Override
    @Nullable
    public JavaTypeFactory getTypeFactory() {
      return null;
    }

    @Override
    @Nullable
    public QueryProvider getQueryProvider() {
      return null;
    }
  }
}
