package io.widebeam.simulation;

import io.widebeam.change.TableId;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;

/**
 * A generated table.
 *
 * @param columns in table order; those of the primary key have no nulls
 * @param primaryKey the columns of the primary key, in key order
 */
public record Table(TableId id, List<Column> columns, List<String> primaryKey) {
  private static final int NULL_ONE_IN = 6;

  /**
   * A column.
   *
   * @param values the values that it takes, besides null
   */
  public record Column(String name, ColumnType type, List<BsonValue> values) {
    public Column {
      values = List.copyOf(values);
    }

    /** A column of so many values. */
    public static Column of(String name, ColumnType type, int values) {
      return new Column(name, type, IntStream.range(0, values).mapToObj(type::value).toList());
    }

    @Override
    public String toString() {
      return name + " " + type.name().toLowerCase(Locale.ROOT);
    }
  }

  public Table {
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
  }

  Column column(String name) {
    return columns.stream()
        .filter(column -> column.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(id + " has no column " + name));
  }

  BsonDocument randomRow(Random random) {
    BsonDocument row = new BsonDocument();
    columns.forEach(column -> row.append(column.name(), randomValue(column, random)));
    return row;
  }

  BsonValue randomValue(Column column, Random random) {
    return !primaryKey.contains(column.name()) && random.nextInt(NULL_ONE_IN) == 0
        ? BsonNull.VALUE
        : column.values().get(random.nextInt(column.values().size()));
  }

  /** The row's primary key. */
  BsonDocument keyOf(BsonDocument row) {
    BsonDocument key = new BsonDocument();
    primaryKey.forEach(column -> key.append(column, row.get(column)));
    return key;
  }

  @Override
  public String toString() {
    return id
        + " ("
        + String.join(", ", columns.stream().map(Column::toString).toList())
        + ", primary key "
        + String.join(", ", primaryKey)
        + ")";
  }
}
