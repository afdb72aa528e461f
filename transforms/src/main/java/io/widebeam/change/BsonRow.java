package io.widebeam.change;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.bson.BSONException;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;

/**
 * Finds fields in an encoded BSON document without decoding it.
 *
 * <p>An element is a type byte, a field name that ends in a zero byte, and a value (bsonspec.org,
 * version 1.1). Offsets point into the given array.
 */
public final class BsonRow {
  /** The length of the header, and with it the offset of the first element. */
  public static final int FIRST_ELEMENT = 4;

  private BsonRow() {}

  /** The document's bytes; its own array where that holds nothing else, otherwise a copy. */
  public static byte[] bytes(RawBsonDocument document) {
    ByteBuf buffer = document.getByteBuffer();
    byte[] array = buffer.array();
    int start = buffer.position();
    int length = buffer.remaining();
    return start == 0 && length == array.length
        ? array
        : Arrays.copyOfRange(array, start, start + length);
  }

  /** A field name as it stands in an element, without the final zero byte. */
  public static byte[] name(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  /** The offset of the element with this name, or -1 if the document has none. */
  public static int find(byte[] document, byte[] name) {
    int offset = FIRST_ELEMENT;
    int end = document.length - 1;
    while (offset < end) {
      int value = valueOffset(document, offset);
      if (value - offset - 2 == name.length
          && Arrays.equals(document, offset + 1, value - 1, name, 0, name.length)) {
        return offset;
      }
      offset = value + valueLength(document, document[offset], value);
    }
    return -1;
  }

  /** A document of these fields alone, in the order given; those that are absent are left out. */
  public static byte[] project(byte[] document, byte[][] names) {
    int[] elements = new int[names.length];
    int length = FIRST_ELEMENT + 1;
    for (int i = 0; i < names.length; i++) {
      elements[i] = find(document, names[i]);
      if (elements[i] >= 0) {
        length += nextElement(document, elements[i]) - elements[i];
      }
    }
    byte[] projected = new byte[length];
    setInt32(projected, 0, length);
    int at = FIRST_ELEMENT;
    for (int element : elements) {
      if (element >= 0) {
        int size = nextElement(document, element) - element;
        System.arraycopy(document, element, projected, at, size);
        at += size;
      }
    }
    return projected;
  }

  /** The document without the fields whose names begin with this byte. */
  public static byte[] without(byte[] document, byte first) {
    byte[] kept = new byte[document.length];
    int length = FIRST_ELEMENT;
    int element = FIRST_ELEMENT;
    while (element < document.length - 1) {
      int next = nextElement(document, element);
      if (document[element + 1] != first) {
        System.arraycopy(document, element, kept, length, next - element);
        length += next - element;
      }
      element = next;
    }
    setInt32(kept, 0, length + 1);
    return Arrays.copyOf(kept, length + 1);
  }

  /** The offset of the value of the element at {@code element}. */
  public static int valueOffset(byte[] document, int element) {
    int offset = element + 1;
    while (document[offset] != 0) {
      offset++;
    }
    return offset + 1;
  }

  /** The offset just after the element at {@code element}. */
  public static int nextElement(byte[] document, int element) {
    int value = valueOffset(document, element);
    return value + valueLength(document, document[element], value);
  }

  private static int valueLength(byte[] document, int type, int value) {
    return switch (type) {
      case 0x06, 0x0A, 0x7F, -1 -> 0;
      case 0x08 -> 1;
      case 0x10 -> 4;
      case 0x01, 0x09, 0x11, 0x12 -> 8;
      case 0x07 -> 12;
      case 0x13 -> 16;
      case 0x02, 0x0D, 0x0E -> 4 + int32(document, value);
      case 0x03, 0x04, 0x0F -> int32(document, value);
      case 0x05 -> 5 + int32(document, value);
      case 0x0C -> 4 + int32(document, value) + 12;
      case 0x0B -> {
        int options = valueOffset(document, value - 1);
        yield valueOffset(document, options - 1) - value;
      }
      default -> throw new BSONException("unknown BSON element type " + type);
    };
  }

  /** The little-endian 32-bit integer at {@code offset}. */
  public static int int32(byte[] document, int offset) {
    return (document[offset] & 0xFF)
        | (document[offset + 1] & 0xFF) << 8
        | (document[offset + 2] & 0xFF) << 16
        | document[offset + 3] << 24;
  }

  /** Sets the little-endian 32-bit integer at {@code offset}. */
  public static void setInt32(byte[] document, int offset, int value) {
    document[offset] = (byte) value;
    document[offset + 1] = (byte) (value >>> 8);
    document[offset + 2] = (byte) (value >>> 16);
    document[offset + 3] = (byte) (value >>> 24);
  }

  /** The little-endian 64-bit integer at {@code offset}. */
  public static long int64(byte[] document, int offset) {
    return (int32(document, offset) & 0xFFFFFFFFL) | (long) int32(document, offset + 4) << 32;
  }
}
