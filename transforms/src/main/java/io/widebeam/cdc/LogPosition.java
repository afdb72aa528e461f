package io.widebeam.cdc;

import java.util.Map;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

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

  /** A connector's offset, whichever it is, as it can be shown; null if there is none. */
  @Nullable
  static RawBsonDocument document(@Nullable Map<String, ?> connectorOffset) {
    if (connectorOffset == null || connectorOffset.isEmpty()) {
      return null;
    }
    BsonDocument document = new BsonDocument();
    connectorOffset.forEach(
        (name, value) -> {
          if (value instanceof Number number) {
            document.append(name, new BsonInt64(number.longValue()));
          } else if (value != null) {
            document.append(name, new BsonString(value.toString()));
          }
        });
    return new RawBsonDocument(document, new BsonDocumentCodec());
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
