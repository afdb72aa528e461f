package io.widebeam.notify;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a flow's channels what happens to the flow, behind the back of who says so: {@link #tell}
 * never waits and never fails. A channel that does not take a notification is tried again a few
 * times; what it does not take then, and what there is no room for, is lost, counted, and said so
 * in the log.
 */
public final class Notifier implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Notifier.class);

  private static final int ROOM = 100;
  private static final int ATTEMPTS = 5;
  private static final long POLL_MILLIS = 100;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

  /** What a process waits for the last notifications before it ends. */
  private static final Duration FAREWELL = Duration.ofSeconds(20);

  private final List<Line> lines;
  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong lost = new AtomicLong();
  private volatile boolean closing;

  public Notifier(List<Channel> channels) {
    this(channels, FIRST_PAUSE, ROOM);
  }

  Notifier(List<Channel> channels, Duration firstPause, int room) {
    this.lines = channels.stream().map(channel -> new Line(channel, firstPause, room)).toList();
  }

  /** Takes a notification for those who want it. */
  public void tell(Notification notification) {
    lines.forEach(line -> line.tell(notification));
  }

  /** How many deliveries there were, to all channels. */
  public long delivered() {
    return delivered.get();
  }

  /** How many deliveries were given up. */
  public long lost() {
    return lost.get();
  }

  /** Waits a while for what is on its way. */
  @Override
  public void close() {
    closing = true;
    long end = System.nanoTime() + FAREWELL.toNanos();
    lines.forEach(line -> line.close(end));
  }

  /** What libraries say may have secrets in it. */
  static String reason(Exception e) {
    return e instanceof DeliveryException ? e.getMessage() : e.getClass().getSimpleName();
  }

  /** One channel's notifications, in order; a channel that is down keeps no other waiting. */
  private final class Line {
    private final Channel channel;
    private final Duration firstPause;
    private final BlockingQueue<Notification> queue;
    private final Thread thread;

    Line(Channel channel, Duration firstPause, int room) {
      this.channel = channel;
      this.firstPause = firstPause;
      this.queue = new ArrayBlockingQueue<>(room);
      this.thread = new Thread(this::deliverAll, "widebeam-notifier");
      thread.setDaemon(true);
      thread.start();
    }

    void tell(Notification notification) {
      if (channel.events().contains(notification.event()) && !queue.offer(notification)) {
        lose(notification, "too many others wait already");
      }
    }

    private void deliverAll() {
      try {
        while (!closing || !queue.isEmpty()) {
          Notification next = queue.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
          if (next != null) {
            deliver(next);
          }
        }
      } catch (InterruptedException e) {
        queue.forEach(notification -> lose(notification, "the process ends"));
      }
    }

    private void deliver(Notification notification) throws InterruptedException {
      Duration pause = firstPause;
      for (int attempt = 1; true; attempt++) {
        try {
          Delivery.deliver(notification, channel);
          delivered.incrementAndGet();
          return;
        } catch (DeliveryException | RuntimeException e) {
          if (attempt == ATTEMPTS) {
            lose(notification, ATTEMPTS + " attempts have failed, as " + reason(e));
            return;
          }
          LOG.info("{}, {}: {}", channel, notification.event().label(), reason(e));
        }
        try {
          Thread.sleep(pause.toMillis());
        } catch (InterruptedException e) {
          lose(notification, "the process ends");
          throw e;
        }
        pause = pause.multipliedBy(2);
      }
    }

    private void lose(Notification notification, String why) {
      lost.incrementAndGet();
      LOG.warn("a notification ({}) by {} is lost: {}", notification.event().label(), channel, why);
    }

    void close(long endNanos) {
      try {
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime())));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      thread.interrupt();
    }
  }
}
