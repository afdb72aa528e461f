package io.widebeam.sink.internal;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/**
 * Says in the log that a target does not take writes, now and then, and when it does again; and to
 * whoever asks in this process. (No metric can tell: they stand still while a bundle waits.)
 */
public final class OutageLog implements AutoCloseable {
  private static final Set<OutageLog> CURRENT = ConcurrentHashMap.newKeySet();

  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Logger log;
  private final Object target;
  private boolean outage;
  private long sinceNanos;
  private long loggedNanos;

  /** {@code target} is named in the messages; it must show no secrets. */
  public OutageLog(Logger log, Object target) {
    this.log = log;
    this.target = target;
  }

  /** A write failed and is going to be repeated. */
  public synchronized void reportOutage(String reason) {
    long now = System.nanoTime();
    if (!outage) {
      outage = true;
      CURRENT.add(this);
      sinceNanos = now;
    } else if (now - loggedNanos < INTERVAL_NANOS) {
      return;
    }
    loggedNanos = now;
    log.warn(
        "{} does not take writes ({}). Nothing is lost: they wait and are tried again until it"
            + " does.",
        target,
        reason);
  }

  /** A write succeeded. */
  public synchronized void reportSuccess() {
    if (outage) {
      close();
      log.info(
          "{} takes writes again, after {} s.",
          target,
          TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - sinceNanos));
    }
  }

  /** Nobody waits any more. */
  @Override
  public synchronized void close() {
    outage = false;
    CURRENT.remove(this);
  }

  /** The targets that this process waits for at the moment. */
  public static List<String> current() {
    return CURRENT.stream().map(log -> log.target.toString()).distinct().sorted().toList();
  }
}
