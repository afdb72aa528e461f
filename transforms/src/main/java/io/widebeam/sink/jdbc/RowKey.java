package io.widebeam.sink.jdbc;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonValue;

/**
 * Keys as texts: values of one key with commas between them, an element's key behind its document's
 * and a slash, as in {@code o-17/2}. What the values themselves have of these is escaped, so that
 * different keys have different texts.
 */
final class RowKey {

  /** How long the column of row keys has to be, in characters. */
  static final int MAX_LENGTH = 250;

  private static final int MAX_PART_LENGTH = 120;

  /** No value: none has a text with this, since theirs are escaped. */
  private static final String NULL = "~n";

  private RowKey() {}

  /** The text of a document's key, whose values may be null. */
  static String ofDocument(BsonValue[] values) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      append(text, i, values[i]);
      if (values[i] == null) {
        text.append(NULL);
      }
    }
    return shortened(text.toString());
  }

  /** What an element adds to the text of its parent's elements' keys; empty for the first. */
  static String ofElement(String parents, List<String> keyFields, BsonDocument element) {
    StringBuilder text = new StringBuilder(parents);
    if (!parents.isEmpty()) {
      text.append('/');
    }
    for (int i = 0; i < keyFields.size(); i++) {
      append(text, i, element.get(keyFields.get(i)));
    }
    return text.toString();
  }

  /** The text of a row's key. */
  static String ofRow(String document, String elements) {
    return elements.isEmpty() ? document : document + "/" + shortened(elements);
  }

  /** The text of the key of the document that a row belongs to. */
  static String documentOf(String row) {
    int slash = row.indexOf('/');
    return slash < 0 ? row : row.substring(0, slash);
  }

  private static void append(StringBuilder text, int index, BsonValue value) {
    if (index > 0) {
      text.append(',');
    }
    if (value != null) {
      text.append(escaped(text(value)));
    }
  }

  /** A value as text: the same for numbers of the same value, whatever their type. */
  static String text(BsonValue value) {
    return switch (value.getBsonType()) {
      case STRING -> value.asString().getValue();
      case INT32 -> Integer.toString(value.asInt32().getValue());
      case INT64 -> Long.toString(value.asInt64().getValue());
      case DATE_TIME -> Long.toString(value.asDateTime().getValue());
      case BOOLEAN -> Boolean.toString(value.asBoolean().getValue());
      case DOUBLE -> Double.toString(value.asDouble().getValue());
      case BINARY -> HexFormat.of().formatHex(value.asBinary().getData());
      case DECIMAL128 ->
          value.asDecimal128().getValue().isFinite()
              // Not bigDecimalValue(): it refuses a zero with a sign.
              ? text(new BigDecimal(value.asDecimal128().getValue().toString()))
              : value.asDecimal128().getValue().toString();
      default -> new BsonDocument("v", value).toJson();
    };
  }

  static String text(BigDecimal value) {
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }

  private static String escaped(String text) {
    return text.indexOf('~') < 0 && text.indexOf('/') < 0 && text.indexOf(',') < 0
        ? text
        : text.replace("~", "~0").replace("/", "~1").replace(",", "~2");
  }

  /** The text itself, or its beginning and a hash of all of it: an index takes no longer ones. */
  private static String shortened(String text) {
    if (text.length() <= MAX_PART_LENGTH) {
      return text;
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      String tail = "~" + Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
      int end = MAX_PART_LENGTH - tail.length();
      if (Character.isHighSurrogate(text.charAt(end - 1))) {
        end--;
      }
      return text.substring(0, end) + tail;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Java has no SHA-256", e);
    }
  }
}
