package io.widebeam.flow;

import java.util.Map;

/**
 * Where the parts of a flow stand in its file. Parts are named by their path in the flow, as in
 * {@code connections.MySQL_ECommerce.host} or {@code views[0].lookups[2].relation[0]}.
 */
final class Places {
  static final Places NONE = new Places(Map.of(), Map.of());

  private final Map<String, String> placeByPart;
  private final Map<String, Text> textByPart;

  /**
   * Where the characters of a part's text stand, line by line.
   *
   * @param line the first character's line, from 1
   * @param column the first character's column, from 1
   * @param indent the column where all further lines begin
   */
  record Text(String file, int line, int column, int indent) {}

  Places(Map<String, String> placeByPart, Map<String, Text> textByPart) {
    this.placeByPart = placeByPart;
    this.textByPart = textByPart;
  }

  /** Whether places within a part's text are known. */
  boolean isText(String part) {
    return textByPart.containsKey(part);
  }

  /** The place within a part's text, by line and column from 1; the part's place if not known. */
  String within(String part, int line, int column) {
    Text text = textByPart.get(part);
    return text == null
        ? of(part)
        : text.file()
            + ":"
            + (text.line() + line - 1)
            + ":"
            + ((line == 1 ? text.column() : text.indent()) + column - 1);
  }

  /**
   * The place of a part, or of the nearest part around it that has one: what was left out of the
   * file is reported where it belongs. Without any, the part's own name.
   */
  String of(String part) {
    for (String around = part; !around.isEmpty(); around = parent(around)) {
      String place = placeByPart.get(around);
      if (place != null) {
        return place;
      }
    }
    return placeByPart.getOrDefault("", part);
  }

  private static String parent(String part) {
    return part.substring(0, Math.max(0, Math.max(part.lastIndexOf('.'), part.lastIndexOf('['))));
  }
}
