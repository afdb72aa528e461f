package io.widebeam.runner.bench;

import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import io.widebeam.runner.shop.ShopWorkload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Keeps a shop of constant size busy for long, and measures from outside what the flow's process
 * takes up.
 */
final class SoakTrial {
  private static final int SAMPLES = 30;
  private static final long MEGABYTE = 1 << 20;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  /** How much more the last fifth may take than the second. */
  private static final double GROWTH = 1.1;

  record Settings(Duration time, int changesPerSecond, int orders, List<String> beamArgs) {
    Settings {
      beamArgs = List.copyOf(beamArgs);
    }
  }

  /**
   * What the process took up at a moment.
   *
   * @param rows in the shop's tables
   * @param heapBytes in use right after a full collection
   * @param checkpointBytes the files of the newest checkpoint
   * @param connections open sockets, listening ones included
   */
  record Sample(
      Duration after,
      long changes,
      long rows,
      long heapBytes,
      long checkpointBytes,
      int threads,
      int connections) {
    static final String HEADER =
        "minutes    changes      rows   heap MB   checkpoint MB   threads   sockets";

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%7.1f %10d %9d %9.1f %15.1f %9d %9d",
          after.toMillis() / 60e3,
          changes,
          rows,
          heapBytes / (double) MEGABYTE,
          checkpointBytes / (double) MEGABYTE,
          threads,
          connections);
    }
  }

  /**
   * How it went.
   *
   * @param early the median sample of the second fifth, value by value
   * @param late that of the last fifth
   * @param faults what must not be, for people
   */
  record Report(Sample early, Sample late, double changesPerSecond, List<String> faults) {
    Report {
      faults = List.copyOf(faults);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%.0f changes/s; from the second fifth to the last: rows %+.1f %%, heap %+.1f %%,"
              + " checkpoint %+.1f %%, threads %+d, sockets %+d",
          changesPerSecond,
          percent(early.rows(), late.rows()),
          percent(early.heapBytes(), late.heapBytes()),
          percent(early.checkpointBytes(), late.checkpointBytes()),
          late.threads() - early.threads(),
          late.connections() - early.connections());
    }

    private static double percent(long before, long after) {
      return 100.0 * after / before - 100;
    }
  }

  private final Settings settings;
  private final Path directory;
  private final Consumer<Sample> progress;

  private SoakTrial(Settings settings, Path directory, Consumer<Sample> progress) {
    this.settings = settings;
    this.directory = directory;
    this.progress = progress;
  }

  /**
   * Runs a trial.
   *
   * @param directory an empty directory for the flow's state; left as it is in the end
   * @param progress takes every sample
   */
  static Report run(Settings settings, Path directory, Consumer<Sample> progress)
      throws SQLException, IOException, InterruptedException {
    return new SoakTrial(settings, directory, progress).run();
  }

  private Report run() throws SQLException, IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("--state-dir=" + state()));
    arguments.addAll(settings.beamArgs());
    try (ShopServers servers = ShopServers.start(settings.orders());
        Connection connection = servers.connect();
        ChildProcess process = MeasuredProcess.flow(servers, directory, arguments, line -> {})) {
      awaitLoad(servers, process);
      ShopWorkload workload = new ShopWorkload(connection, 1, Set.of());
      List<Sample> samples = new ArrayList<>();
      long start = System.nanoTime();
      long end = start + settings.time().toNanos();
      long interval = settings.time().toNanos() / SAMPLES;
      long nextSample = start + interval;
      try (JMXConnector management = connect(process)) {
        while (System.nanoTime() < end) {
          workload.transaction();
          pace(start, workload.changes());
          if (System.nanoTime() >= nextSample) {
            nextSample += interval;
            samples.add(sample(process, management, start, workload));
            progress.accept(samples.get(samples.size() - 1));
          }
        }
      }
      double rate = workload.changes() * 1e9 / (System.nanoTime() - start);
      List<String> faults = differences(servers, process);
      return report(samples, rate, faults);
    }
  }

  private Report report(List<Sample> samples, double rate, List<String> faults) {
    int fifth = samples.size() / 5;
    Sample early = median(samples.subList(fifth, 2 * fifth));
    Sample late = median(samples.subList(samples.size() - fifth, samples.size()));
    if (late.heapBytes() > early.heapBytes() * GROWTH) {
      faults.add("the heap has grown");
    }
    if (late.checkpointBytes() > early.checkpointBytes() * GROWTH) {
      faults.add("the checkpoints have grown");
    }
    if (late.threads() > early.threads() * GROWTH) {
      faults.add("there are more threads");
    }
    if (late.connections() > early.connections() * GROWTH) {
      faults.add("there are more connections");
    }
    if (rate < 0.9 * settings.changesPerSecond()) {
      faults.add("the shop did not get to " + settings.changesPerSecond() + " changes a second");
    }
    return new Report(early, late, rate, faults);
  }

  private static Sample median(List<Sample> samples) {
    return new Sample(
        samples.get(samples.size() / 2).after(),
        median(samples, Sample::changes),
        median(samples, Sample::rows),
        median(samples, Sample::heapBytes),
        median(samples, Sample::checkpointBytes),
        Math.toIntExact(median(samples, Sample::threads)),
        Math.toIntExact(median(samples, Sample::connections)));
  }

  private static long median(List<Sample> samples, ToLongFunction<Sample> value) {
    long[] sorted = samples.stream().mapToLong(value).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  /** Waits until no more changes have been made than the rate allows. */
  private void pace(long start, long changes) {
    long due = start + changes * 1_000_000_000L / settings.changesPerSecond();
    for (long ahead = due - System.nanoTime(); ahead > 0; ahead = due - System.nanoTime()) {
      LockSupport.parkNanos(ahead);
    }
  }

  private Sample sample(
      ChildProcess process, JMXConnector management, long start, ShopWorkload workload)
      throws IOException, SQLException {
    MBeanServerConnection beans = management.getMBeanServerConnection();
    MemoryMXBean memory =
        ManagementFactory.newPlatformMXBeanProxy(
            beans, ManagementFactory.MEMORY_MXBEAN_NAME, MemoryMXBean.class);
    ThreadMXBean threads =
        ManagementFactory.newPlatformMXBeanProxy(
            beans, ManagementFactory.THREAD_MXBEAN_NAME, ThreadMXBean.class);
    memory.gc();
    return new Sample(
        Duration.ofNanos(System.nanoTime() - start),
        workload.changes(),
        workload.rows(),
        memory.getHeapMemoryUsage().getUsed(),
        newestCheckpointBytes(),
        threads.getThreadCount(),
        sockets(process.pid()));
  }

  @SuppressWarnings("BanJNDI") // The address is that of a process which this one has started.
  private static JMXConnector connect(ChildProcess process) throws IOException {
    try {
      VirtualMachine machine = VirtualMachine.attach(Long.toString(process.pid()));
      try {
        return JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent()));
      } finally {
        machine.detach();
      }
    } catch (AttachNotSupportedException e) {
      throw new IOException("the flow's Java machine cannot be looked into", e);
    }
  }

  private static int sockets(long process) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(process), "fd"))) {
      return Math.toIntExact(files.filter(SoakTrial::isSocket).count());
    }
  }

  private static boolean isSocket(Path file) {
    try {
      return Files.readSymbolicLink(file).toString().startsWith("socket:");
    } catch (IOException e) {
      return false; // Closed meanwhile.
    }
  }

  private Path state() {
    return directory.resolve("state");
  }

  private long newestCheckpointBytes() throws IOException {
    IOException vanished = null;
    for (int tries = 0; tries < 10; tries++) {
      try (Stream<Path> files = Files.walk(state())) {
        Optional<Path> newest =
            files
                .filter(file -> file.getFileName().toString().equals("_metadata"))
                .max(Comparator.comparing(file -> file.toFile().lastModified()));
        return newest.isEmpty() ? 0 : bytes(newest.get().getParent());
      } catch (IOException e) {
        vanished = e;
      } catch (UncheckedIOException e) {
        vanished = e.getCause(); // Old ones are deleted meanwhile.
      }
    }
    throw vanished;
  }

  private static long bytes(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private void awaitLoad(ShopServers servers, ChildProcess process) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (servers.documents().estimatedDocumentCount() < settings.orders()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException(process.failure("has not loaded the shop"));
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private static List<String> differences(ShopServers servers, ChildProcess process)
      throws SQLException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try (Connection source = servers.connect()) {
        ShopVerifier.Report report =
            ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
        if (report.agrees()) {
          return new ArrayList<>();
        }
        if (!process.isAlive() || System.nanoTime() > end) {
          return new ArrayList<>(report.differences());
        }
      }
      TimeUnit.SECONDS.sleep(1);
    }
  }
}
