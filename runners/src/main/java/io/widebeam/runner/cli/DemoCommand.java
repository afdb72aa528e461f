package io.widebeam.runner.cli;

import static com.mongodb.client.model.Filters.eq;

import com.mongodb.client.MongoCollection;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowStatus;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.BeamOptions;
import io.widebeam.runner.launch.FlowFailedException;
import io.widebeam.runner.launch.RunningBeamFlow;
import io.widebeam.runner.shop.Shop;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopScenarios;
import io.widebeam.runner.shop.ShopServers;
import io.widebeam.runner.shop.ShopSource;
import io.widebeam.runner.shop.ShopVerifier;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.bson.Document;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** {@code widebeam demo}: the order view end to end, on servers that it brings along. */
@Command(
    name = "demo",
    description = {
      "Keeps the order view of a generated shop up to date, and proves it.",
      "Starts a MariaDB server and a MongoDB stand-in, fills six tables, runs the flow, plays what"
          + " happens in a shop and compares every document with SQL. Options of Beam and of the"
          + " runner are passed on."
    },
    subcommands = WarehouseCommand.class)
final class DemoCommand implements Callable<Integer> {
  private static final Duration LOAD_PATIENCE = Duration.ofMinutes(15);
  private static final Duration ARRIVAL_PATIENCE = Duration.ofMinutes(3);
  private static final int SINGLE_UPDATES = 200;

  @Option(
      names = "--orders",
      defaultValue = "5000",
      paramLabel = "N",
      description = "Size of the shop (default: ${DEFAULT-VALUE}); 99441 is the Olist data set's.")
  private int orders;

  @Option(
      names = "--keep",
      description = "Leave everything running until Ctrl-C, and say how to connect.")
  private boolean keep;

  @Unmatched private List<String> beamArgs = new ArrayList<>();

  @Spec private CommandSpec spec;

  private PrintWriter out;

  @Override
  public Integer call() throws SQLException {
    if (orders < 1) {
      throw new picocli.CommandLine.ParameterException(
          spec.commandLine(), "--orders must be at least 1, not " + orders);
    }
    out = spec.commandLine().getOut();
    BeamOptions options = BeamOptions.parse(beamArgs.toArray(String[]::new));
    long start = System.nanoTime();
    try (ShopServers servers = ShopServers.start(orders)) {
      say(
          "A shop of %,d orders, %,d rows in six tables of MariaDB at %s:%d; the target at %s "
              + " (%.1f s)",
          orders,
          servers.totalRows(),
          servers.source().host(),
          servers.source().port(),
          servers.target().uri(),
          seconds(start));
      RunningBeamFlow flow =
          new BeamLauncher()
              .launch(
                  FlowPlanner.connected()
                      .plan(ShopFlow.between(servers.source(), servers.target())),
                  options);
      boolean right;
      try {
        right = play(servers, flow);
        say(right ? "All right, after %.1f s." : "NOT all right, after %.1f s.", seconds(start));
        if (keep) {
          sayHowToConnect(servers);
          new CountDownLatch(1).await(); // Until Ctrl-C ends the process, and the servers with it.
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        right = false;
      } finally {
        flow.stop();
      }
      return right ? 0 : 1;
    }
  }

  private boolean play(ShopServers servers, RunningBeamFlow flow)
      throws SQLException, InterruptedException {
    MongoCollection<Document> target = servers.documents();
    long start = System.nanoTime();
    awaitLoad(servers, flow, start);
    double loadSeconds = seconds(start);
    double writesPerDocument = flow.counter("documentsWritten") / (double) orders;
    say(
        "Loaded %,d documents in %.1f s: %,.0f rows/s, %.2f writes per document",
        orders, loadSeconds, servers.totalRows() / loadSeconds, writesPerDocument);
    say("");
    say("What happens in the shop, from its commit to the target:");
    Histogram delays;
    try (Connection source = servers.connect()) {
      ShopScenarios scenarios = new ShopScenarios(source, target, ARRIVAL_PATIENCE);
      scenarios.playAll(arrival -> say("  %s", arrival));
      delays = scenarios.updatePayments(SINGLE_UPDATES);
    }
    say(
        "  %d payments changed, one at a time: delay p50 %.1f ms, p99 %.1f ms",
        delays.getTotalCount(),
        delays.getValueAtPercentile(50) / 1e3,
        delays.getValueAtPercentile(99) / 1e3);
    say("");
    say("%s", flow.status());
    ShopVerifier.Report report;
    long verification = System.nanoTime();
    try (Connection source = servers.connect()) {
      report = ShopVerifier.verify(source, target, ShopFlow.VERSION_FIELD);
    }
    say(
        "Compared with SQL: %s; %,d documents  (%.1f s)",
        report, target.countDocuments(), seconds(verification));
    report.differences().forEach(difference -> say("  %s", difference));
    say("");
    say("%s", json(target.find(eq("_id", ShopScenarios.ORDER)).first()));
    say("");
    if (flow.counter("documentsWritten") < orders || writesPerDocument != 1) {
      say("The initial load did not write each document exactly once.");
      return false;
    }
    return report.agrees();
  }

  /** Waits until the target has all documents and the flow has counted them. */
  private void awaitLoad(ShopServers servers, RunningBeamFlow flow, long start)
      throws InterruptedException {
    MongoCollection<Document> target = servers.documents();
    try (SnapshotProgress progress = SnapshotProgress.on(spec.commandLine().getErr())) {
      while (target.estimatedDocumentCount() < orders
          || flow.counter("documentsWritten") < orders) {
        FlowStatus status = flow.status();
        progress.show(status.tables());
        switch (status.state()) {
          case STARTING, RUNNING -> {}
          case STOPPED, ERROR -> {
            flow.awaitEnd();
            Optional<FlowFailedException> failure = flow.failure();
            if (failure.isPresent()) {
              throw failure.get();
            }
            throw new IllegalStateException("the flow ended during the initial load");
          }
        }
        if (seconds(start) > LOAD_PATIENCE.toSeconds()) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "the initial load was not done after %d minutes: %,d of %,d documents",
                  LOAD_PATIENCE.toMinutes(),
                  target.estimatedDocumentCount(),
                  orders));
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  private void sayHowToConnect(ShopServers servers) {
    say("");
    say("Left running until Ctrl-C. Change rows here, and see the documents there:");
    if (servers.source() instanceof ShopSource.MariaDb source) {
      say("  %s", String.join(" ", source.server().clientCommand(Shop.DATABASE)));
      say(
          "  %s  (user %s, password %s)",
          source.server().jdbcUrl(Shop.DATABASE), EmbeddedMariaDb.USER, EmbeddedMariaDb.PASSWORD);
    }
    say("  %s  %s", servers.target().uri(), servers.documents().getNamespace());
  }

  private static String json(Document document) {
    return document == null
        ? "(no such document)"
        : document.toJson(
            JsonWriterSettings.builder()
                .outputMode(JsonMode.RELAXED)
                .indent(true)
                .decimal128Converter((value, writer) -> writer.writeNumber(value.toString()))
                .build());
  }

  private void say(String format, Object... arguments) {
    out.printf(Locale.ROOT, format + "%n", arguments);
    out.flush();
  }

  private static double seconds(long sinceNanoTime) {
    return (System.nanoTime() - sinceNanoTime) / 1e9;
  }
}
