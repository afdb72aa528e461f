package io.widebeam.runner.bench;

import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Projections.include;

import com.mongodb.client.MongoCollection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.bson.Document;

/**
 * A client that reads all documents over and over, and notes whose version goes back and who is
 * gone that must not be.
 */
final class VersionWatch implements AutoCloseable {
  private static final int SHOWN_FAULTS = 10;

  private final MongoCollection<Document> target;
  private final String versionField;
  private final Set<String> lasting;
  private final Map<Object, Long> versions = new HashMap<>();
  private final List<String> faults = new ArrayList<>();
  private final Thread thread = new Thread(this::watch, "version-watch");
  private volatile boolean done;
  private long observed;

  /**
   * @param lasting the keys of documents that must not go once they were there
   */
  VersionWatch(MongoCollection<Document> target, String versionField, Set<String> lasting) {
    this.target = target;
    this.versionField = versionField;
    this.lasting = lasting;
    thread.start();
  }

  private void watch() {
    try {
      while (!done) {
        readAll();
        TimeUnit.MILLISECONDS.sleep(10);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      fault("the target could not be read: " + e);
    }
  }

  private void readAll() {
    Set<Object> seen = new HashSet<>();
    for (Document document : target.find().projection(include(versionField)).batchSize(10_000)) {
      seen.add(document.get("_id"));
      note(document);
    }
    for (String key : lasting) {
      // A reader of many documents may miss one that is being replaced: look once more.
      if (versions.containsKey(key) && !seen.contains(key)) {
        Document document = target.find(eq("_id", key)).first();
        if (document == null) {
          fault("document " + key + " is gone, though its order is not");
        } else {
          note(document);
        }
      }
    }
  }

  private synchronized void note(Document document) {
    Object key = document.get("_id");
    long version = document.getLong(versionField);
    Long before = versions.put(key, version);
    if (before != null && before > version) {
      fault("document " + key + " went from version " + before + " back to " + version);
    }
    if (before == null || before != version) {
      observed++;
    }
  }

  private synchronized void fault(String what) {
    if (faults.size() < SHOWN_FAULTS) {
      faults.add(what);
    }
  }

  /** How many different versions of documents were seen. */
  synchronized long observed() {
    return observed;
  }

  /** What went wrong so far, for people. */
  synchronized List<String> faults() {
    return List.copyOf(faults);
  }

  @Override
  public void close() {
    done = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
