package io.widebeam.sink.internal;

import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * The documents of one target that this JVM is writing right now. A batch claims all its documents
 * before it is sent and frees them when it is acknowledged, so that two writes of a document never
 * overtake each other, whichever bundle or thread they come from.
 *
 * <p>Who waits for a claim may hold others, but only of batches that already run and that end
 * without waiting for claims: so there is no deadlock.
 *
 * @param <K> what tells documents apart, by {@code equals}
 */
public final class KeyClaims<K> {

  private final Set<K> claimed = new HashSet<>();

  /** Waits until nobody else writes any of these documents. */
  public synchronized void claim(Collection<K> keys) throws InterruptedException {
    while (!Collections.disjoint(claimed, keys)) {
      wait();
    }
    claimed.addAll(keys);
  }

  /** Lets the next one have these documents. */
  public synchronized void free(Collection<K> keys) {
    keys.forEach(claimed::remove);
    notifyAll();
  }
}
