package io.widebeam.runner.cli;

import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowStatus;
import io.widebeam.flow.FlowStatus.TableProgress;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.flow.Redaction;
import io.widebeam.notify.Event;
import io.widebeam.notify.Notification;
import io.widebeam.notify.Notifier;
import io.widebeam.runner.launch.Failures;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.state.RunReport;
import io.widebeam.runner.state.StateDirectory;
import io.widebeam.runner.state.StateException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt64;
import org.bson.BsonString;

/** Tells a flow's channels what becomes of its runs. */
final class Notices implements AutoCloseable {
  /** For how long a run that went on from a checkpoint is live until its load is taken as over. */
  private static final Duration LOADED_BEFORE = Duration.ofMinutes(1);

  /** A deadlock, which the next attempt mends, is nothing that one has to recover from. */
  private static final Duration WORTH_TELLING = Duration.ofSeconds(2);

  private final String flow;
  private final Notifier notifier;
  private final Redaction redaction;

  @Nullable private StateDirectory state;

  /** When the run before this one failed, if it did and that is not over. */
  @Nullable private Instant failed;

  private Notices(Flow flow) {
    this.flow = flow.name();
    this.notifier = new Notifier(flow.channels());
    this.redaction = Redaction.of(flow);
  }

  static Notices of(Flow flow) {
    return new Notices(flow);
  }

  /** Looks up how the run before ended, and remembers there what is told. */
  void remember(StateDirectory directory) {
    state = directory;
    try {
      RunReport.read(directory.path())
          .filter(report -> report.state() != FlowStatus.State.STOPPED)
          .ifPresent(report -> failed = report.updated());
    } catch (StateException e) {
      // A report that nobody can read is no reason not to run.
    }
  }

  /** Says why the job has failed, in the words of the terminal. */
  void tellFailure(Throwable failure) {
    tell(Event.FAILURE, redaction.apply(Failures.describe(failure)), new BsonDocument());
  }

  /** What is told of a run while it lasts. */
  Consumer<FlowStatus> watching(PlannedFlow planned, RunningBeamFlow running) {
    return new Run(planned, running);
  }

  private final class Run implements Consumer<FlowStatus> {
    private final PlannedFlow planned;
    private final RunningBeamFlow running;
    private final Map<String, Instant> downSince = new LinkedHashMap<>();
    private final Set<String> waitedFor = new TreeSet<>();
    @Nullable private Instant waitingSince;
    private final boolean resumed;
    private boolean loaded;
    @Nullable private Instant liveSince;

    Run(PlannedFlow planned, RunningBeamFlow running) {
      this.planned = planned;
      this.running = running;
      this.resumed = state != null && !state.checkpoints().isEmpty();
      this.loaded = state != null && state.isToldLoaded();
    }

    @Override
    public void accept(FlowStatus status) {
      if (status.state() != FlowStatus.State.RUNNING) {
        return;
      }
      Instant now = Instant.now();
      if (liveSince == null && running.isLive()) {
        liveSince = now;
      }
      sources(status, now);
      targets(status, now);
      if (liveSince != null && failed != null) {
        tellRecovery(now);
      }
      if (liveSince != null && !loaded && isWritten(now)) {
        loaded = true;
        tellLoaded(status, now);
      }
    }

    private void sources(FlowStatus status, Instant now) {
      status.sourcesDown().forEach(source -> downSince.putIfAbsent(source, now));
      downSince
          .entrySet()
          .removeIf(
              entry -> {
                if (status.sourcesDown().contains(entry.getKey())) {
                  return false;
                }
                Duration outage = Duration.between(entry.getValue(), now);
                tell(
                    Event.RECOVERY,
                    entry.getKey() + " can be reached again, after " + Ages.of(outage),
                    seconds("outageSeconds", outage)
                        .append("connection", new BsonString(entry.getKey())));
                return true;
              });
    }

    /** Told once for all of them: what makes one table wait mostly makes the others wait too. */
    private void targets(FlowStatus status, Instant now) {
      waitedFor.addAll(status.targetsDown());
      if (!status.targetsDown().isEmpty()) {
        waitingSince = waitingSince == null ? now : waitingSince;
      } else if (waitingSince != null) {
        Duration outage = Duration.between(waitingSince, now);
        if (outage.compareTo(WORTH_TELLING) >= 0) {
          BsonArray targets = new BsonArray();
          waitedFor.forEach(target -> targets.add(new BsonString(target)));
          tell(
              Event.RECOVERY,
              String.join(", ", waitedFor)
                  + (waitedFor.size() == 1 ? " takes" : " take")
                  + " writes again, after "
                  + Ages.of(outage),
              seconds("outageSeconds", outage).append("targets", targets));
        }
        waitingSince = null;
        waitedFor.clear();
      }
    }

    private void tellRecovery(Instant now) {
      Duration outage = Duration.between(failed, now);
      failed = null;
      tell(
          Event.RECOVERY,
          "runs again and has caught up, " + Ages.of(outage) + " after it failed",
          seconds("outageSeconds", outage));
    }

    /**
     * Targets say when they have the load, but only to the run in which that comes about: one that
     * goes on from there goes by the time.
     */
    private boolean isWritten(Instant now) {
      return running.loadsWritten() >= planned.targets().size()
          || (resumed && Duration.between(liveSince, now).compareTo(LOADED_BEFORE) > 0);
    }

    private void tellLoaded(FlowStatus status, Instant now) {
      Duration duration = Duration.between(Instant.ofEpochMilli(planned.generationMillis()), now);
      BsonDocument tables = new BsonDocument();
      for (TableProgress table : status.tables()) {
        tables.put(
            table.table().source() + "." + table.table().name(), new BsonInt64(table.rowsRead()));
      }
      long read = status.tables().stream().mapToLong(TableProgress::rowsRead).sum();
      tell(
          Event.LOADED,
          String.format(
              Locale.ROOT,
              "is loaded: %,d rows of %d tables, %,d documents and rows written, after %s",
              read,
              status.tables().size(),
              status.totalRows(),
              Ages.of(duration)),
          seconds("seconds", duration)
              .append("tables", tables)
              .append("written", new BsonInt64(status.totalRows())));
      if (state != null) {
        state.tellLoaded();
      }
    }
  }

  private static BsonDocument seconds(String name, Duration duration) {
    return new BsonDocument(name, new BsonDouble(duration.toMillis() / 1e3));
  }

  private void tell(Event event, String text, BsonDocument details) {
    notifier.tell(Notification.of(flow, event, text, Instant.now(), details));
  }

  @Override
  public void close() {
    notifier.close();
  }
}
