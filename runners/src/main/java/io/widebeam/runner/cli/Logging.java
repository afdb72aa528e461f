package io.widebeam.runner.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.filter.ThresholdFilter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Where log messages go: ours that matter to the terminal, all of them to a file. */
final class Logging {
  private static final String OURS = "io.widebeam";
  private static final String LONG_LINE = "%d{ISO8601} %-5level [%thread] %logger{40} - %msg%n%ex";

  private Logging() {}

  /**
   * Sets up logging in code: reading a configuration file would cost a tenth of a second at every
   * start.
   *
   * @param verbose whether everything goes to standard error instead of the file
   * @param file made when the first message goes there
   */
  static void configure(boolean verbose, Path file) {
    if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
      return;
    }
    context.reset();
    // The binlog client and others log through java.util.logging.
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.INFO);
    // They tell of every operator, at every start, several times.
    context.getLogger("org.apache.flink").setLevel(Level.WARN);
    context.getLogger("org.apache.pekko").setLevel(Level.WARN);
    context.getLogger("org.apache.kafka").setLevel(Level.WARN);
    context.getLogger("org.apache.beam.runners.flink").setLevel(Level.WARN);
    context.getLogger("org.mongodb").setLevel(Level.WARN);
    context.getLogger("de.bwaldvogel").setLevel(Level.WARN);
    if (verbose) {
      root.addAppender(console(context, LONG_LINE));
      return;
    }
    ConsoleAppender<ILoggingEvent> console = console(context, "widebeam: %msg%n%nopex");
    ThresholdFilter warnings = new ThresholdFilter();
    warnings.setLevel(Level.WARN.levelStr);
    warnings.start();
    console.addFilter(warnings);
    context.getLogger(OURS).addAppender(console);

    OutputStreamAppender<ILoggingEvent> log = new OutputStreamAppender<>();
    log.setContext(context);
    log.setEncoder(encoder(context, LONG_LINE));
    log.setOutputStream(new FileOnDemand(file));
    log.start();
    root.addAppender(log);
  }

  private static ConsoleAppender<ILoggingEvent> console(LoggerContext context, String pattern) {
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setTarget("System.err");
    console.setContext(context);
    console.setEncoder(encoder(context, pattern));
    console.start();
    return console;
  }

  private static PatternLayoutEncoder encoder(LoggerContext context, String pattern) {
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(pattern);
    encoder.start();
    return encoder;
  }

  /** A file that comes into being when something is written. */
  private static final class FileOnDemand extends OutputStream {
    private final Path path;
    private OutputStream file;

    FileOnDemand(Path path) {
      this.path = path;
    }

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (file == null) {
        Files.createDirectories(path.getParent());
        file = new BufferedOutputStream(Files.newOutputStream(path));
      }
      file.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
      if (file != null) {
        file.flush();
      }
    }

    @Override
    public void close() throws IOException {
      if (file != null) {
        file.close();
      }
    }
  }
}
