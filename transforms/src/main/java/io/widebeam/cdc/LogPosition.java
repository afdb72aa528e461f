package io.widebeam.cdc;

import java.util.Map;
import javax.annotation.Nullable;

/**
 * A place in the binary log of a MySQL or MariaDB server.
 *
 * @param file the log file's name, which ends with its number
 * @param offset in bytes
 */
record LogPosition(String file, long offset) implements Comparable<LogPosition> {

  /** The position in a connector's offset, or null if it has none. */
  @Nullable
  static LogPosition of(Map<String, ?> connectorOffset) {
    return connectorOffset.get("file") instanceof String file
            && connectorOffset.get("pos") instanceof Number pos
        ? new LogPosition(file, pos.longValue())
        : null;
  }

  @Override
  public int compareTo(LogPosition other) {
    int files = Long.compare(number(file), number(other.file));
    return files != 0 ? files : Long.compare(offset, other.offset);
  }

  private static long number(String file) {
    return Long.parseLong(file.substring(file.lastIndexOf('.') + 1));
  }
}
