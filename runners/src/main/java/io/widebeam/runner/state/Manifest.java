package io.widebeam.runner.state;

import io.widebeam.flow.FlowShape;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * Whose state a directory holds.
 *
 * @param later the generations of the views that have one of their own, by the view's name
 * @param altered whether the flow has had other views in this generation
 */
record Manifest(
    String flow,
    long generation,
    StateBackend backend,
    FlowShape shape,
    Map<String, Long> later,
    boolean altered) {
  private static final String FORMAT = "2";

  /** The last generation that began, of the flow or a view. */
  long last() {
    return later.values().stream().reduce(generation, Math::max);
  }

  Manifest withGeneration(long next) {
    return new Manifest(flow, next, backend, shape, Map.of(), false);
  }

  Manifest withShape(FlowShape next, Map<String, Long> generations) {
    return new Manifest(flow, generation, backend, next, generations, true);
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
      Map<String, List<String>> views = new LinkedHashMap<>();
      Map<String, Long> later = new HashMap<>();
      for (int i = 0; properties.containsKey("view." + i); i++) {
        String view = properties.getProperty("view." + i);
        List<String> lines = new ArrayList<>();
        for (int j = 0; properties.containsKey("view." + i + "." + j); j++) {
          lines.add(properties.getProperty("view." + i + "." + j));
        }
        views.put(view, lines);
        String generation = properties.getProperty("view." + i + ".generation");
        if (generation != null) {
          later.put(view, Long.valueOf(generation));
        }
      }
      return Optional.of(
          new Manifest(
              properties.getProperty("flow"),
              Long.parseLong(properties.getProperty("generation")),
              StateBackend.valueOf(properties.getProperty("backend")),
              new FlowShape(views),
              later,
              Boolean.parseBoolean(properties.getProperty("altered"))));
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
    properties.setProperty("altered", Boolean.toString(altered));
    int i = 0;
    for (Map.Entry<String, List<String>> view : shape.views().entrySet()) {
      String key = "view." + i++;
      properties.setProperty(key, view.getKey());
      for (int j = 0; j < view.getValue().size(); j++) {
        properties.setProperty(key + "." + j, view.getValue().get(j));
      }
      if (later.containsKey(view.getKey())) {
        properties.setProperty(key + ".generation", Long.toString(later.get(view.getKey())));
      }
    }
    try {
      AtomicFile.write(file, properties);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }
}
