package io.widebeam.notify;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Objects;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;

/**
 * Something that has happened to a flow.
 *
 * @param id the same however often it is delivered, and of nothing else
 * @param text one line for people, without secrets
 * @param time when it happened
 * @param details what programs want to know, without secrets; their names are none of the others
 */
public record Notification(
    String id, String flow, Event event, String text, Instant time, BsonDocument details) {

  /** JSON as it is everywhere: dates are texts, and decimals are numbers with all their digits. */
  private static final JsonWriterSettings PLAIN =
      JsonWriterSettings.builder()
          .outputMode(JsonMode.RELAXED)
          .dateTimeConverter(
              (millis, writer) -> writer.writeString(Instant.ofEpochMilli(millis).toString()))
          .decimal128Converter(
              (value, writer) -> {
                if (value.isFinite()) {
                  writer.writeNumber(value.bigDecimalValue().toPlainString());
                } else {
                  writer.writeString(value.toString());
                }
              })
          .int64Converter((value, writer) -> writer.writeNumber(value.toString()))
          .doubleConverter(
              (value, writer) -> {
                if (Double.isFinite(value)) {
                  writer.writeNumber(value.toString());
                } else {
                  writer.writeString(value.toString());
                }
              })
          .binaryConverter(
              (value, writer) ->
                  writer.writeString(Base64.getEncoder().encodeToString(value.getData())))
          .objectIdConverter((value, writer) -> writer.writeString(value.toHexString()))
          .build();

  public Notification {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(flow, "flow");
    Objects.requireNonNull(event, "event");
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(details, "details");
  }

  /** An event of the flow's life: no other one of its kind is at the same time. */
  public static Notification of(
      String flow, Event event, String text, Instant time, BsonDocument details) {
    return new Notification(
        flow + "/" + event.label() + "/" + time, flow, event, text, time, details);
  }

  /** What is posted. */
  public String json() {
    BsonDocument all = new BsonDocument("id", new BsonString(id));
    all.put("flow", new BsonString(flow));
    all.put("event", new BsonString(event.label()));
    all.put("time", new BsonString(time.toString()));
    all.put("text", new BsonString(text));
    all.putAll(details);
    return json(all);
  }

  static String json(BsonDocument document) {
    return document.toJson(PLAIN);
  }

  /** The fields in order. */
  static final class NotificationCoder extends AtomicCoder<Notification> {
    private static final Coder<String> TEXT = StringUtf8Coder.of();

    public static NotificationCoder of() {
      return new NotificationCoder();
    }

    @Override
    public void encode(Notification notification, OutputStream out) throws IOException {
      TEXT.encode(notification.id, out);
      TEXT.encode(notification.flow, out);
      TEXT.encode(notification.event.label(), out);
      TEXT.encode(notification.text, out);
      TEXT.encode(notification.time.toString(), out);
      // Small, and its types survive.
      TEXT.encode(
          notification.details.toJson(
              JsonWriterSettings.builder().outputMode(JsonMode.EXTENDED).build()),
          out);
    }

    @Override
    public Notification decode(InputStream in) throws IOException {
      return new Notification(
          TEXT.decode(in),
          TEXT.decode(in),
          Event.of(TEXT.decode(in)).orElseThrow(),
          TEXT.decode(in),
          Instant.parse(TEXT.decode(in)),
          BsonDocument.parse(TEXT.decode(in)));
    }
  }

  /** For mail servers, which tell by it what they have had. */
  String messageId() {
    return "<"
        + com.google.common.hash.Hashing.sha256().hashString(id, StandardCharsets.UTF_8)
        + "@widebeam>";
  }
}
