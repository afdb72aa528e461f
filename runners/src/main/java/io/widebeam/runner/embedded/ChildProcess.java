package io.widebeam.runner.embedded;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that must not outlive this one. Its output is read to the end, so that it never blocks
 * on a full pipe, and the last lines are kept for the message if it fails.
 */
public final class ChildProcess implements AutoCloseable {
  private static final int KEPT_LINES = 30;

  /**
   * Becomes the command, and leaves a watcher that ends with this process's end of a pipe, however
   * that comes about: then it kills the command, and removes what the command leaves on disk.
   */
  private static final String TIED =
      """
      exec 3<&0
      left=$1
      shift
      ( cat >/dev/null; kill -9 $$; [ -z "$left" ] || rm -rf -- "$left" ) <&3 >/dev/null 2>&1 &
      exec "$@" 3<&- </dev/null
      """;

  private final String name;
  private final Process process;
  private final Thread reader;
  private final Thread shutdownHook = new Thread(this::kill, "stop-child");
  private final Deque<String> lastLines = new ArrayDeque<>();
  private final List<Waiter> waiters = new ArrayList<>();
  private boolean outputEnded;

  private record Waiter(Predicate<String> wanted, CompletableFuture<String> found) {}

  private ChildProcess(String name, Process process, Consumer<String> output) {
    this.name = name;
    this.process = process;
    this.reader = new Thread(() -> readOutput(output), name + "-output");
    this.reader.setDaemon(true);
  }

  /**
   * Starts a command that has an {@link #input}; each line of its merged output is also given to
   * {@code output}.
   */
  static ChildProcess start(String name, List<String> command, Consumer<String> output) {
    return start(name, command, Map.of(), output);
  }

  /**
   * Starts a command that does not outlive this process even if that is killed.
   *
   * @param left a directory to remove after it
   */
  static ChildProcess startTied(
      String name, List<String> command, Path left, Consumer<String> output) {
    return start(name, tied(command, left.toString()), Map.of(), output);
  }

  private static List<String> tied(List<String> command, String left) {
    List<String> tied = new ArrayList<>(List.of("/bin/sh", "-c", TIED, "sh", left));
    tied.addAll(command);
    return tied;
  }

  private static ChildProcess start(
      String name, List<String> command, Map<String, String> environment, Consumer<String> output) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException("could not start " + name + ": " + e.getMessage(), e);
    }
    ChildProcess child = new ChildProcess(name, process, output);
    Runtime.getRuntime().addShutdownHook(child.shutdownHook);
    child.reader.start();
    return child;
  }

  /**
   * Starts a class of this program in a JVM of its own, with this JVM's class path and options.
   *
   * @param heapMegabytes what the heap takes, whatever this JVM's does
   * @param environment variables in addition to this process's own
   */
  public static ChildProcess startJava(
      String name,
      int heapMegabytes,
      String mainClass,
      List<String> arguments,
      Map<String, String> environment,
      Consumer<String> output) {
    // The share that the program itself has.
    int youngMegabytes = heapMegabytes * 3 / 5;
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(ChildProcess::isInherited)
        .forEach(command::add);
    command.add("-Xms" + heapMegabytes + "m");
    command.add("-Xmx" + heapMegabytes + "m");
    command.add("-XX:NewSize=" + youngMegabytes + "m");
    command.add("-XX:MaxNewSize=" + youngMegabytes + "m");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(mainClass);
    command.addAll(arguments);
    return start(name, tied(command, ""), environment, output);
  }

  /** For the main method of a child: its output is read by lines, and few of them are wanted. */
  public static void logWarningsOnly() {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.WARN);
    }
  }

  /** A debugger must not be attached twice, nor an archive written twice; a pipe is no terminal. */
  private static boolean isInherited(String jvmOption) {
    return !jvmOption.startsWith("-Xm")
        && !jvmOption.startsWith("-XX:NewSize")
        && !jvmOption.startsWith("-XX:MaxNewSize")
        && !jvmOption.startsWith("-agentlib")
        && !jvmOption.startsWith("-javaagent")
        && !jvmOption.startsWith("-Dwidebeam.terminal")
        && !jvmOption.startsWith("-XX:ArchiveClassesAtExit");
  }

  /** Waits for the first line that matches, among those printed from now on or kept so far. */
  public String awaitLine(Predicate<String> wanted, Duration atMost) {
    CompletableFuture<String> found = new CompletableFuture<>();
    synchronized (lastLines) {
      for (String line : lastLines) {
        if (wanted.test(line)) {
          return line;
        }
      }
      if (outputEnded) {
        throw new IllegalStateException(failure("ended early"));
      }
      waiters.add(new Waiter(wanted, found));
    }
    try {
      return found.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          failure("was not ready after " + atMost.toSeconds() + " s"), e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(failure("ended early"), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + name, e);
    }
  }

  /** Waits for the end of the process and answers its exit status. */
  public int awaitEnd(Duration atMost) {
    try {
      if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(failure("was not done after " + atMost.toSeconds() + " s"));
      }
      reader.join();
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + name, e);
    }
  }

  /** When the operating system started the process, at its precision (10 ms on Linux). */
  public Instant startTime() {
    return process.toHandle().info().startInstant().orElseThrow();
  }

  /** Its number in the operating system. */
  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Asks the process to end, as a terminal's Ctrl-C or a service manager would. */
  public void terminate() {
    process.toHandle().destroy(); // Process.destroy would close its output, too.
  }

  /** Kills the process, but leaves on disk what it has left there; it is still to be closed. */
  void killOnly() {
    // The watcher first: it would see the end of the pipe, and clean up.
    process.toHandle().descendants().forEach(ProcessHandle::destroyForcibly);
    process.toHandle().destroyForcibly();
    awaitEnd(Duration.ofMinutes(1));
  }

  /** The standard input of the process. */
  OutputStream input() {
    return process.getOutputStream();
  }

  /** A message that says what happened, with the last lines that the process printed. */
  public String failure(String what) {
    synchronized (lastLines) {
      return String.format(
          Locale.ROOT,
          "%s %s; its last output was:%n  %s",
          name,
          what,
          String.join(System.lineSeparator() + "  ", lastLines));
    }
  }

  @Override
  public void close() {
    kill();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(shutdownHook);
    } catch (IllegalStateException e) {
      // The JVM is already shutting down: the hook is running or has run.
      return;
    }
  }

  private void kill() {
    process.destroyForcibly();
  }

  private void readOutput(Consumer<String> output) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        keep(line);
        output.accept(line);
      }
    } catch (IOException e) {
      keep("(its output ended: " + e.getMessage() + ")");
    } finally {
      synchronized (lastLines) {
        outputEnded = true;
        waiters.forEach(
            waiter ->
                waiter.found.completeExceptionally(new IllegalStateException("output ended")));
        waiters.clear();
      }
    }
  }

  private void keep(String line) {
    synchronized (lastLines) {
      lastLines.addLast(line);
      if (lastLines.size() > KEPT_LINES) {
        lastLines.removeFirst();
      }
      waiters.removeIf(waiter -> waiter.wanted.test(line) && waiter.found.complete(line));
    }
  }
}
