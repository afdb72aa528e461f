package io.widebeam.simulation;

import java.math.BigDecimal;
import java.util.Random;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;

/** What a generated column holds. */
public enum ColumnType {
  INT,
  BIGINT,
  DECIMAL,
  STRING,
  DATETIME,
  DATE,
  BOOLEAN;

  private static final long DAY_MILLIS = 86_400_000;

  /** Before 1970, too. */
  private static final long FIRST_DAY_MILLIS = -DAY_MILLIS;

  /** One of the types that SQL compares with this one. */
  public ColumnType comparable(Random random) {
    return isNumber() ? values()[random.nextInt(3)] : this;
  }

  public boolean isNumber() {
    return this == INT || this == BIGINT || this == DECIMAL;
  }

  /** The column's value for a small number; of numeric types, that number. */
  BsonValue value(int number) {
    return switch (this) {
      case INT -> new BsonInt32(number);
      case BIGINT -> new BsonInt64(number);
      case DECIMAL -> new BsonDecimal128(new Decimal128(BigDecimal.valueOf(number * 100L, 2)));
      case STRING -> new BsonString(number == 0 ? "" : "v" + number);
      case DATETIME, DATE -> new BsonDateTime(FIRST_DAY_MILLIS + number * DAY_MILLIS);
      case BOOLEAN -> BsonBoolean.valueOf(number % 2 == 1);
    };
  }
}
