package io.widebeam.runner.cluster;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A standalone Flink cluster: a job manager and task managers, each a process of its own that has
 * Flink's libraries and nothing else, as in Flink's distribution.
 */
final class FlinkProcesses implements AutoCloseable {
  /** What is in the distribution's {@code lib} directory, by the names of the files. */
  private static final Pattern LIBRARIES =
      Pattern.compile(
          "(flink-|chill-java|kryo|minlog|objenesis|javassist|commons-(cli|collections|compress|io|lang3|math3|text)-|jsr305|snappy-java|lz4-java"
              + "|async-profiler|frocksdbjni|slf4j-api|logback-|javax\\.activation"
              + "|jaxb-api).*\\.jar");

  private static final Pattern TASK_MANAGERS = Pattern.compile("\"taskmanagers\":(\\d+)");
  private static final long START_SECONDS = 60;

  /** Where the entry point of application clusters is. */
  private static final Path TEST_CLASSES =
      Path.of(FlinkProcesses.class.getProtectionDomain().getCodeSource().getLocation().getPath());

  private final Path directory;
  private final int restPort;
  private final Process jobManager;
  private final List<Process> taskManagers = new ArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();

  private FlinkProcesses(Path directory, int restPort, Process jobManager) {
    this.directory = directory;
    this.restPort = restPort;
    this.jobManager = jobManager;
  }

  /**
   * Starts a cluster and waits until its task managers have registered.
   *
   * @param directory for configuration, logs and whatever Flink keeps there
   * @param slots of each of the task managers
   */
  static FlinkProcesses start(Path directory, int taskManagers, int slots) throws Exception {
    int restPort = freePort();
    configure(directory, restPort, slots, Map.of());
    return new FlinkProcesses(
            directory,
            restPort,
            startProcess(
                directory,
                "jobmanager",
                libraries(),
                Map.of(),
                512,
                "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                List.of("--configDir", directory.toString())))
        .with(taskManagers);
  }

  /**
   * Starts a cluster that runs {@code widebeam} with these arguments in its job manager, with one
   * task manager.
   *
   * @param more settings of Flink
   * @param environment of the job manager
   */
  static FlinkProcesses startApplication(
      Path directory,
      Map<String, String> more,
      Map<String, String> environment,
      List<String> arguments)
      throws Exception {
    Path libraries = Files.createDirectories(directory.resolve("usrlib"));
    for (String entry : classPath()) {
      Path jar = Path.of(entry);
      if (entry.endsWith(".jar") && !LIBRARIES.matcher(jar.getFileName().toString()).matches()) {
        Files.createSymbolicLink(libraries.resolve(jar.getFileName()), jar);
      }
    }
    int restPort = freePort();
    configure(directory, restPort, 2, more);
    List<String> all = new ArrayList<>(List.of(directory.toString(), libraries.toString()));
    all.addAll(arguments);
    FlinkProcesses cluster =
        new FlinkProcesses(
            directory,
            restPort,
            startProcess(
                directory,
                "jobmanager",
                libraries() + File.pathSeparator + TEST_CLASSES,
                environment,
                768,
                ApplicationEntryPoint.class.getName(),
                all));
    // It need not come about: the program may refuse.
    cluster.startTaskManager();
    return cluster;
  }

  private static void configure(Path directory, int restPort, int slots, Map<String, String> more)
      throws IOException {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("jobmanager.rpc.address", "127.0.0.1");
    settings.put("jobmanager.rpc.port", Integer.toString(freePort()));
    settings.put("jobmanager.bind-host", "127.0.0.1");
    settings.put("rest.address", "127.0.0.1");
    settings.put("rest.port", Integer.toString(restPort));
    settings.put("rest.bind-address", "127.0.0.1");
    settings.put("taskmanager.host", "127.0.0.1");
    settings.put("taskmanager.bind-host", "127.0.0.1");
    settings.put("taskmanager.numberOfTaskSlots", Integer.toString(slots));
    // What the distribution's scripts would work out.
    settings.put("taskmanager.cpu.cores", Integer.toString(slots));
    settings.put("taskmanager.memory.framework.heap.size", "64m");
    settings.put("taskmanager.memory.framework.off-heap.size", "64m");
    settings.put("taskmanager.memory.jvm-metaspace.size", "256m");
    settings.put("taskmanager.memory.jvm-overhead.min", "64m");
    settings.put("taskmanager.memory.jvm-overhead.max", "64m");
    settings.put("taskmanager.memory.task.heap.size", "512m");
    settings.put("taskmanager.memory.task.off-heap.size", "0m");
    settings.put("taskmanager.memory.managed.size", "64m");
    settings.put("taskmanager.memory.network.min", "64m");
    settings.put("taskmanager.memory.network.max", "64m");
    settings.put("io.tmp.dirs", Files.createDirectories(directory.resolve("tmp")).toString());
    // A killed task manager shall be missed within seconds, not within its usual minute.
    settings.put("heartbeat.interval", "1000");
    settings.put("heartbeat.timeout", "12000");
    settings.put("metrics.fetcher.update-interval", "500");
    settings.putAll(more);
    StringBuilder yaml = new StringBuilder();
    settings.forEach((key, value) -> yaml.append(key).append(": ").append(value).append('\n'));
    Files.writeString(directory.resolve("flink-conf.yaml"), yaml);
    Files.writeString(
        directory.resolve("logback.xml"),
        """
        <configuration>
          <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
            <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{30} - %msg%n</pattern></encoder>
          </appender>
          <root level="INFO"><appender-ref ref="OUT"/></root>
        </configuration>
        """);
  }

  private FlinkProcesses with(int wanted) throws Exception {
    try {
      for (int i = 0; i < wanted; i++) {
        startTaskManager();
      }
      awaitTaskManagers(wanted);
      return this;
    } catch (Exception | Error e) {
      close();
      throw e;
    }
  }

  /** One more task manager, which registers by itself. */
  void startTaskManager() throws IOException {
    taskManagers.add(
        startProcess(
            directory,
            "taskmanager-" + taskManagers.size(),
            libraries(),
            Map.of(),
            768,
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            List.of("--configDir", directory.toString())));
  }

  /** Waits until the job manager, whose only job has ended, has gone. */
  void awaitEnd(Duration patience) throws InterruptedException {
    if (!jobManager.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("the job manager is still there");
    }
  }

  /** Kills a task manager as {@code kill -9} does. */
  void killTaskManager(int index) throws InterruptedException {
    taskManagers.get(index).destroyForcibly().waitFor();
  }

  /** The value for {@code --flinkMaster}. */
  String master() {
    return "127.0.0.1:" + restPort;
  }

  /** What the job manager answers to a GET, as JSON. */
  String get(String path) throws IOException, InterruptedException {
    return http.send(
            HttpRequest.newBuilder(URI.create("http://" + master() + path)).build(),
            HttpResponse.BodyHandlers.ofString())
        .body();
  }

  List<Process> processes() {
    return Stream.concat(Stream.of(jobManager), taskManagers.stream()).toList();
  }

  /** All that the cluster's processes have printed. */
  String output() throws IOException {
    StringBuilder all = new StringBuilder();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".out")).toList()) {
        all.append(Files.readString(file));
      }
    }
    return all.toString();
  }

  private static Process startProcess(
      Path directory,
      String name,
      String classPath,
      Map<String, String> environment,
      int heapMegabytes,
      String mainClass,
      List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens"))
        .forEach(command::add);
    command.add("-Xmx" + heapMegabytes + "m");
    command.add("-XX:+UseSerialGC");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-Dlogback.configurationFile=" + directory.resolve("logback.xml"));
    command.addAll(List.of("-cp", classPath, mainClass));
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(name + ".out").toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    // A test run that is interrupted shall leave nothing behind.
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    return process;
  }

  private static String libraries() {
    return String.join(
        File.pathSeparator,
        classPath().stream()
            .filter(entry -> LIBRARIES.matcher(Path.of(entry).getFileName().toString()).matches())
            .toList());
  }

  private static List<String> classPath() {
    return List.of(System.getProperty("java.class.path").split(File.pathSeparator, -1));
  }

  private void awaitTaskManagers(int wanted) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (registeredTaskManagers() < wanted) {
      if (System.nanoTime() > deadline || processes().stream().anyMatch(p -> !p.isAlive())) {
        throw new IllegalStateException("the cluster did not start:\n" + output());
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private int registeredTaskManagers() throws InterruptedException {
    try {
      Matcher found = TASK_MANAGERS.matcher(get("/overview"));
      return found.find() ? Integer.parseInt(found.group(1)) : 0;
    } catch (IOException e) {
      return 0; // It does not listen yet.
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    processes().forEach(Process::destroyForcibly);
    deleteLinks();
    for (Process process : processes()) {
      try {
        process.waitFor();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** JUnit warns of each that it finds. */
  private void deleteLinks() {
    try (Stream<Path> links = Files.walk(directory).filter(Files::isSymbolicLink)) {
      for (Path link : links.toList()) {
        Files.delete(link);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
