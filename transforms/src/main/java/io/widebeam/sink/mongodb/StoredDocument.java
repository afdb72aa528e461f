package io.widebeam.sink.mongodb;

import io.widebeam.document.DocumentChange;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bson.BsonBinaryReader;
import org.bson.BsonBinaryWriter;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonType;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonValueCodec;
import org.bson.codecs.EncoderContext;
import org.bson.io.BasicOutputBuffer;
import org.bson.types.Decimal128;

/** Turns a document change into the bytes that are stored, without decoding the document. */
final class StoredDocument {

  static final int MAX_BYTES = 16 * 1024 * 1024;

  private static final BsonValueCodec VALUE_CODEC = new BsonValueCodec();

  private StoredDocument() {}

  /**
   * {@code _id}, the version field, and the fields of {@code change.after()}.
   *
   * @throws IllegalArgumentException if no such document can be stored; the message completes "the
   *     document …"
   */
  static RawBsonDocument render(DocumentChange change, String versionField) {
    RawBsonDocument document = change.after();
    requireNoField(document, versionField);

    BasicOutputBuffer head = new BasicOutputBuffer(128);
    try (BsonBinaryWriter writer = new BsonBinaryWriter(head)) {
      writer.writeStartDocument();
      writer.writeName("_id");
      VALUE_CODEC.encode(writer, change.key(), EncoderContext.builder().build());
      writer.writeInt64(versionField, change.version());
      writer.writeEndDocument();
    }

    // A BSON document is its length (four bytes), its fields, and a zero byte: the head gives its
    // length and fields, the document its fields and zero byte.
    ByteBuffer fields = document.getByteBuffer().asNIO();
    fields.position(fields.position() + Integer.BYTES);
    int headLength = head.getPosition() - 1;
    byte[] bytes = new byte[headLength + fields.remaining()];
    if (bytes.length > MAX_BYTES) {
      throw new IllegalArgumentException(
          String.format(
              "is %.1f MB large, and MongoDB stores at most 16 MB", bytes.length / 1024.0 / 1024));
    }
    System.arraycopy(head.getInternalBuffer(), 0, bytes, 0, headLength);
    fields.get(bytes, headLength, fields.remaining());
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length);
    return new RawBsonDocument(bytes);
  }

  private static void requireNoField(RawBsonDocument document, String versionField) {
    try (BsonBinaryReader reader = new BsonBinaryReader(document.getByteBuffer().asNIO())) {
      reader.readStartDocument();
      while (reader.readBsonType() != BsonType.END_OF_DOCUMENT) {
        String name = reader.readName();
        if (name.equals(versionField)) {
          throw new IllegalArgumentException(
              "has a field "
                  + name
                  + " of its own, which is also the version field: rename one of the two");
        }
        if (name.equals("_id")) {
          throw new IllegalArgumentException(
              "has a field _id of its own, which MongoDB keeps for the key: rename it");
        }
        reader.skipValue();
      }
    }
  }

  /**
   * What MongoDB takes for the same {@code _id}: it tells numbers by their values and not by their
   * types, as in a key column that was altered from INT to BIGINT or DECIMAL.
   */
  static BsonValue identity(BsonValue id) {
    return switch (id.getBsonType()) {
      case INT32 -> new BsonInt64(id.asInt32().getValue());
      case DOUBLE -> ofNumber(id, id.asDouble().decimal128Value());
      case DECIMAL128 -> ofNumber(id, id.asDecimal128().getValue());
      case DOCUMENT -> {
        BsonDocument fields = new BsonDocument();
        id.asDocument().forEach((name, value) -> fields.append(name, identity(value)));
        yield fields;
      }
      default -> id;
    };
  }

  private static BsonValue ofNumber(BsonValue id, Decimal128 value) {
    if (!value.isFinite()) {
      return id;
    }
    // Not bigDecimalValue(): it refuses a zero with a sign.
    BigDecimal number = new BigDecimal(value.toString());
    if (number.signum() == 0) {
      return new BsonInt64(0);
    }
    BigDecimal shortest = number.stripTrailingZeros();
    return shortest.scale() <= 0 && shortest.precision() - shortest.scale() < 19
        ? new BsonInt64(shortest.longValueExact())
        : new BsonDecimal128(new Decimal128(shortest));
  }
}
