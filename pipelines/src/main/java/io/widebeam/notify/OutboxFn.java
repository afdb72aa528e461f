package io.widebeam.notify;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.metrics.Counter;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.state.StateSpec;
import org.apache.beam.sdk.state.StateSpecs;
import org.apache.beam.sdk.state.TimeDomain;
import org.apache.beam.sdk.state.Timer;
import org.apache.beam.sdk.state.TimerSpec;
import org.apache.beam.sdk.state.TimerSpecs;
import org.apache.beam.sdk.state.ValueState;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.util.VarInt;
import org.apache.beam.sdk.values.KV;
import org.joda.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds each notification until all channels that want it have taken it: delivery is at least once,
 * and what is repeated has the id that it had. Keyed by the notification's id; the state ends with
 * the delivery, or after {@link #GIVE_UP} of attempts with growing pauses.
 *
 * <p>Attempts are made behind the pipeline's back. A timer asks how they went; after a restart it
 * finds none on its way, and begins again.
 */
final class OutboxFn extends DoFn<KV<String, Notification>, Void> {
  private static final Logger LOG = LoggerFactory.getLogger(OutboxFn.class);

  /** How long a channel may be away. */
  static final Duration GIVE_UP = Duration.standardDays(1);

  private static final Duration ASK_AGAIN = Duration.millis(200);
  private static final long LONGEST_PAUSE_MILLIS = Duration.standardMinutes(5).getMillis();

  private static final long WARNING_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final Counter delivered = Metrics.counter("widebeam", "notificationsDelivered");
  private final Counter failures = Metrics.counter("widebeam", "notificationFailures");
  private final Counter lost = Metrics.counter("widebeam", "notificationsLost");

  // These ids are a wire format: a checkpoint finds its state by them.
  @StateId("waiting")
  private final StateSpec<ValueState<Waiting>> waitingSpec = StateSpecs.value(new WaitingCoder());

  @TimerId("ask")
  private final TimerSpec askSpec = TimerSpecs.timer(TimeDomain.PROCESSING_TIME);

  private final ArrayList<Channel> channels;

  /** When each channel was last complained of. */
  private transient long[] warnedNanos;

  /**
   * What is still to be delivered.
   *
   * @param delivered the channels, by their place and text form, that have it
   * @param failed how many attempts were in vain since the last one that was not
   * @param since when it came, in milliseconds since the epoch
   * @param due when there is something to ask, in milliseconds since the epoch
   */
  record Waiting(
      Notification notification, List<String> delivered, int failed, long since, long due) {}

  OutboxFn(List<Channel> channels) {
    this.channels = new ArrayList<>(channels);
  }

  @Setup
  public void setUp() {
    warnedNanos = new long[channels.size()];
    Arrays.fill(warnedNanos, System.nanoTime() - WARNING_NANOS);
  }

  @ProcessElement
  public void process(
      @Element KV<String, Notification> element,
      @StateId("waiting") ValueState<Waiting> state,
      @TimerId("ask") Timer ask) {
    if (state.read() != null) {
      return;
    }
    long now = System.currentTimeMillis();
    deliver(new Waiting(element.getValue(), List.of(), 0, now, now), state, ask, false);
  }

  @OnTimer("ask")
  public void ask(@StateId("waiting") ValueState<Waiting> state, @TimerId("ask") Timer ask) {
    Waiting waiting = state.read();
    if (waiting != null) {
      // At the end of everything, timers come before their time, and there is no other.
      boolean last = System.currentTimeMillis() < waiting.due - ASK_AGAIN.getMillis() / 2;
      deliver(waiting, state, ask, last);
    }
  }

  private void deliver(Waiting waiting, ValueState<Waiting> state, Timer ask, boolean last) {
    Notification notification = waiting.notification;
    List<String> done = new ArrayList<>(waiting.delivered);
    boolean failed = false;
    boolean underWay = false;
    for (int i = 0; i < channels.size(); i++) {
      Channel channel = channels.get(i);
      String name = i + " " + channel;
      if (!channel.events().contains(notification.event()) || done.contains(name)) {
        continue;
      }
      Optional<Optional<String>> answer =
          last
              ? Optional.of(Postman.finish(notification, channel))
              : Postman.ask(notification, channel);
      if (answer.isEmpty()) {
        underWay = true;
      } else if (answer.get().isEmpty()) {
        delivered.inc();
        done.add(name);
      } else {
        failed = true;
        failures.inc();
        tell(i, answer.get().get());
      }
    }
    long now = System.currentTimeMillis();
    if (!failed && !underWay) {
      state.clear();
    } else if (last || now - waiting.since > GIVE_UP.getMillis()) {
      lost.inc();
      LOG.warn("a notification of a rule is lost: {}", notification.text());
      state.clear();
    } else {
      int failedBefore = failed ? waiting.failed + 1 : waiting.failed;
      long pause = underWay ? ASK_AGAIN.getMillis() : pauseMillis(failedBefore);
      state.write(new Waiting(notification, done, failedBefore, waiting.since, now + pause));
      ask.withNoOutputTimestamp().offset(Duration.millis(pause)).setRelative();
    }
  }

  /** Not once for each of many that wait. */
  private void tell(int channel, String reason) {
    long now = System.nanoTime();
    if (now - warnedNanos[channel] >= WARNING_NANOS) {
      warnedNanos[channel] = now;
      LOG.warn(
          "{} does not take notifications, which are tried again: {}",
          channels.get(channel),
          reason);
    } else {
      LOG.debug("{} does not take notifications: {}", channels.get(channel), reason);
    }
  }

  private static long pauseMillis(int failed) {
    return Math.min(LONGEST_PAUSE_MILLIS, 500L << Math.min(failed, 10));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    super.populateDisplayData(builder);
    builder.add(DisplayData.item("channels", channels.toString()).withLabel("Channels"));
  }

  /** The fields in order. */
  static final class WaitingCoder extends AtomicCoder<Waiting> {
    private static final Notification.NotificationCoder NOTIFICATION =
        Notification.NotificationCoder.of();
    private static final ListCoder<String> TEXTS = ListCoder.of(StringUtf8Coder.of());

    @Override
    public void encode(Waiting waiting, OutputStream out) throws IOException {
      NOTIFICATION.encode(waiting.notification, out);
      TEXTS.encode(waiting.delivered, out);
      VarInt.encode(waiting.failed, out);
      VarInt.encode(waiting.since, out);
      VarInt.encode(waiting.due, out);
    }

    @Override
    public Waiting decode(InputStream in) throws IOException {
      return new Waiting(
          NOTIFICATION.decode(in),
          TEXTS.decode(in),
          VarInt.decodeInt(in),
          VarInt.decodeLong(in),
          VarInt.decodeLong(in));
    }
  }
}
