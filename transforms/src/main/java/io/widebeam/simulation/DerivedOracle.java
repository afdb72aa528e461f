package io.widebeam.simulation;

import io.widebeam.rollup.Aggregate;
import io.widebeam.rollup.Aggregation;
import io.widebeam.view.RowException;
import io.widebeam.view.RowFunction;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.annotation.Nullable;
import org.bson.BsonArray;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.types.Decimal128;

/**
 * What SQL makes of documents that are grouped: all rows of a group at once, with nothing of the
 * engine. Numbers count {@linkplain #byValue by their value}, since which of 1 and 1.00 is the
 * least value, or names the group, is anybody's choice.
 */
final class DerivedOracle {
  private DerivedOracle() {}

  /** What the target is to have, by key. */
  static Map<BsonValue, BsonDocument> of(Derived derived, Map<BsonValue, BsonDocument> documents) {
    if (derived instanceof Derived.Rows rows) {
      Map<BsonValue, BsonDocument> made = new HashMap<>();
      documents.forEach(
          (key, document) -> {
            BsonDocument row = made(rows.row(), document);
            if (row != null) {
              made.put(byValue(key), byValue(row));
            }
          });
      return made;
    }
    Derived.Groups groups = (Derived.Groups) derived;
    Map<BsonValue, BsonDocument> made = new HashMap<>();
    grouped(groups.aggregation(), documents)
        .forEach(
            (group, values) -> {
              BsonDocument row = row(groups.aggregation(), group, values);
              BsonDocument written = groups.row() == null ? row : made(groups.row(), row);
              if (written != null) {
                made.put(group, byValue(written));
              }
            });
    return made;
  }

  private static Map<BsonDocument, List<BsonDocument>> grouped(
      Aggregation aggregation, Map<BsonValue, BsonDocument> documents) {
    Map<BsonDocument, List<BsonDocument>> groups = new LinkedHashMap<>();
    if (aggregation.groupFields().isEmpty()) {
      groups.put(new BsonDocument(), new ArrayList<>());
    }
    for (BsonDocument document : documents.values()) {
      Map<BsonDocument, List<BsonDocument>> given = new LinkedHashMap<>();
      try {
        aggregation
            .rows()
            .forEach(
                raw(document),
                (group, values) ->
                    given
                        .computeIfAbsent(key(aggregation, group), absent -> new ArrayList<>())
                        .add(Target.copy(values)));
      } catch (RowException e) {
        // A document whose rows cannot be told gives none.
        continue;
      }
      given.forEach(
          (group, values) ->
              groups.computeIfAbsent(group, absent -> new ArrayList<>()).addAll(values));
    }
    return groups;
  }

  private static BsonDocument key(Aggregation aggregation, BsonDocument group) {
    BsonDocument key = new BsonDocument();
    aggregation
        .groupFields()
        .forEach(field -> key.put(field, byValue(group.get(field, BsonNull.VALUE))));
    return key;
  }

  private static BsonDocument row(
      Aggregation aggregation, BsonDocument group, List<BsonDocument> rows) {
    BsonDocument row = group.clone();
    for (Aggregate aggregate : aggregation.aggregates()) {
      List<BsonValue> values =
          rows.stream()
              .map(given -> given.get(aggregate.field()))
              .filter(value -> value != null && !value.isNull())
              .toList();
      row.put(
          aggregate.field(),
          switch (aggregate.function()) {
            case COUNT_ROWS -> new BsonInt64(rows.size());
            case COUNT -> new BsonInt64(values.size());
            case COUNT_DISTINCT ->
                new BsonInt64(values.stream().map(DerivedOracle::byValue).distinct().count());
            case SUM -> values.isEmpty() ? BsonNull.VALUE : number(sum(values), values);
            case AVG -> values.isEmpty() ? BsonNull.VALUE : mean(values, aggregate.scale());
            case MIN -> values.stream().min(DerivedOracle::compare).orElse(BsonNull.VALUE);
            case MAX -> values.stream().max(DerivedOracle::compare).orElse(BsonNull.VALUE);
          });
    }
    return row;
  }

  private static BigDecimal sum(List<BsonValue> values) {
    return values.stream().map(DerivedOracle::decimal).reduce(BigDecimal.ZERO, BigDecimal::add);
  }

  private static BsonValue mean(List<BsonValue> values, int scale) {
    BigDecimal count = BigDecimal.valueOf(values.size());
    return number(
        scale < 0
            ? sum(values).divide(count, MathContext.DECIMAL128)
            : sum(values).divide(count, scale, RoundingMode.HALF_UP),
        values);
  }

  /** A double if any of the values that it comes from is one. */
  private static BsonValue number(BigDecimal number, List<BsonValue> values) {
    return values.stream().anyMatch(BsonValue::isDouble)
        ? new BsonDouble(number.doubleValue())
        : new BsonDecimal128(new Decimal128(number));
  }

  private static BigDecimal decimal(BsonValue value) {
    if (value.isString()) {
      return new BigDecimal(value.asString().getValue());
    }
    return value.isDouble()
        ? new BigDecimal(value.asDouble().getValue())
        : value.asNumber().decimal128Value().bigDecimalValue();
  }

  static int compare(BsonValue a, BsonValue b) {
    if (a.isNumber() && b.isNumber()) {
      return decimal(a).compareTo(decimal(b));
    }
    return switch (a.getBsonType()) {
      case STRING -> a.asString().getValue().compareTo(b.asString().getValue());
      case DATE_TIME -> Long.compare(a.asDateTime().getValue(), b.asDateTime().getValue());
      case BOOLEAN -> Boolean.compare(a.asBoolean().getValue(), b.asBoolean().getValue());
      default -> throw new IllegalArgumentException("no order of " + a + " and " + b);
    };
  }

  /** The value, with all numbers in it of one type and without zeros at their ends. */
  static BsonValue byValue(BsonValue value) {
    if (value.isDocument()) {
      return byValue(value.asDocument());
    } else if (value.isArray()) {
      return new BsonArray(value.asArray().stream().map(DerivedOracle::byValue).toList());
    } else if (value.isNumber()
        && !(value.isDouble() && !Double.isFinite(value.asDouble().getValue()))) {
      BigDecimal number = decimal(value).stripTrailingZeros();
      return number.precision() > MathContext.DECIMAL128.getPrecision()
          ? new BsonDouble(number.doubleValue())
          : new BsonDecimal128(new Decimal128(number));
    }
    return value;
  }

  static BsonDocument byValue(BsonDocument document) {
    BsonDocument copy = new BsonDocument();
    document.forEach((field, value) -> copy.put(field, byValue(value)));
    return copy;
  }

  /** A row that cannot be made counts as one that is not there. */
  @Nullable
  private static BsonDocument made(RowFunction function, BsonDocument row) {
    try {
      return Target.copy(function.apply(raw(row)));
    } catch (RowException e) {
      return null;
    }
  }

  private static RawBsonDocument raw(BsonDocument document) {
    return new RawBsonDocument(Objects.requireNonNull(document), new BsonDocumentCodec());
  }
}
