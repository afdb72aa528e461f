package io.widebeam.notify;

import io.widebeam.document.DocumentChange;
import java.time.Instant;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.transforms.DoFn;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;

/**
 * Tells where a rule has come true: of rows that are there exactly while it is.
 *
 * <p>Stateless, and without an assumption on the order of arrival: what was so before is what the
 * rollup's own state says that it last gave out, and that outlives a restart. A change that comes
 * out again after a crash has the same before.
 */
final class CrossingFn extends DoFn<DocumentChange, Notification> {
  /** The load is released tick by tick, one for each stage that it passes. */
  private static final long RELEASE_MILLIS = 1_000;

  private final Counter crossings = Metrics.counter("widebeam", "ruleCrossings");

  private final String flow;
  private final String rule;
  private final String condition;
  private final long loadMillis;

  /**
   * @param loadMillis the event time of the load, which is what rules begin from
   */
  CrossingFn(String flow, String rule, String condition, long loadMillis) {
    this.flow = flow;
    this.rule = rule;
    this.condition = condition;
    this.loadMillis = loadMillis;
  }

  @ProcessElement
  public void process(
      @Element DocumentChange change,
      @Timestamp org.joda.time.Instant time,
      OutputReceiver<Notification> out) {
    if (change.before() != null || change.after() == null || isOfLoad(change, time)) {
      return;
    }
    crossings.inc();
    BsonDocument group = group(change.key());
    String shown = Notification.json(group);
    BsonDocument details = new BsonDocument("rule", new BsonString(rule));
    details.put("when", new BsonString(condition));
    details.put("group", group);
    details.put("row", change.after());
    details.put("version", new BsonInt64(change.version()));
    out.output(
        new Notification(
            flow + "/" + rule + "/" + shown + "/" + change.version(),
            flow,
            Event.RULES,
            rule + ": " + condition + (group.isEmpty() ? "" : ", for " + words(group)),
            Instant.ofEpochMilli(change.commitMillis()),
            details));
  }

  /** What is so when the flow has been loaded has not come about. */
  private boolean isOfLoad(DocumentChange change, org.joda.time.Instant time) {
    return !change.certain() && time.getMillis() <= loadMillis + RELEASE_MILLIS;
  }

  private static BsonDocument group(BsonValue key) {
    return key.isDocument() ? key.asDocument() : new BsonDocument("_id", key);
  }

  /** As in: shop_id 35, ds 2024-10-01. */
  private static String words(BsonDocument group) {
    StringBuilder words = new StringBuilder();
    group.forEach(
        (field, value) -> {
          String json = Notification.json(new BsonDocument("v", value)).strip();
          String text = json.substring(json.indexOf(':') + 1, json.length() - 1).strip();
          boolean quoted = text.length() > 1 && text.startsWith("\"");
          words
              .append(words.isEmpty() ? "" : ", ")
              .append(field)
              .append(' ')
              .append(quoted ? text.substring(1, text.length() - 1) : text);
        });
    return words.toString();
  }
}
