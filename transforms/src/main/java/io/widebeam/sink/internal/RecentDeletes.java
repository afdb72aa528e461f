package io.widebeam.sink.internal;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The versions of the deletes of the last minutes, so that an older upsert that comes late does not
 * bring a document back. When full, the oldest delete is forgotten. (A frequency-based cache would
 * rather turn away the newest, which is the one that matters here.)
 *
 * @param <K> what tells documents apart, by {@code equals}
 */
public final class RecentDeletes<K> {

  private record Delete(long version, long nanoTime) {}

  private final int capacity;
  private final long lifetimeNanos;
  private final LongSupplier nanoClock;
  private final Map<K, Delete> deletes = new LinkedHashMap<>();

  /** {@code nanoClock} is {@link System#nanoTime}, but in tests. */
  public RecentDeletes(int capacity, Duration lifetime, LongSupplier nanoClock) {
    this.capacity = capacity;
    this.lifetimeNanos = lifetime.toNanos();
    this.nanoClock = nanoClock;
  }

  /** Remembers a delete. */
  public synchronized void add(K key, long version) {
    Delete earlier = deletes.remove(key);
    long highest = earlier == null ? version : Math.max(version, earlier.version());
    deletes.put(key, new Delete(highest, nanoClock.getAsLong()));
    forget();
  }

  /** Whether a delete of that version or a later one is remembered. */
  public synchronized boolean outranks(K key, long version) {
    Delete delete = deletes.get(key);
    return delete != null && delete.version() >= version && !expired(delete);
  }

  /** Whether no delete is remembered any more. */
  public synchronized boolean isEmpty() {
    forget();
    return deletes.isEmpty();
  }

  private void forget() {
    Iterator<Delete> oldestFirst = deletes.values().iterator();
    while (oldestFirst.hasNext()) {
      if (!expired(oldestFirst.next()) && deletes.size() <= capacity) {
        return;
      }
      oldestFirst.remove();
    }
  }

  private boolean expired(Delete delete) {
    return nanoClock.getAsLong() - delete.nanoTime() > lifetimeNanos;
  }
}
