package io.widebeam.cdc;

import com.github.shyiko.mysql.binlog.event.deserialization.ColumnType;
import com.github.shyiko.mysql.binlog.event.deserialization.json.JsonBinary;
import com.github.shyiko.mysql.binlog.event.deserialization.json.JsonFormatter;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Base64;
import java.util.Locale;

/**
 * Writes the JSON values of MySQL's log as the server itself writes them in the result of a query,
 * so that a value is the same from either. (The connector writes 0.0005 with all the digits of its
 * double, 1e10 as an integer, and a time without the zeros at its end.)
 */
final class MySqlJson implements JsonFormatter {
  /** From which powers of ten on the server writes exponents. */
  private static final int MAX_PLAIN_DIGITS = 15;

  private final StringBuilder out = new StringBuilder();

  private MySqlJson() {}

  /** The text of a value in MySQL's binary form. */
  static String text(byte[] binary) throws IOException {
    MySqlJson json = new MySqlJson();
    JsonBinary.parse(binary, json);
    return json.out.toString();
  }

  @Override
  public void beginObject(int numElements) {
    out.append('{');
  }

  @Override
  public void beginArray(int numElements) {
    out.append('[');
  }

  @Override
  public void endObject() {
    out.append('}');
  }

  @Override
  public void endArray() {
    out.append(']');
  }

  @Override
  public void name(String name) {
    value(name);
    out.append(": ");
  }

  @Override
  public void value(String value) {
    out.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"', '\\' -> out.append('\\').append(c);
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ') {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  @Override
  public void value(int value) {
    out.append(value);
  }

  @Override
  public void value(long value) {
    out.append(value);
  }

  @Override
  public void value(double value) {
    BigDecimal shortest = JsonEncoder.shortest(value).stripTrailingZeros();
    int digits = shortest.precision() - shortest.scale();
    if (value == 0) {
      out.append(value);
    } else if (Math.abs(digits) > MAX_PLAIN_DIGITS) {
      String unscaled = shortest.unscaledValue().abs().toString();
      out.append(value < 0 ? "-" : "").append(unscaled.charAt(0));
      if (unscaled.length() > 1) {
        out.append('.').append(unscaled, 1, unscaled.length());
      }
      out.append('e').append(digits - 1);
    } else {
      out.append((shortest.scale() < 1 ? shortest.setScale(1) : shortest).toPlainString());
    }
  }

  @Override
  public void value(BigInteger value) {
    out.append(value);
  }

  @Override
  public void value(BigDecimal value) {
    out.append(value.toPlainString());
  }

  @Override
  public void value(boolean value) {
    out.append(value);
  }

  @Override
  public void valueNull() {
    out.append("null");
  }

  @Override
  public void valueYear(int year) {
    out.append(year);
  }

  @Override
  public void valueDate(int year, int month, int day) {
    append("\"%04d-%02d-%02d\"", year, month, day);
  }

  @Override
  public void valueDatetime(
      int year, int month, int day, int hour, int min, int sec, int microSeconds) {
    append(
        "\"%04d-%02d-%02d %02d:%02d:%02d.%06d\"", year, month, day, hour, min, sec, microSeconds);
  }

  @Override
  public void valueTime(int hour, int min, int sec, int microSeconds) {
    boolean negative = hour < 0 || min < 0 || sec < 0 || microSeconds < 0;
    append(
        "\"%s%02d:%02d:%02d.%06d\"",
        negative ? "-" : "", Math.abs(hour), Math.abs(min), Math.abs(sec), Math.abs(microSeconds));
  }

  @Override
  public void valueTimestamp(long secondsPastEpoch, int microSeconds) {
    append("%d.%06d", secondsPastEpoch, microSeconds);
  }

  @Override
  public void valueOpaque(ColumnType type, byte[] value) {
    out.append("\"base64:type")
        .append(type.getCode())
        .append(':')
        .append(Base64.getEncoder().encodeToString(value))
        .append('"');
  }

  @Override
  public void nextEntry() {
    out.append(", ");
  }

  private void append(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values));
  }
}
