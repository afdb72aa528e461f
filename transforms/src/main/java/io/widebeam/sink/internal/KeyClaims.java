package io.widebeam.sink.mongodb;

import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.bson.BsonValue;

/**
 * The documents of one collection that this JVM is writing right now. A batch claims all its
 * documents before it is sent and frees them when it is acknowledged, so that two writes of a
 * document never overtake each other, whichever bundle or thread they come from.
 *
 * <p>Who waits for a claim may hold others, but only of batches that already run and that end
 * without waiting for claims: so there is no deadlock.
 */
final class KeyClaims {

  private final Set<BsonValue> claimed = new HashSet<>();

  synchronized void claim(Collection<BsonValue> keys) throws InterruptedException {
    while (!Collections.disjoint(claimed, keys)) {
      wait();
    }
    claimed.addAll(keys);
  }

  synchronized void free(Collection<BsonValue> keys) {
    keys.forEach(claimed::remove);
    notifyAll();
  }
}
