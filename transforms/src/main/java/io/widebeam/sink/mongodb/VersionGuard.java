package io.widebeam.sink.mongodb;

import com.mongodb.client.MongoDatabase;
import org.bson.Document;

/** Who compares a change's version with the stored document's. */
enum VersionGuard {
  /**
   * The server, by a condition beside {@code _id} in the write's filter: atomic, and so proof
   * against a worker that was given up for dead but still writes.
   */
  IN_FILTER,

  /**
   * This JVM, by reading the versions of a batch and then writing by {@code _id} alone. For servers
   * that use their index for nothing but an exact {@code _id}, where the condition above makes
   * every write scan the collection (mongo-java-server: 40 to 250 ms among 100,000 documents).
   * Exact among the writers of one JVM, see {@link io.widebeam.sink.internal.KeyClaims}.
   */
  READ_FIRST;

  /** Every build of MongoDB itself names the revision it was built from; imitations do not. */
  static VersionGuard forServer(MongoDatabase database) {
    return database.runCommand(new Document("buildInfo", 1)).containsKey("gitVersion")
        ? IN_FILTER
        : READ_FIRST;
  }
}
