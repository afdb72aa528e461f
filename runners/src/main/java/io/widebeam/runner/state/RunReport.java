package io.widebeam.runner.state;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Properties;

/**
 * How a run is doing, as its state directory tells other processes.
 *
 * @param process the process that runs the flow, or ran it
 * @param started when the run began
 * @param updated when this was so
 * @param status the flow's status, one line for people
 * @param checkpoint when the newest checkpoint was taken, if one was
 */
public record RunReport(
    String flow,
    long process,
    Instant started,
    Instant updated,
    String status,
    Optional<Instant> checkpoint) {
  private static final String FILE = "status.properties";

  /** Replaces the report in the directory. */
  public void write(Path directory) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("flow", flow);
    properties.setProperty("process", Long.toString(process));
    properties.setProperty("started", started.toString());
    properties.setProperty("updated", updated.toString());
    properties.setProperty("status", status);
    checkpoint.ifPresent(taken -> properties.setProperty("checkpoint", taken.toString()));
    AtomicFile.write(directory.resolve(FILE), properties);
  }

  /**
   * The report in a directory; empty if there is none.
   *
   * @throws StateException if there is something else in its place
   */
  public static Optional<RunReport> read(Path directory) {
    Path file = directory.resolve(FILE);
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
      return Optional.of(
          new RunReport(
              properties.getProperty("flow"),
              Long.parseLong(properties.getProperty("process")),
              Instant.parse(properties.getProperty("started")),
              Instant.parse(properties.getProperty("updated")),
              properties.getProperty("status"),
              Optional.ofNullable(properties.getProperty("checkpoint")).map(Instant::parse)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      throw new StateException(file + " cannot be read", e);
    }
  }
}
