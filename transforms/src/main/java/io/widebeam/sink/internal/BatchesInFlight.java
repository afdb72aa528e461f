package io.widebeam.sink.internal;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.beam.sdk.metrics.MetricsContainer;
import org.apache.beam.sdk.metrics.MetricsEnvironment;

/**
 * The batches of a bundle that are on their way to the target while the next one is gathered. Each
 * claims its documents before it goes out and frees them when it is written. Not thread-safe.
 *
 * @param <K> what tells documents apart, by {@code equals}
 */
public final class BatchesInFlight<K> {

  /** Writes one batch. */
  @FunctionalInterface
  public interface Write {
    void run() throws IOException, InterruptedException;
  }

  private static final int MAX_BATCHES = 2;

  private static final ExecutorService WRITERS =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "widebeam-writer");
            thread.setDaemon(true);
            return thread;
          });

  private final KeyClaims<K> claims;
  private final String target;
  private final Deque<Future<?>> batches = new ArrayDeque<>();

  /**
   * @param target names it in messages
   */
  public BatchesInFlight(KeyClaims<K> claims, String target) {
    this.claims = claims;
    this.target = target;
  }

  /**
   * Sends a batch out, once fewer than the most are on their way.
   *
   * @throws IOException if one of those failed; what a write throws unchecked comes as it is
   */
  public void send(Collection<K> documents, Write write) throws IOException, InterruptedException {
    while (batches.size() >= MAX_BATCHES) {
      awaitOldest();
    }
    claims.claim(documents);
    // Metrics belong to the bundle's thread unless told otherwise.
    MetricsContainer metrics = MetricsEnvironment.getCurrentContainer();
    batches.add(
        WRITERS.submit(
            () -> {
              try (var scope = MetricsEnvironment.scopedMetricsContainer(metrics)) {
                writeClaimed(documents, write);
              }
              return null;
            }));
  }

  /** Writes a batch on the caller's thread: the last of a bundle, which is often the only one. */
  public void write(Collection<K> documents, Write write) throws IOException, InterruptedException {
    claims.claim(documents);
    writeClaimed(documents, write);
  }

  private void writeClaimed(Collection<K> documents, Write write)
      throws IOException, InterruptedException {
    try {
      write.run();
    } finally {
      claims.free(documents);
    }
  }

  /**
   * Waits until all are written.
   *
   * @throws IOException as {@link #send}
   */
  public void await() throws IOException, InterruptedException {
    while (!batches.isEmpty()) {
      awaitOldest();
    }
  }

  private void awaitOldest() throws IOException, InterruptedException {
    try {
      batches.peek().get();
      batches.remove();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IOException("Writing to " + target + " failed", e.getCause());
    }
  }
}
