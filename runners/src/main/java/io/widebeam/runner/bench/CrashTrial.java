package io.widebeam.runner.bench;

import static com.mongodb.client.model.Filters.eq;

import io.widebeam.cdc.CdcIO;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopSource;
import io.widebeam.runner.shop.ShopVerifier;
import io.widebeam.runner.shop.ShopWorkload;
import io.widebeam.runner.state.RunReport;
import io.widebeam.runner.state.RunReport.Load;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.bson.Document;
import org.bson.types.Decimal128;

/**
 * Runs the order view in a process of its own and kills that at random moments, while the shop goes
 * on, and now and then the source's server; in the end every document must be what SQL joins. A
 * client at the target watches throughout.
 */
public final class CrashTrial {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** What is left of a load comes before a change is seen. */
  private static final Duration PATIENCE_PER_ORDER = Duration.ofMillis(10);

  private static final Duration CHECKPOINT_PATIENCE = Duration.ofSeconds(15);

  /** So that kills meet checkpoints, and there is something to go on from. */
  private static final List<String> OFTEN =
      List.of("--checkpointingInterval=1000", "--minPauseBetweenCheckpoints=500");

  /**
   * What a run reads after its last checkpoint is lost with it, whatever the load is like. So that
   * this does not hide what the load itself reads again, checkpoints follow one another closely;
   * they have to be incremental for that.
   */
  static final List<String> ALL_THE_TIME =
      List.of(
          "--state-backend=rocksdb",
          "--checkpointingInterval=200",
          "--minPauseBetweenCheckpoints=100");

  /** When the process is killed. */
  private enum Moment {
    WHILE_LOADING,
    WHILE_STARTING,
    WHILE_RUNNING,
    WHILE_IDLE,
    IN_A_CHECKPOINT,
    AFTER_THE_SOURCE
  }

  /**
   * What a trial is like.
   *
   * @param source where the shop is
   * @param orders the size of the shop
   * @param changesPerSecond how busy it is
   * @param whileLoading whether every kill is to meet the initial load, after a checkpoint of the
   *     killed run's own
   * @param beamArgs options for the flow
   */
  public record Settings(
      ShopSource.Kind source,
      int kills,
      long seed,
      int orders,
      int changesPerSecond,
      boolean whileLoading,
      List<String> beamArgs) {
    public Settings {
      beamArgs = List.copyOf(beamArgs);
    }
  }

  /**
   * How it went.
   *
   * @param resumeMillis for each start after a kill that was left in peace for so long: from the
   *     start of the process until a change of that moment was seen at the target
   * @param kills how many there were
   * @param tableRows how many rows the tables had in the beginning
   * @param rowsSent how many rows the source's server has sent, all starts together: with those
   *     that were read ahead and not given out before a kill; empty if it does not count
   * @param readAgain what the kills cost, if all were to meet the load
   * @param versions how many versions of documents the watching client saw
   * @param faults what must not be, for people
   */
  public record Report(
      int kills,
      List<Long> resumeMillis,
      long tableRows,
      OptionalLong rowsSent,
      Optional<RowsReadAgain> readAgain,
      long changes,
      long documents,
      long versions,
      List<String> faults) {
    public Report {
      resumeMillis = resumeMillis.stream().sorted().toList();
      faults = List.copyOf(faults);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%d kills, %,d rows in the tables%s, %,d changes, "
              + "%,d documents compared, %,d versions seen; from start to up to date: %s%s",
          kills,
          tableRows,
          rowsSent.isPresent()
              ? String.format(Locale.ROOT, " and %,d sent by the server", rowsSent.getAsLong())
              : "",
          changes,
          documents,
          versions,
          resumeMillis.isEmpty()
              ? "not measured"
              : String.format(
                  Locale.ROOT,
                  "median %.1f s, longest %.1f s (%d starts)",
                  resumeMillis.get(resumeMillis.size() / 2) / 1e3,
                  resumeMillis.get(resumeMillis.size() - 1) / 1e3,
                  resumeMillis.size()),
          readAgain.map(rows -> System.lineSeparator() + rows).orElse(""));
    }
  }

  private final Settings settings;
  private final Path directory;
  private final Consumer<String> progress;
  private final Random random;
  private final Duration patience;
  private final List<Long> resumeMillis = new ArrayList<>();
  private RowsReadAgain readAgain;
  @Nullable private Load killed;
  private String probe;
  private long nextProbe = 1_000_000;

  private CrashTrial(Settings settings, Path directory, Consumer<String> progress) {
    this.settings = settings;
    this.directory = directory;
    this.progress = progress;
    this.random = new Random(settings.seed());
    this.patience = PATIENCE.plus(PATIENCE_PER_ORDER.multipliedBy(settings.orders()));
  }

  /**
   * Runs a trial.
   *
   * @param directory an empty directory for the flow's state; left as it is in the end
   */
  public static Report run(Settings settings, Path directory, Consumer<String> progress)
      throws SQLException, InterruptedException {
    return new CrashTrial(settings, directory, progress).run();
  }

  private Report run() throws SQLException, InterruptedException {
    try (ShopServers servers = ShopServers.start(settings.source(), settings.orders());
        Connection connection = servers.connect()) {
      servers.source().rowsSent(); // From now on.
      CdcIO.Read<?> reader = MeasuredProcess.source(servers);
      readAgain = RowsReadAgain.none(reader.chunkRows(), reader.loadThreads());
      probe = anOrder(connection);
      ShopWorkload workload = new ShopWorkload(connection, settings.seed(), Set.of(probe));
      List<String> faults = new ArrayList<>();
      try (VersionWatch watch =
              new VersionWatch(
                  servers.documents(), ShopFlow.VERSION_FIELD, workload.lastingOrders());
          Shop shop = new Shop(workload)) {
        int kills = 0;
        boolean met = true;
        while (met && kills < settings.kills()) {
          Moment moment = moment(kills + 1);
          progress.accept("kill " + (kills + 1) + ": " + moment);
          met = runAndKill(servers, shop, moment, kills > 0);
          kills += met ? 1 : 0;
        }
        if (!met) {
          faults.add(
              String.format(
                  Locale.ROOT,
                  "the load was over after %d of %d kills: take more --orders, or fewer --kills",
                  kills,
                  settings.kills()));
        }
        ShopVerifier.Report report = runToTheEnd(servers, shop);
        faults.addAll(report.differences());
        faults.addAll(watch.faults());
        if (settings.whileLoading()) {
          // What came and went meanwhile may have been read, too.
          faults.addAll(readAgain.faults(servers.totalRows() + workload.changes()));
        }
        return new Report(
            kills,
            resumeMillis,
            servers.totalRows(),
            servers.source().rowsSent(),
            settings.whileLoading() ? Optional.of(readAgain) : Optional.empty(),
            workload.changes(),
            report.orders(),
            watch.observed(),
            faults);
      }
    }
  }

  private Moment moment(int kill) {
    if (settings.whileLoading() || kill <= (settings.kills() + 3) / 4) {
      return Moment.WHILE_LOADING;
    }
    Moment[] others = {
      Moment.WHILE_STARTING,
      Moment.WHILE_IDLE,
      Moment.AFTER_THE_SOURCE,
      Moment.WHILE_RUNNING,
      Moment.IN_A_CHECKPOINT
    };
    return others[kill % others.length];
  }

  /**
   * Whether the moment came.
   *
   * @param resumes whether another run was killed before
   */
  private boolean runAndKill(ShopServers servers, Shop shop, Moment moment, boolean resumes)
      throws SQLException, InterruptedException {
    shop.busy(true);
    try (ChildProcess process = start(servers)) {
      switch (moment) {
        case WHILE_LOADING -> {
          if (settings.whileLoading()) {
            if (!awaitRowsAndCheckpoint(process, someRowsOfTheLoad(servers))) {
              account(lastTold());
              return false;
            }
          } else {
            pause(500, 6_000);
          }
        }
        case WHILE_STARTING -> pause(500, 6_000);
        case WHILE_RUNNING -> {
          awaitProbe(servers, process, resumes);
          pause(0, 6_000);
        }
        case WHILE_IDLE -> {
          awaitProbe(servers, process, resumes);
          shop.busy(false);
          pause(1_000, 4_000);
        }
        case AFTER_THE_SOURCE -> {
          awaitProbe(servers, process, resumes);
          pause(0, 2_000);
          killTheSource(servers, shop);
          awaitProbe(servers, process, false);
        }
        case IN_A_CHECKPOINT -> {
          awaitProbe(servers, process, resumes);
          awaitCheckpointUnderWay();
        }
      }
      if (!process.isAlive()) {
        throw new IllegalStateException(process.failure("ended by itself"));
      }
    }
    if (settings.whileLoading()) {
      account(lastTold());
    }
    shop.busy(true);
    pause(0, 1_000); // The shop does not wait for the flow to come back.
    return true;
  }

  private Load lastTold() {
    return RunReport.read(state()).orElseThrow().load();
  }

  /** Takes down what a run that has ended, or has loaded everything, told at last. */
  private void account(Load load) {
    if (killed != null) {
      readAgain = readAgain.resumed(killed, load);
    }
    readAgain = readAgain.read(load);
    killed = load;
  }

  /** The flow stays, and finds what was written right before and right after. */
  private void killTheSource(ShopServers servers, Shop shop)
      throws SQLException, InterruptedException {
    shop.busy(false);
    servers.source().kill();
    pause(0, 3_000);
    servers.source().startAgain();
    shop.workload.continueOn(servers.connect());
    servers.source().rowsSent(); // Counts anew.
    shop.busy(true);
  }

  /** So many that all kills are over before the load is. */
  private long someRowsOfTheLoad(ShopServers servers) {
    int most = Math.max(2, servers.totalRows() / (settings.kills() + 2));
    return most / 2L + random.nextInt(most / 2);
  }

  /**
   * Waits until a run has read so many rows and taken a checkpoint of its own, as it tells itself
   * several times a second: at the moment that it does.
   *
   * @return false if everything has been read before
   */
  private boolean awaitRowsAndCheckpoint(ChildProcess process, long rows)
      throws InterruptedException {
    long start = System.nanoTime();
    while (process.isAlive()) {
      Optional<RunReport> told =
          RunReport.read(state()).filter(report -> report.process() == process.pid());
      if (told.isPresent()) {
        RunReport report = told.get();
        if (report.load().done()) {
          return false;
        }
        boolean hasCheckpoint =
            report.checkpoint().filter(taken -> taken.isAfter(report.started())).isPresent();
        if (hasCheckpoint && report.load().rowsRead() - report.load().rowsBefore() >= rows) {
          return true;
        }
      }
      if (System.nanoTime() - start > patience.toNanos()) {
        throw new IllegalStateException(process.failure("does not load its tables"));
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
    throw new IllegalStateException(process.failure("ended by itself"));
  }

  private ShopVerifier.Report runToTheEnd(ShopServers servers, Shop shop)
      throws SQLException, InterruptedException {
    progress.accept("to the end");
    ShopVerifier.Report report;
    try (ChildProcess process = start(servers)) {
      awaitProbe(servers, process, settings.kills() > 0);
      if (settings.whileLoading()) {
        account(lastTold());
      }
      progress.accept("up to date");
      shop.busy(false);
      // What is on its way has arrived when what comes after it has.
      awaitProbe(servers, process, false);
      progress.accept("comparing");
      report = verifiedInTime(servers, process);
      process.terminate();
      int status = process.awaitEnd(PATIENCE);
      if (status != 0) {
        throw new IllegalStateException(process.failure("ended with status " + status));
      }
    }
    return report;
  }

  private ShopVerifier.Report verifiedInTime(ShopServers servers, ChildProcess process)
      throws SQLException, InterruptedException {
    ShopVerifier.Report report = null;
    for (int tries = 0; tries < 10 && process.isAlive(); tries++) {
      try (Connection source = servers.connect()) {
        report = ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
      }
      if (report.agrees()) {
        return report;
      }
      progress.accept("not yet equal: " + report);
      TimeUnit.SECONDS.sleep(1);
    }
    if (report == null) {
      throw new IllegalStateException(process.failure("ended by itself"));
    }
    return report;
  }

  private ChildProcess start(ShopServers servers) {
    List<String> arguments = new ArrayList<>();
    arguments.add("--state-dir=" + state());
    arguments.addAll(settings.whileLoading() ? ALL_THE_TIME : OFTEN);
    arguments.addAll(settings.beamArgs());
    return MeasuredProcess.flow(servers, directory, arguments, progress);
  }

  private Path state() {
    return directory.resolve("state");
  }

  /** Changes a row and waits until the target shows it. */
  private void awaitProbe(ShopServers servers, ChildProcess process, boolean resumes)
      throws SQLException, InterruptedException {
    BigDecimal value = BigDecimal.valueOf(nextProbe++, 2);
    try (Connection source = servers.connect();
        PreparedStatement update =
            source.prepareStatement(
                "UPDATE ecom_order_payments SET payment_value = ?"
                    + " WHERE order_id = ? AND payment_sequential = 1")) {
      update.setBigDecimal(1, value);
      update.setString(2, probe);
      update.executeUpdate();
    }
    long start = System.nanoTime();
    while (!arrived(servers, value)) {
      if (!process.isAlive()) {
        throw new IllegalStateException(process.failure("ended by itself"));
      }
      if (System.nanoTime() - start > patience.toNanos()) {
        throw new IllegalStateException(
            process.failure("was not up to date after " + patience.toSeconds() + " s"));
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
    if (resumes) {
      resumeMillis.add(System.currentTimeMillis() - process.startTime().toEpochMilli());
    }
  }

  private boolean arrived(ShopServers servers, BigDecimal value) {
    Document order = servers.documents().find(eq("_id", probe)).first();
    return order != null
        && order.getList("order_payments", Document.class).stream()
            .anyMatch(payment -> new Decimal128(value).equals(payment.get("payment_value")));
  }

  private static String anOrder(Connection source) throws SQLException {
    try (Statement statement = source.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT MIN(order_id) FROM ecom_order_payments JOIN ecom_orders USING (order_id)"
                    + " WHERE payment_sequential = 1")) {
      rows.next();
      return rows.getString(1);
    }
  }

  private void awaitCheckpointUnderWay() throws InterruptedException {
    long deadline = System.nanoTime() + CHECKPOINT_PATIENCE.toNanos();
    while (!checkpointIsUnderWay() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    LockSupport.parkNanos(random.nextInt(30_000_000));
  }

  private boolean checkpointIsUnderWay() {
    try (Stream<Path> files = Files.walk(state())) {
      return files.anyMatch(
          file ->
              file.getFileName().toString().startsWith("chk-")
                  && !Files.exists(file.resolve("_metadata")));
    } catch (IOException | RuntimeException e) {
      return false; // Old ones are being deleted meanwhile.
    }
  }

  private void pause(int leastMillis, int mostMillis) throws InterruptedException {
    TimeUnit.MILLISECONDS.sleep(leastMillis + random.nextInt(mostMillis - leastMillis));
  }

  /** The shop's business, on a thread of its own. */
  private final class Shop implements AutoCloseable {
    private final ShopWorkload workload;
    private final Thread thread = new Thread(this::work, "shop");
    private boolean busy;
    private boolean closed;
    private IllegalStateException failure;

    Shop(ShopWorkload workload) {
      this.workload = workload;
      thread.start();
    }

    private void work() {
      long interval = 1_000_000_000L / settings.changesPerSecond();
      try {
        while (await()) {
          synchronized (workload) {
            if (isOpen()) {
              workload.transaction();
            }
          }
          LockSupport.parkNanos(interval);
        }
      } catch (SQLException | InterruptedException e) {
        synchronized (this) {
          failure = new IllegalStateException("the shop failed", e);
        }
      }
    }

    private synchronized boolean isOpen() {
      return busy;
    }

    private synchronized boolean await() throws InterruptedException {
      while (!busy && !closed) {
        wait();
      }
      return !closed;
    }

    /** Opens or closes the shop; when this returns, a closed one changes nothing any more. */
    void busy(boolean open) {
      synchronized (this) {
        if (failure != null) {
          throw failure;
        }
        busy = open;
        notifyAll();
      }
      if (!open) {
        synchronized (workload) {
          return;
        }
      }
    }

    @Override
    public void close() {
      synchronized (this) {
        closed = true;
        notifyAll();
      }
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
