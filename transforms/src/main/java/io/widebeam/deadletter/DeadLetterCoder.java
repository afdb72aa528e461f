package io.widebeam.deadletter;

import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter.Stage;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import javax.annotation.Nullable;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderException;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.util.VarInt;
import org.apache.beam.sdk.values.TypeDescriptor;
import org.bson.RawBsonDocument;

/** Encodes a {@link DeadLetter}: which documents it has, and everything in order. */
public final class DeadLetterCoder extends AtomicCoder<DeadLetter> {
  private static final DeadLetterCoder INSTANCE = new DeadLetterCoder();

  private static final int HAS_KEY = 1;
  private static final int HAS_LOG_POSITION = 2;
  private static final int HAS_BEFORE = 4;
  private static final int HAS_AFTER = 8;

  private DeadLetterCoder() {}

  public static DeadLetterCoder of() {
    return INSTANCE;
  }

  /** Lets Beam find this coder for {@link DeadLetter} by itself. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(DeadLetter.class), of());
  }

  @Override
  public void encode(DeadLetter letter, OutputStream out) throws IOException {
    if (letter == null) {
      throw new CoderException("a dead letter cannot be null");
    }
    out.write(
        (letter.key() == null ? 0 : HAS_KEY)
            | (letter.logPosition() == null ? 0 : HAS_LOG_POSITION)
            | (letter.before() == null ? 0 : HAS_BEFORE)
            | (letter.after() == null ? 0 : HAS_AFTER));
    StringUtf8Coder text = StringUtf8Coder.of();
    text.encode(letter.stage().name(), out);
    text.encode(letter.place(), out);
    text.encode(letter.table().source(), out);
    text.encode(letter.table().namespace(), out);
    text.encode(letter.table().name(), out);
    text.encode(letter.reason(), out);
    VarInt.encode(letter.sequence(), out);
    VarInt.encode(letter.commitMillis(), out);
    write(letter.key(), out);
    write(letter.logPosition(), out);
    write(letter.before(), out);
    write(letter.after(), out);
  }

  @Override
  public DeadLetter decode(InputStream in) throws IOException {
    int flags = in.read();
    if (flags < 0) {
      throw new EOFException("a dead letter ends before its flags");
    }
    StringUtf8Coder text = StringUtf8Coder.of();
    Stage stage = Stage.valueOf(text.decode(in));
    String place = text.decode(in);
    TableId table = new TableId(text.decode(in), text.decode(in), text.decode(in));
    String reason = text.decode(in);
    long sequence = VarInt.decodeLong(in);
    long commitMillis = VarInt.decodeLong(in);
    RawBsonDocument key = read(flags & HAS_KEY, in);
    RawBsonDocument logPosition = read(flags & HAS_LOG_POSITION, in);
    RawBsonDocument before = read(flags & HAS_BEFORE, in);
    RawBsonDocument after = read(flags & HAS_AFTER, in);
    return new DeadLetter(
        stage, place, table, key, sequence, logPosition, commitMillis, reason, before, after);
  }

  private static void write(@Nullable RawBsonDocument document, OutputStream out)
      throws IOException {
    if (document != null) {
      ChangeCoder.writeDocument(document, out);
    }
  }

  @Nullable
  private static RawBsonDocument read(int present, InputStream in) throws IOException {
    return present == 0 ? null : ChangeCoder.readDocument(in);
  }

  /** The same letter has the same bytes, but equal documents may order their fields differently. */
  @Override
  public void verifyDeterministic() throws NonDeterministicException {
    throw new NonDeterministicException(
        this, "equal BSON documents may order their fields differently");
  }
}
