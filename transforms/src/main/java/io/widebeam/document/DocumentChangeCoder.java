package io.widebeam.document;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.util.VarInt;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * Encodes a {@link DocumentChange} as one tag byte, the key, version and commit time as variable
 * length integers, and the documents as their BSON bytes, which carry their own length.
 *
 * <p>Not deterministic: documents that are equal may order their fields differently. A change is a
 * value; key it by its {@link DocumentChange#key()}.
 */
public final class DocumentChangeCoder extends AtomicCoder<DocumentChange> {

  private static final DocumentChangeCoder INSTANCE = new DocumentChangeCoder();

  private static final BsonDocumentCodec KEY_CODEC = new BsonDocumentCodec();

  // The low bits of the tag say which documents follow, the next ones how the key is written.
  private static final int HAS_BEFORE = 1;
  private static final int HAS_AFTER = 2;
  private static final int EXISTED = 4;
  private static final int KEY_SHIFT = 3;
  private static final int KEY_MASK = 3;
  private static final int KEY_DOCUMENT = 0;
  private static final int KEY_INT32 = 1;
  private static final int KEY_INT64 = 2;
  private static final int UNCERTAIN = 32;
  private static final int ALL_BITS = 63;

  private static final String KEY_FIELD = "k";
  private static final int SMALLEST_BSON_BYTES = 5;

  private DocumentChangeCoder() {}

  public static DocumentChangeCoder of() {
    return INSTANCE;
  }

  /** How Beam finds the coder of a class with a default one. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(DocumentChange.class), INSTANCE);
  }

  @Override
  public void encode(DocumentChange change, OutputStream out) throws IOException {
    if (change == null) {
      throw new CoderException("a document change cannot be null");
    }
    int keyKind =
        switch (change.key().getBsonType()) {
          case INT32 -> KEY_INT32;
          case INT64 -> KEY_INT64;
          default -> KEY_DOCUMENT;
        };
    out.write(
        (keyKind << KEY_SHIFT)
            | (change.before() == null ? 0 : HAS_BEFORE)
            | (change.after() == null ? 0 : HAS_AFTER)
            | (change.existed() ? EXISTED : 0)
            | (change.certain() ? 0 : UNCERTAIN));
    switch (keyKind) {
      case KEY_INT32 -> VarInt.encode(change.key().asInt32().getValue(), out);
      case KEY_INT64 -> VarInt.encode(change.key().asInt64().getValue(), out);
      default ->
          writeDocument(
              new RawBsonDocument(new BsonDocument(KEY_FIELD, change.key()), KEY_CODEC), out);
    }
    VarInt.encode(change.version(), out);
    VarInt.encode(change.commitMillis(), out);
    if (change.before() != null) {
      writeDocument(change.before(), out);
    }
    if (change.after() != null) {
      writeDocument(change.after(), out);
    }
  }

  @Override
  public DocumentChange decode(InputStream in) throws IOException {
    DataInputStream data = new DataInputStream(in);
    int tag = data.readUnsignedByte();
    if ((tag & ~ALL_BITS) != 0) {
      throw new CoderException("not a document change: it starts with byte " + tag);
    }
    BsonValue key =
        switch (tag >> KEY_SHIFT & KEY_MASK) {
          case KEY_INT32 -> new BsonInt32(VarInt.decodeInt(data));
          case KEY_INT64 -> new BsonInt64(VarInt.decodeLong(data));
          case KEY_DOCUMENT -> readDocument(data).decode(KEY_CODEC).get(KEY_FIELD);
          default -> throw new CoderException("not a document change: it starts with byte " + tag);
        };
    long version = VarInt.decodeLong(data);
    long commitMillis = VarInt.decodeLong(data);
    RawBsonDocument before = (tag & HAS_BEFORE) == 0 ? null : readDocument(data);
    RawBsonDocument after = (tag & HAS_AFTER) == 0 ? null : readDocument(data);
    return new DocumentChange(
        key, before, after, (tag & EXISTED) != 0, (tag & UNCERTAIN) == 0, version, commitMillis);
  }

  private static void writeDocument(RawBsonDocument document, OutputStream out) throws IOException {
    ByteBuffer bytes = document.getByteBuffer().asNIO();
    out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
  }

  private static RawBsonDocument readDocument(DataInputStream in) throws IOException {
    int length = Integer.reverseBytes(in.readInt());
    if (length < SMALLEST_BSON_BYTES) {
      throw new CoderException("a BSON document cannot have a length of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(length);
    in.readFully(bytes, Integer.BYTES, length - Integer.BYTES);
    return new RawBsonDocument(bytes);
  }

  @Override
  public void verifyDeterministic() throws Coder.NonDeterministicException {
    throw new Coder.NonDeterministicException(
        this, List.of("equal BSON documents may order their fields differently"));
  }

  @Override
  public boolean isRegisterByteSizeObserverCheap(DocumentChange change) {
    return true;
  }

  /** An estimate that does not encode the key: exact but for the few bytes of key and integers. */
  @Override
  protected long getEncodedElementByteSize(DocumentChange change) {
    return 1L
        + keySize(change.key())
        + VarInt.getLength(change.version())
        + VarInt.getLength(change.commitMillis())
        + size(change.before())
        + size(change.after());
  }

  private static int keySize(BsonValue key) {
    int oneFieldDocument = 8;
    return switch (key.getBsonType()) {
      case STRING -> oneFieldDocument + 5 + ((BsonString) key).getValue().length();
      case INT32 -> 5;
      case INT64 -> 9;
      default -> oneFieldDocument + 16;
    };
  }

  private static int size(@Nullable RawBsonDocument document) {
    return document == null ? 0 : document.getByteBuffer().remaining();
  }
}
