package io.widebeam.runner.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.Main;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopScenarios;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopVerifier;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The order view on a Flink cluster of processes of their own. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ClusterIT {
  private static final int ORDERS = 1_000;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Pattern JOB = Pattern.compile("\"id\":\"(\\w+)\"");
  private static final Pattern COMPLETED = Pattern.compile("\"completed\":(\\d+)");

  /** The flow file. */
  private String flow = ShopFlow.yaml();

  @TempDir private Path directory;

  private FlinkProcesses cluster;
  private ShopServers servers;

  @BeforeEach
  void start() throws Exception {
    servers = ShopServers.start(ORDERS);
  }

  @AfterEach
  void stop() {
    if (servers != null) {
      servers.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  private void startCluster() throws Exception {
    cluster = FlinkProcesses.start(Files.createDirectories(directory.resolve("flink")), 2, 2);
  }

  @Test
  void aFlowIsStoppedWithASavepointAndResumedAtAnotherParallelism() throws Exception {
    startCluster();
    Result run = widebeam("run", "--detach", "--parallelism=1");
    assertThat(run.status()).as(run.messages()).isZero();
    awaitAgreement(ORDERS);

    assertThat(widebeam("run", "--detach").messages())
        .contains("runs Order_SingleView_Sync already");
    Result status = widebeam("status");
    assertThat(status.lines())
        .anyMatch(line -> line.startsWith("job current status is: running"))
        .anyMatch(line -> line.contains("total rows: " + ORDERS))
        .anyMatch(line -> line.matches("RUNNING as job \\w+, generation \\d+"));
    Result stop = widebeam("stop");
    assertThat(stop.status()).as(stop.messages()).isZero();
    assertThat(widebeam("status").lines()).anyMatch(line -> line.startsWith("FINISHED as job "));
    assertThat(widebeam("stop").messages()).contains("it is not running");

    try (Connection source = servers.connect();
        Statement statement = source.createStatement()) {
      statement.execute("DELETE FROM ecom_order_payments WHERE payment_value < 50");
    }
    List<String> goOn = List.of(stop.lines().get(0).split(" "));
    flow =
        ShopFlow.yaml()
            + "  - {from: MySQL_ECommerce.ecom_products, to: MongoDB_ECommerce.products}\n";
    Result altered = widebeam("run", goOn.toArray(String[]::new));
    assertThat(altered.status()).isEqualTo(1);
    assertThat(altered.messages()).contains("knows nothing of MongoDB_ECommerce.products");

    flow = ShopFlow.yaml();
    List<String> resume = new ArrayList<>(List.of("--detach", "--parallelism=3"));
    resume.addAll(goOn);
    Result again = widebeam("run", resume.toArray(String[]::new));
    assertThat(again.status()).as(again.messages()).isZero();
    awaitAgreement(ORDERS);
    try (Connection source = servers.connect()) {
      new ShopScenarios(source, servers.documents(), PATIENCE).playAll(arrival -> {});
    }
    awaitAgreement(ORDERS + 10);
    assertThat(cluster.get("/jobs/overview")).contains("\"state\":\"RUNNING\"");
  }

  @Test
  void aTaskManagerKilledUnderLoadLosesNothing() throws Exception {
    startCluster();
    try (RunningBeamFlow flow = launch("--parallelism=2", "--checkpointingInterval=1000")) {
      awaitLoad(flow);
      cluster.startTaskManager();
      for (int killed = 0; killed < 2; killed++) {
        try (Connection source = servers.connect();
            Statement statement = source.createStatement()) {
          for (int i = 0; i < 300; i++) {
            statement.execute(
                "UPDATE ecom_order_payments SET payment_value = payment_value + 1 ORDER BY"
                    + " MD5(CONCAT(order_id, "
                    + (killed * 1_000 + i)
                    + ")) LIMIT 20");
            if (i == 150) {
              cluster.killTaskManager(killed);
            }
          }
          statement.execute("DELETE FROM ecom_orders ORDER BY order_id LIMIT 10");
        }
      }
      awaitAgreement(ORDERS - 20);
      assertThat(flow.status().state()).isEqualTo(FlowStatus.State.RUNNING);
      flow.stop();
    }
  }

  @Test
  void aFlowIsRunByFlinksOwnClientAndGoesOnFromASavepoint() throws Exception {
    Map<String, String> settings =
        Map.of(
            "state.checkpoints.dir", directory.resolve("state").toUri().toString(),
            "state.savepoints.dir", directory.resolve("state").toUri().toString());
    startApplication("first", settings);
    awaitAgreement(ORDERS);
    String job = onlyJob();
    awaitCheckpointOfNow(job);
    assertThat(widebeam("status").lines())
        .anyMatch(line -> line.startsWith("job current status is: running"));
    Result stop = widebeam("stop");
    assertThat(stop.status()).as(stop.messages()).isZero();
    cluster.awaitEnd(PATIENCE);
    cluster.close();

    try (Connection source = servers.connect();
        Statement statement = source.createStatement()) {
      statement.execute("DELETE FROM ecom_order_payments WHERE payment_value < 50");
      statement.execute("DELETE FROM ecom_orders ORDER BY order_id LIMIT 10");
    }
    Map<String, String> resumed = new HashMap<>(settings);
    Matcher options =
        Pattern.compile("--savepointPath=(\\S+) --generation=(\\d+)").matcher(stop.lines().get(0));
    assertThat(options.matches()).as(stop.lines().get(0)).isTrue();
    resumed.put("execution.savepoint.path", options.group(1));
    startApplication("without its generation", resumed);
    cluster.awaitEnd(PATIENCE);
    assertThat(cluster.output()).contains("the job may find state of its own: give --generation");
    cluster.close();

    startApplication("resumed", resumed, "--generation=" + options.group(2));
    awaitAgreement(ORDERS - 10);
  }

  private void startApplication(String name, Map<String, String> settings, String... options)
      throws Exception {
    Path flow = Files.writeString(directory.resolve("flow.yaml"), ShopFlow.yaml());
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "run", flow.toString(), "--flinkMaster=[auto]", "--checkpointingInterval=1000"));
    arguments.addAll(List.of(options));
    cluster =
        FlinkProcesses.startApplication(
            Files.createDirectories(directory.resolve(name)),
            settings,
            ShopFlow.environment(servers.source(), servers.target()),
            arguments);
  }

  private String onlyJob() throws Exception {
    Matcher found = JOB.matcher(cluster.get("/jobs"));
    assertThat(found.find()).isTrue();
    return found.group(1);
  }

  private record Result(int status, List<String> lines, String messages) {}

  /** The program as a process of its own; its arguments come after the flow's file. */
  private Result widebeam(String command, String... arguments) throws Exception {
    Path file = Files.writeString(directory.resolve("flow.yaml"), flow);
    List<String> all = new ArrayList<>();
    all.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("--add-opens"))
        .forEach(all::add);
    all.addAll(
        List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), command));
    all.add(file.toString());
    all.add("--flinkMaster=" + cluster.master());
    if (command.equals("run")) {
      all.addAll(stateOptions());
    }
    all.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(all)
            .directory(directory.toFile())
            .redirectError(directory.resolve("messages").toFile());
    builder.environment().putAll(ShopFlow.environment(servers.source(), servers.target()));
    Process process = builder.start();
    List<String> lines = process.inputReader().lines().toList();
    return new Result(process.waitFor(), lines, Files.readString(directory.resolve("messages")));
  }

  private List<String> stateOptions() {
    return List.of(
        "--stateBackend=filesystem",
        "--stateBackendStoragePath=" + directory.resolve("state").toUri());
  }

  private RunningBeamFlow launch(String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    all.add("--flinkMaster=" + cluster.master());
    all.addAll(stateOptions());
    return new BeamLauncher()
        .launch(
            FlowPlanner.connected().plan(ShopFlow.between(servers.source(), servers.target())),
            all.toArray(String[]::new));
  }

  private void awaitCheckpointOfNow(String job) throws Exception {
    int wanted = completedCheckpoints(job) + 2; // One may be under way.
    while (completedCheckpoints(job) < wanted) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private int completedCheckpoints(String job) throws Exception {
    Matcher found = COMPLETED.matcher(cluster.get("/jobs/" + job + "/checkpoints"));
    return found.find() ? Integer.parseInt(found.group(1)) : 0;
  }

  private void awaitLoad(RunningBeamFlow flow) throws Exception {
    while (servers.documents().estimatedDocumentCount() < ORDERS
        || flow.counter("documentsWritten") < ORDERS) {
      if (flow.status().state() == FlowStatus.State.ERROR) {
        flow.awaitEnd();
        throw new AssertionError("the flow failed", flow.failure().orElse(null));
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }

  private void assertAgrees(int orders) throws SQLException {
    assertThat(report()).isEqualTo(new ShopVerifier.Report(orders, 0, 0, 0, List.of()));
  }

  private void awaitAgreement(int orders) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!report().agrees() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(200);
    }
    assertAgrees(orders);
  }

  private ShopVerifier.Report report() throws SQLException {
    try (Connection source = servers.connect()) {
      return ShopVerifier.verify(source, servers.documents(), ShopFlow.VERSION_FIELD);
    }
  }
}
