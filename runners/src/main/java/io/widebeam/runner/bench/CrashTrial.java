package io.widebeam.runner.bench;

import static com.mongodb.client.model.Filters.eq;

import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import io.widebeam.runner.shop.ShopWorkload;
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
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bson.Document;
import org.bson.types.Decimal128;

/**
 * Runs the order view in a process of its own and kills that at random moments, while the shop goes
 * on, and now and then the source's server; in the end every document must be what SQL joins. A
 * client at the target watches throughout.
 */
public final class CrashTrial {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final Duration CHECKPOINT_PATIENCE = Duration.ofSeconds(15);

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
   * @param orders the size of the shop
   * @param changesPerSecond how busy it is
   * @param whileLoading whether every kill is to meet the initial load
   * @param beamArgs options for the flow
   */
  public record Settings(
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
   * @param tableRows how many rows the tables had in the beginning
   * @param loadedRows how many rows the source's server was asked for, all starts together
   * @param versions how many versions of documents the watching client saw
   * @param faults what must not be, for people
   */
  public record Report(
      int kills,
      List<Long> resumeMillis,
      long tableRows,
      long loadedRows,
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
          "%d kills, %,d rows in the tables and %,d read from them, %,d changes, "
              + "%,d documents compared, %,d versions seen; from start to up to date: %s",
          kills,
          tableRows,
          loadedRows,
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
                  resumeMillis.size()));
    }
  }

  private final Settings settings;
  private final Path directory;
  private final Consumer<String> progress;
  private final Random random;
  private final List<Long> resumeMillis = new ArrayList<>();
  private String probe;
  private long nextProbe = 1_000_000;

  private CrashTrial(Settings settings, Path directory, Consumer<String> progress) {
    this.settings = settings;
    this.directory = directory;
    this.progress = progress;
    this.random = new Random(settings.seed());
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
    try (ShopServers servers = ShopServers.start(settings.orders());
        Connection connection = servers.connect()) {
      execute(connection, "SET GLOBAL userstat = 1");
      probe = anOrder(connection);
      ShopWorkload workload = new ShopWorkload(connection, settings.seed(), Set.of(probe));
      List<String> faults = new ArrayList<>();
      try (VersionWatch watch =
              new VersionWatch(
                  servers.documents(), ShopFlow.VERSION_FIELD, workload.lastingOrders());
          Shop shop = new Shop(workload)) {
        for (int kill = 1; kill <= settings.kills(); kill++) {
          Moment moment = moment(kill);
          progress.accept("kill " + kill + ": " + moment);
          runAndKill(servers, shop, moment, kill > 1);
        }
        ShopVerifier.Report report = runToTheEnd(servers, shop);
        faults.addAll(report.differences());
        faults.addAll(watch.faults());
        return new Report(
            settings.kills(),
            resumeMillis,
            servers.totalRows(),
            loadedRows(servers),
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

  private void runAndKill(ShopServers servers, Shop shop, Moment moment, boolean resumes)
      throws SQLException, InterruptedException {
    shop.busy(true);
    try (ChildProcess process = start(servers)) {
      switch (moment) {
        case WHILE_LOADING -> {
          if (settings.whileLoading()) {
            awaitLoadedRows(servers, process, loadedRows(servers) + someRowsOfTheLoad(servers));
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
    shop.busy(true);
    pause(0, 1_000); // The shop does not wait for the flow to come back.
  }

  /** The flow stays, and finds what was written right before and right after. */
  private void killTheSource(ShopServers servers, Shop shop)
      throws SQLException, InterruptedException {
    shop.busy(false);
    servers.source().kill();
    pause(0, 3_000);
    servers.source().startAgain();
    Connection connection = servers.connect();
    execute(connection, "SET GLOBAL userstat = 1");
    shop.workload.continueOn(connection);
    shop.busy(true);
  }

  /** So many that all kills are over before the load is. */
  private long someRowsOfTheLoad(ShopServers servers) {
    int most = servers.totalRows() / (settings.kills() + 2);
    return most / 2L + random.nextInt(most / 2);
  }

  private void awaitLoadedRows(ShopServers servers, ChildProcess process, long rows)
      throws SQLException, InterruptedException {
    long start = System.nanoTime();
    while (loadedRows(servers) < rows && process.isAlive()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new IllegalStateException(process.failure("does not load its tables"));
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  /** What the server has counted; a killed one begins anew. */
  private static long loadedRows(ShopServers servers) throws SQLException {
    try (Connection source = servers.connect();
        Statement statement = source.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT COALESCE(SUM(ROWS_SENT), 0) FROM information_schema.USER_STATISTICS"
                    + " WHERE USER = '"
                    + EmbeddedMariaDb.CDC_USER
                    + "'")) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private static void execute(Connection source, String sql) throws SQLException {
    try (Statement statement = source.createStatement()) {
      statement.execute(sql);
    }
  }

  private ShopVerifier.Report runToTheEnd(ShopServers servers, Shop shop)
      throws SQLException, InterruptedException {
    progress.accept("to the end");
    ShopVerifier.Report report;
    try (ChildProcess process = start(servers)) {
      awaitProbe(servers, process, settings.kills() > 0);
      shop.busy(false);
      // What is on its way has arrived when what comes after it has.
      awaitProbe(servers, process, false);
      report = verifiedInTime(servers, process);
      process.terminate();
      int status = process.awaitEnd(PATIENCE);
      if (status != 0) {
        throw new IllegalStateException(process.failure("ended with status " + status));
      }
    }
    return report;
  }

  private static ShopVerifier.Report verifiedInTime(ShopServers servers, ChildProcess process)
      throws SQLException, InterruptedException {
    ShopVerifier.Report report = null;
    for (int tries = 0; tries < 10 && process.isAlive(); tries++) {
      try (Connection source = servers.connect()) {
        report = ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
      }
      if (report.agrees()) {
        return report;
      }
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
    // Often, so that kills meet them and there is something to go on from.
    arguments.add("--checkpointingInterval=1000");
    arguments.add("--minPauseBetweenCheckpoints=500");
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
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new IllegalStateException(
            process.failure("was not up to date after " + PATIENCE.toSeconds() + " s"));
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
            workload.transaction();
          }
          LockSupport.parkNanos(interval);
        }
      } catch (SQLException | InterruptedException e) {
        synchronized (this) {
          failure = new IllegalStateException("the shop failed", e);
        }
      }
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
