package io.widebeam.runner.state;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/** Whose state a directory holds. */
record Manifest(String flow, long generation, StateBackend backend, FlowShape shape) {
  private static final String FORMAT = "1";

  Manifest withGeneration(long next) {
    return new Manifest(flow, next, backend, shape);
  }

  /** Empty if there is none yet. */
  static Optional<Manifest> read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
      if (!FORMAT.equals(properties.getProperty("format"))) {
        throw new StateException(
            file
                + " has format "
                + properties.getProperty("format")
                + ", this program reads format "
                + FORMAT
                + ": go on with the program that wrote it, or choose another --state-dir");
      }
      List<String> lines = new ArrayList<>();
      for (int i = 0; properties.containsKey("shape." + i); i++) {
        lines.add(properties.getProperty("shape." + i));
      }
      return Optional.of(
          new Manifest(
              properties.getProperty("flow"),
              Long.parseLong(properties.getProperty("generation")),
              StateBackend.valueOf(properties.getProperty("backend")),
              new FlowShape(lines)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      throw new StateException(file + " cannot be read: choose another --state-dir", e);
    }
  }

  void write(Path file) {
    Properties properties = new Properties();
    properties.setProperty("format", FORMAT);
    properties.setProperty("flow", flow);
    properties.setProperty("generation", Long.toString(generation));
    properties.setProperty("backend", backend.name());
    for (int i = 0; i < shape.lines().size(); i++) {
      properties.setProperty("shape." + i, shape.lines().get(i));
    }
    try {
      AtomicFile.write(file, properties);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
