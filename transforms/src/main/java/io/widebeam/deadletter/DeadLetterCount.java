package io.widebeam.deadletter;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter.Stage;
import java.io.Serializable;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts dead letters where they come into being, in {@code widebeam/deadLetters}, and says the
 * first of each table and stage in the log: one may be news, and a thousand are not.
 */
public final class DeadLetterCount implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterCount.class);

  private record Known(Stage stage, String place, TableId table) {}

  private static final Set<Known> KNOWN = ConcurrentHashMap.newKeySet();

  private final Counter letters = Metrics.counter("widebeam", "deadLetters");

  /** One more. */
  public void add(DeadLetter letter) {
    letters.inc();
    if (KNOWN.add(new Known(letter.stage(), letter.place(), letter.table()))) {
      LOG.warn("Dead letter: {}", letter.reason());
    }
  }
}
