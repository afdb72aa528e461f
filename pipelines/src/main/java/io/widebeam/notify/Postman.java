package io.widebeam.notify;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Delivers behind the pipeline's back: whoever has something to deliver comes back to ask how it
 * went. One for each JVM, since a runner may ask in another instance than the one that gave it.
 */
final class Postman {
  private static final int THREADS = 4;
  private static final int ROOM = 1_000;

  private static final ThreadPoolExecutor THREAD_POOL =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          10,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(ROOM),
          task -> {
            Thread thread = new Thread(task, "widebeam-rule-notifier");
            thread.setDaemon(true);
            return thread;
          });

  static {
    THREAD_POOL.allowCoreThreadTimeOut(true);
  }

  /** What nobody asks for any more goes, and would be delivered once more. */
  private static final Cache<Errand, CompletableFuture<Optional<String>>> ERRANDS =
      CacheBuilder.newBuilder().expireAfterAccess(Duration.ofMinutes(30)).build();

  private record Errand(String notification, Channel channel) {}

  private Postman() {}

  /**
   * How it went, if it is known by now: empty for well, else why not. An errand that failed is
   * forgotten with the answer, so that the next question is another attempt.
   */
  static Optional<Optional<String>> ask(Notification notification, Channel channel) {
    Errand errand = new Errand(notification.id(), channel);
    CompletableFuture<Optional<String>> known = ERRANDS.getIfPresent(errand);
    if (known == null) {
      CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
      try {
        THREAD_POOL.execute(() -> answer.complete(attempt(notification, channel)));
        ERRANDS.put(errand, answer);
      } catch (RejectedExecutionException e) {
        // There is no room now; the next question is in a while.
      }
      return Optional.empty();
    }
    if (!known.isDone()) {
      return Optional.empty();
    }
    ERRANDS.invalidate(errand);
    return Optional.of(known.join());
  }

  /** Delivers while the caller waits. Empty for well, else why not. */
  static Optional<String> finish(Notification notification, Channel channel) {
    CompletableFuture<Optional<String>> known =
        ERRANDS.getIfPresent(new Errand(notification.id(), channel));
    return known != null && known.join().isEmpty()
        ? Optional.empty()
        : attempt(notification, channel);
  }

  private static Optional<String> attempt(Notification notification, Channel channel) {
    try {
      Delivery.deliver(notification, channel);
      return Optional.empty();
    } catch (DeliveryException | RuntimeException e) {
      return Optional.of(Notifier.reason(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("the process ends");
    }
  }
}
