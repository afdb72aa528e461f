package io.widebeam.simulation;

import io.widebeam.document.DocumentChange;
import java.util.HashMap;
import java.util.Map;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonElement;
import org.bson.BsonValue;

/**
 * Where one view's documents are written. A write is refused unless its version is above the stored
 * one's; deletions are remembered, as long as the process lives.
 */
final class Target {
  private record Stored(long version, @Nullable BsonDocument document) {}

  private final Map<BsonValue, Stored> stored = new HashMap<>();

  /** The highest version that each document ever had. */
  private final Map<BsonValue, Long> highest = new HashMap<>();

  private long writes;

  void write(DocumentChange change) {
    Stored before = stored.get(change.key());
    if (before != null && before.version >= change.version()) {
      return;
    }
    Long seen = highest.put(change.key(), change.version());
    if (seen != null && seen > change.version()) {
      throw new SimulationFailure(
          SimulationFailure.Kind.VERSION,
          "the version of document "
              + change.key()
              + " went back in the target, from "
              + seen
              + " to "
              + change.version());
    }
    stored.put(change.key(), new Stored(change.version(), copy(change.after())));
    writes++;
  }

  /** The process has ended, and with it the memory of what was deleted. */
  void forgetDeletes() {
    stored.values().removeIf(document -> document.document == null);
  }

  Map<BsonValue, BsonDocument> documents() {
    Map<BsonValue, BsonDocument> documents = new HashMap<>();
    stored.forEach(
        (key, document) -> {
          if (document.document != null) {
            documents.put(key, document.document);
          }
        });
    return documents;
  }

  /** How many writes were not refused. */
  long writes() {
    return writes;
  }

  @Nullable
  static BsonDocument copy(@Nullable BsonDocument raw) {
    return raw == null
        ? null
        : new BsonDocument(
            raw.entrySet().stream()
                .map(field -> new BsonElement(field.getKey(), field.getValue()))
                .toList());
  }
}
