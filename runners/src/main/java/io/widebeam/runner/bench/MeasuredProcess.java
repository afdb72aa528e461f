package io.widebeam.runner.bench;

import io.widebeam.cdc.CdcIO;
import io.widebeam.change.Change;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.PlannedFlow;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.shop.ShopFlow;
import io.widebeam.runner.shop.ShopServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;

/** The processes that are measured; each has the same Java options and at most the same heap. */
final class MeasuredProcess {
  /** What a flow may use, and the raw drain beside it. */
  static final int HEAP_MEGABYTES = 2_048;

  private MeasuredProcess() {}

  /** The order view, as {@code widebeam run} runs it. */
  static ChildProcess flow(
      ShopServers servers, Path directory, List<String> options, Consumer<String> output) {
    Path file = directory.resolve("order-single-view.yaml");
    try {
      Files.writeString(file, ShopFlow.yaml(servers.source().kind()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<String> arguments = new ArrayList<>(List.of("run", file.toString()));
    arguments.addAll(options);
    return ChildProcess.startJava(
        "the flow",
        HEAP_MEGABYTES,
        Main.class.getName(),
        arguments,
        ShopFlow.environment(servers.source(), servers.target()),
        output);
  }

  /** The order view from nothing, as one starts it the first time. */
  static ChildProcess newFlow(ShopServers servers, Path directory, List<String> options) {
    List<String> all = new ArrayList<>(options);
    all.add("--fresh");
    all.add("--state-dir=" + directory.resolve("state"));
    return flow(servers, directory, all, line -> {});
  }

  /** How the flow reads its source. */
  static CdcIO.Read<Change> source(ShopServers servers) {
    PlannedFlow plan =
        FlowPlanner.connected().plan(ShopFlow.between(servers.source(), servers.target()));
    return CdcIO.readChanges().withConnectorConfiguration(plan.sources().get(0).connector());
  }

  /** The connector that the flow would use, with nothing behind it. */
  static ChildProcess rawDrain(ShopServers servers, Path directory) {
    Properties properties = new Properties();
    properties.putAll(source(servers).connectorProperties());
    Path file = directory.resolve("connector.properties");
    try (Writer out = Files.newBufferedWriter(file)) {
      properties.store(out, null);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ChildProcess.startJava(
        "the raw drain",
        HEAP_MEGABYTES,
        RawDrain.class.getName(),
        List.of(file.toString(), Integer.toString(servers.totalRows())),
        Map.of(),
        line -> {});
  }
}
