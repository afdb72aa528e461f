package io.widebeam.flow;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Reads typed values out of YAML nodes. What is not as it should be becomes a problem, and the
 * answer is empty: the caller goes on, so that one reading finds every mistake.
 */
final class YamlReader {
  private static final String QUOTE =
      "a value that starts with a brace or a bracket needs quotes, as in \"${NAME}\"";

  private final String file;
  private final Environment environment;
  private final List<Problem> problems = new ArrayList<>();
  private final Map<String, String> placeByPart = new LinkedHashMap<>();
  private final Map<String, Places.Text> textByPart = new HashMap<>();
  private final Places places =
      new Places(Collections.unmodifiableMap(placeByPart), Collections.unmodifiableMap(textByPart));

  YamlReader(String file, Environment environment) {
    this.file = file;
    this.environment = environment;
  }

  List<Problem> problems() {
    return problems;
  }

  /** Where the file is, which is what paths in it are relative to. */
  Path directory() {
    Path parent = Path.of(file).getParent();
    return parent == null ? Path.of("") : parent;
  }

  /** Where the parts read so far stand. */
  Places places() {
    return places;
  }

  /** Remembers where a part of the flow stands; see {@link Places}. */
  void locate(String part, Node node) {
    placeByPart.put(part, place(node.getStartMark()));
  }

  /**
   * Remembers where each character of a part's text stands, if the file has the text as it is: a
   * plain or quoted one in a single line, or a literal block.
   */
  void locateText(String part, Node node, String text) {
    if (!(node instanceof ScalarNode scalar) || scalar.getStartMark().isEmpty()) {
      return;
    }
    Mark start = scalar.getStartMark().get();
    int length = scalar.getEndMark().map(end -> end.getIndex() - start.getIndex()).orElse(-1);
    int codePoints = text.codePointCount(0, text.length());
    int line = start.getLine() + 1;
    int column = start.getColumn() + 1;
    switch (scalar.getScalarStyle()) {
      case PLAIN -> {
        if (length == codePoints) {
          textByPart.put(part, new Places.Text(file, line, column, column));
        }
      }
      case SINGLE_QUOTED, DOUBLE_QUOTED -> {
        if (length == codePoints + 2) {
          textByPart.put(part, new Places.Text(file, line, column + 1, column + 1));
        }
      }
      case LITERAL -> {
        int indent = indentAfter(start);
        if (indent >= 0) {
          textByPart.put(part, new Places.Text(file, line + 1, indent + 1, indent + 1));
        }
      }
      case FOLDED, JSON_SCALAR_STYLE -> {}
    }
  }

  /** By how many spaces the line after the mark is indented; -1 if it cannot be told. */
  private static int indentAfter(Mark mark) {
    int[] buffer = mark.getBuffer();
    int at = mark.getPointer();
    while (at < buffer.length && buffer[at] != '\n') {
      at++;
    }
    int spaces = 0;
    while (++at < buffer.length && buffer[at] == ' ') {
      spaces++;
    }
    return at >= buffer.length || buffer[at] == '\n' || buffer[at] == '\r' ? -1 : spaces;
  }

  void report(Node node, String what, String remedy) {
    problems.add(new Problem(place(node.getStartMark()), what, remedy));
  }

  void report(Optional<Mark> mark, String what, String remedy) {
    problems.add(new Problem(place(mark), what, remedy));
  }

  private String place(Optional<Mark> mark) {
    return mark.map(m -> file + ":" + (m.getLine() + 1) + ":" + (m.getColumn() + 1)).orElse(file);
  }

  /**
   * A mapping.
   *
   * @param part its path in the flow, for {@link Places}
   * @param title what people call it
   */
  Optional<Mapping> mapping(Node node, String part, String title) {
    locate(part, node);
    if (!(node instanceof MappingNode mappingNode)) {
      report(node, title + " should be a mapping of keys, not " + kind(node), "write `key: value`");
      return Optional.empty();
    }
    Map<String, Node> values = new LinkedHashMap<>();
    Map<String, Node> keys = new LinkedHashMap<>();
    for (NodeTuple tuple : mappingNode.getValue()) {
      if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
        report(tuple.getKeyNode(), "a key of " + title + " is " + kind(tuple.getKeyNode()), QUOTE);
        continue;
      }
      String key = keyNode.getValue();
      if (values.putIfAbsent(key, tuple.getValueNode()) != null) {
        report(keyNode, "`" + key + "` is there twice in " + title, "keep one of them");
        continue;
      }
      keys.put(key, keyNode);
      locate(child(part, key), tuple.getValueNode());
    }
    return Optional.of(new Mapping(mappingNode, part, title, keys, values));
  }

  /** A sequence's elements. */
  Optional<List<Node>> sequence(Node node, String title, String remedy) {
    if (node instanceof SequenceNode sequence) {
      return Optional.of(sequence.getValue());
    }
    report(node, title + " should be a list, not " + kind(node), remedy);
    return Optional.empty();
  }

  /** A text, with environment variables put in. */
  Optional<String> text(Node node, String title) {
    if (!(node instanceof ScalarNode scalar)) {
      report(node, title + " should be a text, not " + kind(node), QUOTE);
      return Optional.empty();
    }
    if (scalar.isPlain() && scalar.getTag().equals(Tag.NULL)) {
      report(node, title + " has no value", "write one after the colon, or \"\" for an empty one");
      return Optional.empty();
    }
    Environment.Resolved resolved = environment.resolve(scalar.getValue());
    for (String name : resolved.missing()) {
      report(
          node,
          title + " needs the environment variable " + name + ", which is not set",
          "set it before the start: export " + name + "=...");
    }
    resolved
        .unreadable()
        .forEach(
            (file, reason) ->
                report(
                    node,
                    title + " is to come from the file " + file + ": " + reason,
                    "write the value there, or name another file: ${file:/run/secrets/...}"));
    if (resolved.malformed()) {
      report(
          node,
          title + " has a `${` that names no environment variable and no file",
          "write ${NAME} with letters, digits and underscores, ${file:/run/secrets/name}, or $${ for"
              + " a plain ${");
    }
    return resolved.isComplete() ? Optional.of(resolved.text()) : Optional.empty();
  }

  static String child(String part, String key) {
    return part.isEmpty() ? key : part + "." + key;
  }

  private static String kind(Node node) {
    return switch (node.getNodeType()) {
      case MAPPING -> "a mapping";
      case SEQUENCE -> "a list";
      case SCALAR -> "a single value";
      case ANCHOR -> "an alias";
    };
  }

  /** A mapping's values, by key. */
  final class Mapping {
    private final MappingNode node;
    private final String part;
    private final String title;
    private final Map<String, Node> keys;
    private final Map<String, Node> values;

    private Mapping(
        MappingNode node,
        String part,
        String title,
        Map<String, Node> keys,
        Map<String, Node> values) {
      this.node = node;
      this.part = part;
      this.title = title;
      this.keys = keys;
      this.values = values;
    }

    String part() {
      return part;
    }

    String title() {
      return title;
    }

    boolean has(String key) {
      return values.containsKey(key);
    }

    Map<String, Node> values() {
      return values;
    }

    /**
     * Reports keys that are not known here.
     *
     * @param supported the keys that are
     * @param later keys that a later version will know
     */
    void allowOnly(List<String> supported, List<String> later) {
      keys.forEach(
          (key, keyNode) -> {
            if (later.contains(key)) {
              report(
                  keyNode,
                  "`" + key + "` in " + title + " is not supported yet",
                  "leave it out; supported keys: " + String.join(", ", supported));
            } else if (!supported.contains(key)) {
              report(
                  keyNode,
                  "unknown key `" + key + "` in " + title,
                  Suggestions.amongKeys(key, supported));
            }
          });
    }

    /** A value that must be there. */
    Optional<Node> required(String key, String remedy) {
      Node value = values.get(key);
      if (value == null) {
        report(node, title + " has no `" + key + "`", remedy);
      }
      return Optional.ofNullable(value);
    }

    Optional<Node> optional(String key) {
      return Optional.ofNullable(values.get(key));
    }

    Optional<String> requiredText(String key, String remedy) {
      return required(key, remedy).flatMap(value -> text(value, title(key)));
    }

    Optional<String> optionalText(String key) {
      return optional(key).flatMap(value -> text(value, title(key)));
    }

    /** What people call the value of a key. */
    String title(String key) {
      return "`" + key + "` of " + title;
    }
  }
}
