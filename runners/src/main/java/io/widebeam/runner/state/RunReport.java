package io.widebeam.runner.state;

import io.widebeam.flow.FlowStatus;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * How a run is doing, as its state directory tells other processes.
 *
 * @param process the process that runs the flow, or ran it
 * @param started when the run began
 * @param updated when this was so
 * @param state how far the flow is in its life
 * @param status the flow's status, one line for people
 * @param checkpoint when the newest checkpoint was taken, if one was
 * @param load how far the tables have been read
 */
public record RunReport(
    String flow,
    long process,
    Instant started,
    Instant updated,
    FlowStatus.State state,
    String status,
    Optional<Instant> checkpoint,
    Load load) {
  private static final String FILE = "status.properties";

  /**
   * How far the tables of a flow have been read, all together.
   *
   * @param rowsRead of all runs of the generation, as far as they went on from each other
   * @param rowsBefore those of them that the run found read when it began
   * @param rowsExpected how many there may be, as the database thinks
   * @param done whether that was all
   */
  public record Load(long rowsRead, long rowsBefore, long rowsExpected, boolean done) {

    /** What a status says of the tables. */
    public static Load of(List<FlowStatus.TableProgress> tables) {
      return new Load(
          tables.stream().mapToLong(FlowStatus.TableProgress::rowsRead).sum(),
          tables.stream().mapToLong(FlowStatus.TableProgress::rowsBefore).sum(),
          tables.stream().mapToLong(FlowStatus.TableProgress::rowsExpected).sum(),
          tables.stream().allMatch(table -> table.rowsRead() == table.rowsExpected()));
    }

    private static Load read(Properties properties) {
      return new Load(
          Long.parseLong(properties.getProperty("rows", "0")),
          Long.parseLong(properties.getProperty("rows.before", "0")),
          Long.parseLong(properties.getProperty("rows.expected", "0")),
          Boolean.parseBoolean(properties.getProperty("loaded", "true")));
    }

    private void write(Properties properties) {
      properties.setProperty("rows", Long.toString(rowsRead));
      properties.setProperty("rows.before", Long.toString(rowsBefore));
      properties.setProperty("rows.expected", Long.toString(rowsExpected));
      properties.setProperty("loaded", Boolean.toString(done));
    }
  }

  /** Replaces the report in the directory. */
  public void write(Path directory) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("flow", flow);
    properties.setProperty("process", Long.toString(process));
    properties.setProperty("started", started.toString());
    properties.setProperty("updated", updated.toString());
    properties.setProperty("state", state.name());
    properties.setProperty("status", status);
    checkpoint.ifPresent(taken -> properties.setProperty("checkpoint", taken.toString()));
    load.write(properties);
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
              FlowStatus.State.valueOf(properties.getProperty("state")),
              properties.getProperty("status"),
              Optional.ofNullable(properties.getProperty("checkpoint")).map(Instant::parse),
              Load.read(properties)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      throw new StateException(file + " cannot be read", e);
    }
  }
}
