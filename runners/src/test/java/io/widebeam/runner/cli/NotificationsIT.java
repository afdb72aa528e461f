package io.widebeam.runner.cli;

import static com.mongodb.client.model.Filters.eq;
import static org.assertj.core.api.Assertions.assertThat;

import com.icegreen.greenmail.user.GreenMailUser;
import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.GreenMailUtil;
import com.icegreen.greenmail.util.ServerSetup;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.sun.net.httpserver.HttpServer;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.testing.FlakyNetwork;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A flow with a rule over a rollup, by the program itself, and who is told what of it. */
@Timeout(1800)
class NotificationsIT {
  private static final int HEAP_MEGABYTES = 512;
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String SECRET = "open-sesame-4711";

  private final EmbeddedMariaDb source = EmbeddedMariaDb.start();
  private final EmbeddedMongo target = EmbeddedMongo.start();
  private final List<Document> posted = new CopyOnWriteArrayList<>();
  private final List<String> output = new CopyOnWriteArrayList<>();
  private volatile int status = 200;
  private HttpServer hook;
  private GreenMail mail;

  @TempDir private Path directory;

  @BeforeEach
  void start() throws Exception {
    hook = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hook.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          boolean authorized =
              ("Bearer " + SECRET).equals(exchange.getRequestHeaders().getFirst("Authorization"));
          int answer = authorized ? status : 401;
          if (answer == 200) {
            posted.add(Document.parse(body));
          }
          exchange.sendResponseHeaders(answer, -1);
          exchange.close();
        });
    hook.start();
    mail = new GreenMail(new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
    mail.start();
    GreenMailUser unused = mail.setUser("widebeam@example.com", "widebeam", SECRET);
    mail.getUserManager().setAuthRequired(true);
    execute(
        "CREATE DATABASE shop",
        "CREATE TABLE shop.purchases (id INT PRIMARY KEY AUTO_INCREMENT, shop INT NOT NULL,"
            + " fee DECIMAL(12,2) NOT NULL)",
        "INSERT INTO shop.purchases (shop, fee) VALUES (1, 20000), (35, 4999), (35, 1)");
  }

  @AfterEach
  void stop() {
    hook.stop(0);
    mail.stop();
    target.close();
    source.close();
  }

  @Test
  void aRuleFiresOncePerCrossingAlsoAcrossAKillAndAFailureIsMailed() throws Exception {
    try (ChildProcess run = run()) {
      await(() -> !events("loaded").isEmpty(), "the load", run);
      Document loaded = events("loaded").get(0);
      assertThat(loaded.get("tables", Document.class)).containsEntry("tp.purchases", 3);
      assertThat(loaded.get("written")).isEqualTo(2);
      assertThat(loaded.getString("text")).startsWith("is loaded: 3 rows of 1 tables, 2 documents");

      purchase(35, 6_499);
      await(() -> crossings().equals(List.of(35)), "the crossing", run);
      purchase(35, 6_499);
      purchase(36, 9_999);
      awaitCheckpointsOf(run, 2);
    }
    Document crossing = events("rules").get(0);
    assertThat(crossing.get("row", Document.class))
        .containsEntry("sum_fee", 11499.0)
        .containsEntry("shop", 35);
    assertThat(crossing.getString("text")).isEqualTo("big: sum_fee > 10000, for shop 35");

    // Killed. What comes true meanwhile is told once, and what has been is not again.
    purchase(36, 2);
    try (ChildProcess run = run()) {
      await(() -> !events("recovery").isEmpty(), "the recovery", run);
      assertThat(events("recovery").get(0).getString("text"))
          .startsWith("runs again and has caught up");
      await(() -> crossings().equals(List.of(35, 36)), "the crossing meanwhile", run);

      execute("DELETE FROM shop.purchases WHERE shop = 35 AND fee > 5000");
      awaitSum(35, "5000.00", run);
      // A channel that is away gets it when it is back.
      status = 503;
      purchase(35, 6_499);
      awaitCheckpointsOf(run, 2);
      assertThat(crossings()).containsExactly(35, 36);
      status = 200;
      await(() -> crossings().equals(List.of(35, 35, 36)), "the second crossing", run);
      assertThat(events("loaded")).hasSize(1);

      execute("SET PASSWORD FOR cdc@'%' = PASSWORD('other')", "KILL USER cdc");
      assertThat(run.awaitEnd(PATIENCE)).isEqualTo(1);
    }

    MimeMessage[] mails = mail.getReceivedMessages();
    assertThat(mails).hasSize(1);
    assertThat(mails[0].getSubject()).isEqualTo("[widebeam] purchases: failure");
    String text = GreenMailUtil.getBody(mails[0]).lines().findFirst().orElseThrow();
    // What the user is called is also the password, here.
    assertThat(text).contains("Access denied for user '***'");
    assertThat(output).contains("widebeam: " + text);
    assertThat(events("failure")).hasSize(1);
    assertThat(events("failure").get(0).getString("text")).isEqualTo(text);
    assertThat(String.join("\n", output)).doesNotContain(SECRET);
  }

  @Test
  void aTargetThatWasAwayIsToldOnceItTakesWritesAgain() throws Exception {
    try (FlakyNetwork toTarget = new FlakyNetwork(new URI(target.uri()).getPort());
        ChildProcess run = run("", "mongodb://127.0.0.1:" + toTarget.port())) {
      await(() -> !events("loaded").isEmpty(), "the load", run);
      toTarget.refuse();
      purchase(35, 6_499);
      // Of what takes less than 2 s nothing is told; the status comes every second.
      await(
          () ->
              output.stream().filter(line -> line.contains("waiting for: docs.sales")).count() > 3,
          "the outage",
          run);
      assertThat(events("recovery")).isEmpty();
      toTarget.restore();
      await(() -> !events("recovery").isEmpty(), "the recovery", run);
      awaitSum(35, "11499.00", run);
    }
    Document recovery = events("recovery").get(0);
    assertThat(recovery.getString("text"))
        .matches("docs\\.sales at 127\\.0\\.0\\.1:\\d+ takes writes again, after .*");
    assertThat(recovery.getList("targets", String.class)).hasSize(1);
    assertThat(events("failure")).isEmpty();
  }

  @Test
  void rulesCanBeTakenOutAndPutInWithoutARebuild() throws Exception {
    try (ChildProcess run = run()) {
      await(() -> !events("loaded").isEmpty(), "the load", run);
      awaitCheckpointsOf(run, 1);
      run.terminate();
      assertThat(run.awaitEnd(PATIENCE)).isZero();
    }
    try (ChildProcess run = run("")) {
      run.awaitLine(line -> line.contains("resuming from "), PATIENCE);
      purchase(35, 6_499);
      awaitSum(35, "11499.00", run);
      run.terminate();
      assertThat(run.awaitEnd(PATIENCE)).isZero();
    }
    assertThat(crossings()).isEmpty();
    try (ChildProcess run = run()) {
      purchase(35, 1);
      purchase(37, 10_001);
      await(() -> crossings().equals(List.of(37)), "the crossing", run);
    }
  }

  private ChildProcess run() throws IOException {
    return run("rules: [{name: big, rollup: sales, when: sum_fee > 10000}]");
  }

  private ChildProcess run(String rules) throws IOException {
    return run(rules, target.uri());
  }

  private ChildProcess run(String rules, String targetUri) throws IOException {
    Path flow =
        Files.writeString(
            directory.resolve("flow.yaml"),
            """
            name: purchases
            connections:
              tp: {type: mariadb, host: 127.0.0.1, port: %d, database: shop, user: %s, password: %s}
              docs: {type: mongodb, uri: "%s", database: docs}
            rollups:
              - {from: tp.purchases, groupBy: [shop], aggregates: {sum_fee: SUM(fee)}, every: change, to: docs.sales}
            notifications:
              - webhook: "http://127.0.0.1:%d/hook"
                headers: {Authorization: "Bearer ${TOKEN}"}
              - mail: {host: 127.0.0.1, port: %d, user: widebeam, password: "${TOKEN}", from: widebeam@example.com, to: ops@example.com, tls: none}
                on: [failure]
            %s
            """
                .formatted(
                    source.port(),
                    EmbeddedMariaDb.CDC_USER,
                    EmbeddedMariaDb.CDC_PASSWORD,
                    targetUri,
                    hook.getAddress().getPort(),
                    mail.getSmtp().getPort(),
                    rules));
    return ChildProcess.startJava(
        "run",
        HEAP_MEGABYTES,
        Main.class.getName(),
        List.of(
            "run",
            flow.toString(),
            "--checkpointingInterval=300",
            "--minPauseBetweenCheckpoints=100",
            "--state-dir=" + directory.resolve("state")),
        Map.of("TOKEN", SECRET),
        output::add);
  }

  private List<Document> events(String event) {
    return posted.stream().filter(one -> one.getString("event").equals(event)).toList();
  }

  /** The shops that the rule has come true for, each as often as it has: ids tell repetitions. */
  private List<Integer> crossings() {
    Map<String, Integer> shops = new TreeMap<>();
    events("rules")
        .forEach(
            one ->
                shops.put(
                    one.getString("id"), one.get("group", Document.class).getInteger("shop")));
    return shops.values().stream().sorted().toList();
  }

  private void purchase(int shop, int fee) throws SQLException {
    execute("INSERT INTO shop.purchases (shop, fee) VALUES (" + shop + ", " + fee + ")");
  }

  private void awaitSum(int shop, String sum, ChildProcess run) throws Exception {
    try (MongoClient client = MongoClients.create(target.uri())) {
      await(
          () -> {
            Document sales =
                client.getDatabase("docs").getCollection("sales").find(eq("shop", shop)).first();
            return sales != null && sales.get("sum_fee").toString().equals(sum);
          },
          "the sum " + sum,
          run);
    }
  }

  /** So many checkpoints that began after now. */
  private void awaitCheckpointsOf(ChildProcess run, int number) throws Exception {
    List<Path> before = checkpoints();
    List<Path> seen = new ArrayList<>();
    await(
        () -> {
          checkpoints().stream()
              .filter(path -> !before.contains(path) && !seen.contains(path))
              .forEach(seen::add);
          // The first may have been under way.
          return seen.size() > number;
        },
        "checkpoints",
        run);
  }

  private List<Path> checkpoints() throws IOException {
    Path state = directory.resolve("state");
    if (!Files.isDirectory(state)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(state)) {
      return files.filter(file -> file.endsWith("_metadata")).toList();
    } catch (UncheckedIOException e) {
      return List.of(); // One was deleted meanwhile.
    }
  }

  private static void await(Callable<Boolean> condition, String what, ChildProcess run)
      throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.call()) {
      assertThat(run.isAlive()).as(() -> run.failure("the program ended")).isTrue();
      assertThat(System.nanoTime()).as(() -> run.failure("waiting for " + what)).isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private void execute(String... statements) throws SQLException {
    try (Connection connection = source.connect("");
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }
}
