package io.widebeam.runner.launch;

import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.io.GenerateSequence;
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
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithKeys;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.joda.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a small pipeline that looks like a flow to the runner, so that the classes a flow needs get
 * loaded: into the archive that {@code ./widebeam} starts from.
 */
public final class WarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
  private static final long ENOUGH = 100;
  private static final int TRIES = 600;

  private WarmUp() {}

  /**
   * What a flow loads beside its runner: joins, targets, connectors, drivers. Loading them all is
   * cheaper than the servers that it would take to load only those in use.
   */
  private static final List<String> PACKAGES =
      List.of(
          "io/widebeam/",
          "io/debezium/",
          "org/apache/kafka/connect/",
          "org/apache/kafka/common/config/",
          "com/github/shyiko/mysql/binlog/",
          "com/mongodb/",
          "de/bwaldvogel/mongo/",
          "io/netty/",
          "org/bson/",
          "org/mariadb/jdbc/",
          "com/mysql/cj/",
          "org/postgresql/",
          "me/tongfei/progressbar/",
          "org/snakeyaml/");

  /** Returns when the pipeline has started, counted a few elements and been stopped. */
  public static void run() throws InterruptedException {
    loadClasses();
    BeamOptions options = BeamOptions.parse();
    Pipeline pipeline = Pipeline.create(options.pipelineOptions());
    pipeline
        .apply("Read", GenerateSequence.from(0).withRate(100, Duration.millis(10)))
        .apply(
            "Key",
            WithKeys.<String, Long>of(n -> "k" + n % 10).withKeyType(TypeDescriptors.strings()))
        .setCoder(KvCoder.of(StringUtf8Coder.of(), VarLongCoder.of()))
        .apply("Count", ParDo.of(new Count()));
    PipelineRun run = PipelineRun.start(options, pipeline);
    for (int i = 0; i < TRIES && run.metrics().counter("warmUp") < ENOUGH; i++) {
      Thread.sleep(50);
    }
    run.stop();
  }

  private static void loadClasses() {
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (!entry.endsWith(".jar")) {
        continue;
      }
      try (JarFile jar = new JarFile(entry)) {
        jar.stream()
            .map(JarEntry::getName)
            .filter(name -> name.endsWith(".class") && PACKAGES.stream().anyMatch(name::startsWith))
            .forEach(WarmUp::load);
      } catch (IOException e) {
        LOG.debug("{} cannot be read", entry, e);
      }
    }
  }

  private static void load(String classFile) {
    String name = classFile.substring(0, classFile.length() - ".class".length()).replace('/', '.');
    try {
      Class<?> unused = Class.forName(name, false, WarmUp.class.getClassLoader());
    } catch (ClassNotFoundException | LinkageError e) {
      LOG.trace("{} needs what is not here", name, e);
    }
  }

  static final class Count extends DoFn<KV<String, Long>, Long> {
    private final Counter counter = Metrics.counter(MetricValues.NAMESPACE, "warmUp");

    @StateId("sum")
    private final StateSpec<ValueState<Long>> sumSpec = StateSpecs.value(VarLongCoder.of());

    @TimerId("release")
    private final TimerSpec releaseSpec = TimerSpecs.timer(TimeDomain.EVENT_TIME);

    @ProcessElement
    public void process(
        @Element KV<String, Long> element,
        @StateId("sum") ValueState<Long> sum,
        @TimerId("release") Timer release) {
      Long before = sum.read();
      sum.write((before == null ? 0 : before) + element.getValue());
      release.offset(Duration.millis(1)).setRelative();
      counter.inc();
    }

    @OnTimer("release")
    public void release(@StateId("sum") ValueState<Long> sum, OutputReceiver<Long> out) {
      Long value = sum.read();
      if (value != null) {
        out.output(value);
      }
    }
  }
}
