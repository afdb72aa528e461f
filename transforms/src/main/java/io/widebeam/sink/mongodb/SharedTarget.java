package io.widebeam.sink.mongodb;

import com.mongodb.MongoClientSettings;
import com.mongodb.ReadPreference;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import io.widebeam.sink.internal.KeyClaims;
import io.widebeam.sink.internal.OutageLog;
import io.widebeam.sink.internal.RecentDeletes;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.annotation.Nullable;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all writers of one collection share within a JVM: the client with its connections, the
 * documents being written, and the recent deletes.
 */
final class SharedTarget implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(SharedTarget.class);

  private static final Duration REMEMBER_DELETES = Duration.ofMinutes(10);
  private static final int MAX_REMEMBERED_DELETES = 100_000;

  private static final Map<MongoTarget, SharedTarget> OPEN = new HashMap<>();

  private final MongoTarget target;
  private final KeyClaims<BsonValue> claims = new KeyClaims<>();
  private final RecentDeletes<BsonValue> deletes =
      new RecentDeletes<>(MAX_REMEMBERED_DELETES, REMEMBER_DELETES, System::nanoTime);
  private final OutageLog outages;

  private int users;
  @Nullable private MongoClient client;
  @Nullable private VersionGuard guard;

  private SharedTarget(MongoTarget target) {
    this.target = target;
    this.outages = new OutageLog(LOG, target);
  }

  static SharedTarget open(MongoTarget target) {
    synchronized (OPEN) {
      // A target without users is kept for its deletes: the next bundle's writer needs them.
      OPEN.values().removeIf(shared -> shared.users == 0 && shared.deletes.isEmpty());
      SharedTarget shared = OPEN.computeIfAbsent(target, SharedTarget::new);
      if (shared.users == 0) {
        shared.connect();
      }
      shared.users++;
      return shared;
    }
  }

  @Override
  public void close() {
    synchronized (OPEN) {
      if (--users == 0) {
        outages.close();
        synchronized (this) {
          client.close();
          client = null;
          guard = null;
        }
      }
    }
  }

  private synchronized void connect() {
    client =
        MongoClients.create(
            MongoClientSettings.builder()
                .applicationName("widebeam")
                .applyToClusterSettings(
                    cluster -> cluster.serverSelectionTimeout(5, TimeUnit.SECONDS))
                .applyToSocketSettings(
                    socket ->
                        socket
                            .connectTimeout(5, TimeUnit.SECONDS)
                            .readTimeout(60, TimeUnit.SECONDS))
                // Comes after the defaults above, so that the URI's own settings win.
                .applyConnectionString(target.connectionString())
                .compressorList(List.of())
                .build());
  }

  KeyClaims<BsonValue> claims() {
    return claims;
  }

  RecentDeletes<BsonValue> deletes() {
    return deletes;
  }

  MongoTarget target() {
    return target;
  }

  MongoCollection<RawBsonDocument> collection() {
    return database().getCollection(target.collection(), RawBsonDocument.class);
  }

  /** Asks the server the first time, and fails as any command does if it is not there. */
  synchronized VersionGuard guard() {
    if (guard == null) {
      guard = VersionGuard.forServer(database());
      LOG.debug("Versions in {} are guarded {}", target, guard);
    }
    return guard;
  }

  /** For tests: decides for the server, until the last user closes. */
  synchronized void setGuard(VersionGuard guard) {
    this.guard = guard;
  }

  private synchronized MongoDatabase database() {
    if (client == null) {
      throw new IllegalStateException("the writer of " + target + " is closed");
    }
    // A secondary may not know yet what was just written.
    return client.getDatabase(target.database()).withReadPreference(ReadPreference.primary());
  }

  OutageLog outages() {
    return outages;
  }
}
