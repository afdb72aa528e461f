package io.widebeam.cdc;

import io.widebeam.change.BsonBuffer;
import java.math.BigDecimal;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bson.types.Decimal128;

/**
 * Reads values as Postgres writes them in text, for the columns that {@link PostgresValues} hands
 * over so: numbers, dates, and arrays of any type and of any dimensions. What is none of these
 * stays text.
 */
@FunctionalInterface
interface PostgresText {
  /** The name of such columns' schema. */
  String SCHEMA_NAME = "io.widebeam.PostgresText";

  /** The parameter of that schema that names the type; an array's starts with an underscore. */
  String TYPE = "type";

  Pattern TIMESTAMP =
      Pattern.compile(
          "(\\d{4,})-(\\d\\d)-(\\d\\d)(?: (\\d\\d):(\\d\\d):(\\d\\d)(\\.\\d+)?)?"
              + "([+-]\\d\\d(?::\\d\\d){0,2})?( BC)?");

  /** Writes a value, which is never null, as the field {@code name}. */
  void put(BsonBuffer out, byte[] name, String text);

  static PostgresText ofType(String type) {
    if (type.startsWith("_")) {
      PostgresText element = ofType(type.substring(1));
      char separator = type.equals("_box") ? ';' : ',';
      return (out, name, text) -> new Array(element, separator, text).put(out, name);
    }
    return switch (type) {
      case "bool" -> (out, name, text) -> out.putBoolean(name, text.startsWith("t"));
      case "int2", "int4" -> (out, name, text) -> out.putInt32(name, Integer.parseInt(text));
      case "int8", "oid" -> (out, name, text) -> out.putInt64(name, Long.parseLong(text));
      case "float4" ->
          (out, name, text) ->
              out.putDouble(name, RowEncoder.shortestDouble(Float.parseFloat(text)));
      case "float8" -> (out, name, text) -> out.putDouble(name, Double.parseDouble(text));
      case "numeric" -> PostgresText::putNumeric;
      case "date", "timestamp", "timestamptz" ->
          (out, name, text) -> out.putDateTime(name, millisOf(text));
      case "time" -> (out, name, text) -> out.putString(name, Temporal.paddedFraction(text));
      case "json", "jsonb" -> JsonEncoder::put;
      case "bytea" ->
          (out, name, text) -> out.putBinary(name, HexFormat.of().parseHex(text.substring(2)));
      default -> BsonBuffer::putString;
    };
  }

  private static void putNumeric(BsonBuffer out, byte[] name, String text) {
    switch (text) {
      case "NaN" -> out.putDecimal(name, Decimal128.NaN);
      case "Infinity" -> out.putDecimal(name, Decimal128.POSITIVE_INFINITY);
      case "-Infinity" -> out.putDecimal(name, Decimal128.NEGATIVE_INFINITY);
      default -> RowEncoder.putDecimal(out, name, new BigDecimal(text));
    }
  }

  private static long millisOf(String text) {
    Matcher matcher = TIMESTAMP.matcher(text);
    if (!matcher.matches()) {
      return switch (text) {
        case "infinity" -> Long.MAX_VALUE;
        case "-infinity" -> Long.MIN_VALUE;
        default -> throw new IllegalArgumentException("not a date or time: " + text);
      };
    }
    int year = Integer.parseInt(matcher.group(1));
    ZoneOffset offset = matcher.group(8) == null ? ZoneOffset.UTC : ZoneOffset.of(matcher.group(8));
    return LocalDateTime.of(
            matcher.group(9) == null ? year : 1 - year,
            Integer.parseInt(matcher.group(2)),
            Integer.parseInt(matcher.group(3)),
            partOf(matcher.group(4)),
            partOf(matcher.group(5)),
            partOf(matcher.group(6)),
            matcher.group(7) == null
                ? 0
                : new BigDecimal("0" + matcher.group(7)).movePointRight(9).intValueExact())
        .toInstant(offset)
        .toEpochMilli();
  }

  private static int partOf(String digits) {
    return digits == null ? 0 : Integer.parseInt(digits);
  }

  /** One array, as in {@code {{1,2},{3,NULL}}}; elements with a comma in them have quotes. */
  final class Array {
    private final PostgresText element;
    private final char separator;
    private final String text;
    private int at;

    private Array(PostgresText element, char separator, String text) {
      this.element = element;
      this.separator = separator;
      this.text = text;
      // Bounds other than 1 stand before it.
      this.at = text.startsWith("[") ? text.indexOf('=') + 1 : 0;
    }

    private void put(BsonBuffer out, byte[] name) {
      int start = out.startArray(name);
      expect('{');
      for (int index = 0; text.charAt(at) != '}'; index++) {
        if (index > 0) {
          expect(separator);
        }
        putItem(out, BsonBuffer.fieldName(Integer.toString(index)));
      }
      at++;
      out.end(start);
    }

    private void putItem(BsonBuffer out, byte[] name) {
      char first = text.charAt(at);
      if (first == '{') {
        put(out, name);
      } else if (first == '"') {
        element.put(out, name, quoted());
      } else {
        int from = at;
        while (text.charAt(at) != separator && text.charAt(at) != '}') {
          at++;
        }
        String item = text.substring(from, at);
        if (item.equals("NULL")) {
          out.putNull(name);
        } else {
          element.put(out, name, item);
        }
      }
    }

    private String quoted() {
      StringBuilder item = new StringBuilder();
      for (at++; text.charAt(at) != '"'; at++) {
        if (text.charAt(at) == '\\') {
          at++;
        }
        item.append(text.charAt(at));
      }
      at++;
      return item.toString();
    }

    private void expect(char wanted) {
      if (text.charAt(at) != wanted) {
        throw new IllegalArgumentException("not an array: " + text);
      }
      at++;
    }
  }
}
