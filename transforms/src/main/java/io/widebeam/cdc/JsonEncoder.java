package io.widebeam.cdc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.widebeam.change.BsonBuffer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Embeds JSON columns: objects and arrays become documents and arrays, any other text stays text.
 * Integers keep their value; other numbers become doubles if that is exact, else decimals.
 */
final class JsonEncoder {
  private static final JsonFactory FACTORY = new JsonFactory();

  /** Every decimal of so few digits is the shortest of its double; every double has one of 17. */
  private static final int SAFE_DIGITS = 15;

  private static final int MAX_DIGITS = 17;

  /** The next one above a power of two may be farther away than one below that is another's. */
  private static final RoundingMode[] ROUNDING = {
    RoundingMode.HALF_EVEN, RoundingMode.UP, RoundingMode.DOWN
  };

  private JsonEncoder() {}

  static void put(BsonBuffer out, byte[] name, String text) {
    String trimmed = text.stripLeading();
    if (!trimmed.startsWith("{") && !trimmed.startsWith("[")) {
      out.putString(name, text);
      return;
    }
    int mark = out.length();
    try (JsonParser parser = FACTORY.createParser(text)) {
      putValue(out, name, parser, parser.nextToken());
      if (parser.nextToken() != null) {
        throw new IOException("more than one value");
      }
    } catch (IOException | IllegalArgumentException e) {
      // What BSON cannot hold (a zero in a name, text that is no JSON) is kept as it came.
      out.rewind(mark);
      out.putString(name, text);
    }
  }

  /**
   * The decimal of the fewest digits whose nearest double this is, as MySQL and Postgres write it;
   * Java before 19 may write one digit more.
   */
  static BigDecimal shortest(double value) {
    BigDecimal whole = new BigDecimal(value);
    for (int digits = SAFE_DIGITS; digits < MAX_DIGITS; digits++) {
      for (RoundingMode mode : ROUNDING) {
        BigDecimal rounded = whole.round(new MathContext(digits, mode));
        if (rounded.doubleValue() == value) {
          return rounded;
        }
      }
    }
    return new BigDecimal(Double.toString(value));
  }

  private static void putValue(BsonBuffer out, byte[] name, JsonParser parser, JsonToken token)
      throws IOException {
    if (token == null) {
      throw new IOException("unfinished value");
    }
    switch (token) {
      case START_OBJECT -> {
        int start = out.startDocument(name);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          byte[] field = BsonBuffer.fieldName(parser.currentName());
          putValue(out, field, parser, parser.nextToken());
        }
        out.end(start);
      }
      case START_ARRAY -> {
        int start = out.startArray(name);
        int index = 0;
        for (JsonToken item = parser.nextToken();
            item != JsonToken.END_ARRAY;
            item = parser.nextToken()) {
          putValue(out, BsonBuffer.fieldName(Integer.toString(index++)), parser, item);
        }
        out.end(start);
      }
      case VALUE_NULL -> out.putNull(name);
      case VALUE_TRUE -> out.putBoolean(name, true);
      case VALUE_FALSE -> out.putBoolean(name, false);
      case VALUE_STRING -> out.putString(name, parser.getText());
      case VALUE_NUMBER_INT -> {
        switch (parser.getNumberType()) {
          case INT -> out.putInt32(name, parser.getIntValue());
          case LONG -> out.putInt64(name, parser.getLongValue());
          default -> RowEncoder.putDecimal(out, name, parser.getDecimalValue());
        }
      }
      case VALUE_NUMBER_FLOAT -> {
        BigDecimal exact = parser.getDecimalValue();
        double nearest = exact.doubleValue();
        if (Double.isFinite(nearest)
            && (new BigDecimal(Double.toString(nearest)).compareTo(exact) == 0
                || shortest(nearest).compareTo(exact) == 0)) {
          out.putDouble(name, nearest);
        } else {
          RowEncoder.putDecimal(out, name, exact);
        }
      }
      default -> throw new UncheckedIOException(new IOException("unexpected token " + token));
    }
  }
}
