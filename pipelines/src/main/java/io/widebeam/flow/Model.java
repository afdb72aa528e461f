package io.widebeam.flow;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A dbt model: one {@code SELECT}, whose rows are kept up to date in a table of the model's name.
 *
 * @param name how other models refer to it
 * @param file what to call its file in messages
 * @param text the file's text
 * @param from the source connection whose tables it names; empty for the only one
 * @param to the target connection; empty for the only one
 * @param every how often groups that have changed are written; zero for at every change
 */
public record Model(
    String name,
    String file,
    String text,
    Optional<String> from,
    Optional<String> to,
    Duration every) {
  public static final Duration DEFAULT_PERIOD = Duration.ofSeconds(1);

  private static final String SUFFIX = ".sql";

  public Model {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(to, "to");
    Objects.requireNonNull(every, "every");
  }

  /** A model from the only source to the only target, grouped anew every second. */
  public static Model of(String name, String text) {
    return new Model(name, name + SUFFIX, text, Optional.empty(), Optional.empty(), DEFAULT_PERIOD);
  }

  /**
   * The model in a file, which is called like it.
   *
   * @throws FlowException if the file cannot be read
   */
  public static Model read(Path file) {
    try {
      Model model = of(name(file), Files.readString(file, StandardCharsets.UTF_8));
      return new Model(model.name, file.toString(), model.text, model.from, model.to, model.every);
    } catch (IOException e) {
      throw new FlowException(
          List.of(
              new Problem(
                  file.toString(), "cannot be read: " + e, "a model is a readable UTF-8 file")));
    }
  }

  /** This model, of another source's tables. */
  public Model from(String connection) {
    return new Model(name, file, text, Optional.of(connection), to, every);
  }

  /** This model, written to another target. */
  public Model to(String connection) {
    return new Model(name, file, text, from, Optional.of(connection), every);
  }

  /** This model, with its groups written as often as this. */
  public Model every(Duration period) {
    return new Model(name, file, text, from, to, period);
  }

  private static String name(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
  }

  @Override
  public String toString() {
    return "Model[" + name + "]";
  }
}
