package io.widebeam.flow;

import java.util.Map;

/**
 * Where the parts of a flow stand in its file. Parts are named by their path in the flow, as in
 * {@code connections.MySQL_ECommerce.host} or {@code views[0].lookups[2].relation[0]}.
 */
final class Places {
  static final Places NONE = new Places(Map.of());

  private final Map<String, String> placeByPart;

  Places(Map<String, String> placeByPart) {
    this.placeByPart = placeByPart;
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
