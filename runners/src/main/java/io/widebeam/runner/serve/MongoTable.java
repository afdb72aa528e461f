package io.widebeam.runner.serve;

import com.mongodb.MongoException;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Accumulators;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.Filters;
import com.mongodb.client.model.Sorts;
import io.widebeam.runner.serve.TableShape.Column;
import io.widebeam.runner.serve.TableShape.Kind;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bson.BsonArray;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonObjectId;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.conversions.Bson;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import org.bson.types.Decimal128;
import org.bson.types.ObjectId;

/**
 * A collection, whose documents' fields are its columns: those of embedded documents by their
 * paths, arrays as they are.
 *
 * @param connection the connection's name, for messages
 */
record MongoTable(String connection, MongoCollection<BsonDocument> collection, String versionField)
    implements TargetTable {
  private static final int DOCUMENTS_LOOKED_AT = 100;

  private static final JsonWriterSettings JSON =
      JsonWriterSettings.builder().outputMode(JsonMode.RELAXED).build();

  static List<String> names(String connection, MongoDatabase database) throws UnavailableException {
    try {
      return database.listCollectionNames().into(new ArrayList<>());
    } catch (MongoException e) {
      throw new UnavailableException(connection, e);
    }
  }

  @Override
  public Optional<TableShape> shape() throws UnavailableException {
    return asking(
        () -> {
          Map<String, Kind> kinds = new LinkedHashMap<>();
          for (BsonDocument document : collection.find().limit(DOCUMENTS_LOOKED_AT)) {
            addKinds(document, "", kinds);
          }
          List<Column> columns = new ArrayList<>();
          kinds.forEach(
              (name, kind) ->
                  columns.add(
                      new Column(
                          name,
                          kind,
                          name.equals("_id") || name.startsWith("_id."),
                          name.equals(versionField))));
          return columns.isEmpty() ? Optional.empty() : Optional.of(new TableShape(columns));
        });
  }

  private static void addKinds(BsonDocument document, String prefix, Map<String, Kind> kinds) {
    document.forEach(
        (field, value) -> {
          if (value.isDocument()) {
            addKinds(value.asDocument(), prefix + field + ".", kinds);
          } else if (!value.isNull()) {
            kinds.merge(prefix + field, kind(value), MongoTable::both);
          }
        });
  }

  private static Kind kind(BsonValue value) {
    return switch (value.getBsonType()) {
      case DATE_TIME -> Kind.DATE;
      case DECIMAL128, DOUBLE -> Kind.DECIMAL;
      case INT32, INT64 -> Kind.INTEGER;
      case STRING -> Kind.TEXT;
      default -> Kind.OTHER;
    };
  }

  private static Kind both(Kind one, Kind other) {
    boolean numbers =
        (one == Kind.DECIMAL || one == Kind.INTEGER)
            && (other == Kind.DECIMAL || other == Kind.INTEGER);
    return one == other ? one : numbers ? Kind.DECIMAL : Kind.OTHER;
  }

  @Override
  public Rows rows(TableShape shape, Optional<Filter> filter, int limit)
      throws UnavailableException {
    return asking(
        () -> {
          List<Bson> order = new ArrayList<>();
          shape.date().ifPresent(date -> order.add(Sorts.descending(date.name())));
          order.add(Sorts.ascending("_id"));
          List<List<String>> rows = new ArrayList<>();
          for (BsonDocument document :
              collection.find(condition(filter)).sort(Sorts.orderBy(order)).limit(limit + 1)) {
            List<String> row = new ArrayList<>();
            for (Column column : shape.columns()) {
              row.add(text(at(document, column.name())));
            }
            rows.add(Collections.unmodifiableList(row));
          }
          boolean more = rows.size() > limit;
          return new Rows(
              shape.columns().stream().map(Column::name).toList(),
              more ? rows.subList(0, limit) : rows,
              more);
        });
  }

  private static BsonValue at(BsonDocument document, String path) {
    BsonValue value = document;
    for (String field : path.split("\\.", -1)) {
      value = value.isDocument() ? value.asDocument().get(field, BsonNull.VALUE) : BsonNull.VALUE;
    }
    return value;
  }

  private static String text(BsonValue value) {
    return switch (value.getBsonType()) {
      case NULL, UNDEFINED -> null;
      case STRING -> TargetTable.cut(value.asString().getValue());
      case INT32 -> Integer.toString(value.asInt32().getValue());
      case INT64 -> Long.toString(value.asInt64().getValue());
      case DOUBLE -> Double.toString(value.asDouble().getValue());
      case DECIMAL128 -> decimalText(value.asDecimal128().getValue());
      case BOOLEAN -> Boolean.toString(value.asBoolean().getValue());
      case OBJECT_ID -> value.asObjectId().getValue().toHexString();
      case DATE_TIME -> dateText(value.asDateTime());
      default -> json(value);
    };
  }

  private static String decimalText(Decimal128 value) {
    return value.isFinite() ? value.bigDecimalValue().toPlainString() : value.toString();
  }

  /** A day without a time of day is a date. */
  private static String dateText(BsonDateTime value) {
    Instant moment = Instant.ofEpochMilli(value.getValue());
    LocalDate day = LocalDate.ofInstant(moment, ZoneOffset.UTC);
    return day.atStartOfDay().toInstant(ZoneOffset.UTC).equals(moment)
        ? day.toString()
        : moment.toString();
  }

  private static String json(BsonValue value) {
    if (value instanceof BsonDocument document) {
      return TargetTable.cut(document.toJson(JSON));
    }
    if (value instanceof BsonArray) {
      // Only documents can be written as JSON.
      String wrapped = new BsonDocument("a", value).toJson(JSON);
      return TargetTable.cut(wrapped.substring(wrapped.indexOf('['), wrapped.lastIndexOf(']') + 1));
    }
    return TargetTable.cut(value.toString());
  }

  @Override
  public List<DailySum> dailySums(
      TableShape shape, String date, String number, Optional<Filter> filter, int limit)
      throws UnavailableException {
    return asking(
        () -> {
          BsonDocument day = BsonDocument.parse("{$dateToString: {format: '%Y-%m-%d'}}");
          day.getDocument("$dateToString").put("date", new BsonString("$" + date));
          List<DailySum> sums = new ArrayList<>();
          for (BsonDocument sum :
              collection.aggregate(
                  List.of(
                      Aggregates.match(Filters.and(condition(filter), Filters.type(date, "date"))),
                      Aggregates.group(day, Accumulators.sum("sum", "$" + number)),
                      Aggregates.sort(Sorts.descending("_id")),
                      Aggregates.limit(limit)))) {
            sums.add(
                new DailySum(
                    sum.getString("_id").getValue(), new BigDecimal(text(sum.get("sum")))));
          }
          Collections.reverse(sums);
          return sums;
        });
  }

  @Override
  public Values values(TableShape shape, String column, int limit) throws UnavailableException {
    return asking(
        () -> {
          List<String> values = new ArrayList<>();
          for (BsonDocument value :
              collection.aggregate(
                  List.of(
                      Aggregates.group("$" + column),
                      Aggregates.match(Filters.ne("_id", null)),
                      Aggregates.sort(Sorts.ascending("_id")),
                      Aggregates.limit(limit + 1)))) {
            values.add(text(value.get("_id")));
          }
          boolean more = values.size() > limit;
          return new Values(more ? values.subList(0, limit) : values, more);
        });
  }

  /** The value as any of the types that its text may stand for. */
  private static Bson condition(Optional<Filter> filter) {
    if (filter.isEmpty()) {
      return new BsonDocument();
    }
    String text = filter.get().value();
    List<BsonValue> values = new ArrayList<>(List.of(new BsonString(text)));
    try {
      values.add(new BsonDecimal128(new Decimal128(new BigDecimal(text.strip()))));
    } catch (NumberFormatException e) {
      // No number.
    }
    try {
      LocalDate day = LocalDate.parse(text.strip());
      values.add(new BsonDateTime(day.atStartOfDay().toInstant(ZoneOffset.UTC).toEpochMilli()));
    } catch (DateTimeParseException e) {
      // No day.
    }
    if (ObjectId.isValid(text)) {
      values.add(new BsonObjectId(new ObjectId(text)));
    }
    return Filters.in(filter.get().column(), values);
  }

  private <T> T asking(Supplier<T> question) throws UnavailableException {
    try {
      return question.get();
    } catch (MongoException e) {
      throw new UnavailableException(connection, e);
    }
  }
}
