package io.widebeam.sink.mongodb;

import io.widebeam.change.BsonRow;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.document.DocumentChange;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import javax.annotation.Nullable;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;
import org.bson.BsonArray;
import org.bson.BsonDateTime;
import org.bson.BsonDocument;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/** Writes dead letters as documents: with what the main sink does against outages and replays. */
final class WriteDeadLetters extends PTransform<PCollection<DeadLetter>, PDone> {
  private static final String METRICS = "widebeam.deadLetters";

  private final MongoTarget target;

  WriteDeadLetters(MongoTarget target) {
    this.target = target;
  }

  @Override
  public PDone expand(PCollection<DeadLetter> letters) {
    letters
        .apply("ToDocuments", ParDo.of(new ToDocuments()))
        .apply("Write", ParDo.of(new WriteDocumentsFn(target, METRICS, null)));
    return PDone.in(letters.getPipeline());
  }

  /** Makes a letter the insert of a document. */
  private static final class ToDocuments extends DoFn<DeadLetter, DocumentChange> {
    @ProcessElement
    public void process(@Element DeadLetter letter, OutputReceiver<DocumentChange> out) {
      out.output(document(letter));
    }
  }

  static DocumentChange document(DeadLetter letter) {
    return new DocumentChange(
        new BsonString(id(letter)),
        null,
        new RawBsonDocument(fields(letter), new BsonDocumentCodec()),
        letter.sequence(),
        letter.commitMillis());
  }

  /**
   * What the letter is about, not its number: a source that reads a change again after a crash
   * gives it a higher one.
   */
  private static String id(DeadLetter letter) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    for (String part :
        new String[] {
          letter.stage().name(),
          letter.place(),
          letter.table().source(),
          letter.table().namespace(),
          letter.table().name(),
          Long.toString(letter.commitMillis()),
          letter.reason()
        }) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    for (RawBsonDocument part :
        new RawBsonDocument[] {letter.key(), letter.before(), letter.after()}) {
      if (part != null) {
        digest.update(BsonRow.bytes(part));
      }
      digest.update((byte) 0);
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  private static BsonDocument fields(DeadLetter letter) {
    BsonDocument position = new BsonDocument("sequence", new BsonInt64(letter.sequence()));
    append(position, "log", letter.logPosition());
    BsonDocument fields =
        new BsonDocument("stage", text(letter.stage().name().toLowerCase(Locale.ROOT)))
            .append("place", text(letter.place()))
            .append("source", text(letter.table().source()))
            .append("namespace", text(letter.table().namespace()))
            .append("table", text(letter.table().name()));
    append(fields, "key", letter.key());
    fields
        .append("position", position)
        .append("committed", new BsonDateTime(letter.commitMillis()))
        .append("reason", text(letter.reason()));

    BsonArray omitted = new BsonArray();
    int room = StoredDocument.MAX_BYTES - size(letter.key()) - ROOM_FOR_THE_REST;
    room -= appendIfItFits(fields, "after", letter.after(), room, omitted);
    appendIfItFits(fields, "before", letter.before(), room, omitted);
    if (!omitted.isEmpty()) {
      fields.append("omitted", omitted);
    }
    return fields;
  }

  /** Names and reasons are short; the reader's and the target's own messages are bounded. */
  private static final int ROOM_FOR_THE_REST = 1024 * 1024;

  private static int appendIfItFits(
      BsonDocument fields,
      String name,
      @Nullable RawBsonDocument row,
      int room,
      BsonArray omitted) {
    if (size(row) > room) {
      omitted.add(text(name));
      return 0;
    }
    append(fields, name, row);
    return size(row);
  }

  private static void append(BsonDocument fields, String name, @Nullable BsonValue value) {
    if (value != null) {
      fields.append(name, value);
    }
  }

  private static int size(@Nullable RawBsonDocument document) {
    return document == null ? 0 : document.getByteBuffer().remaining();
  }

  private static BsonString text(String text) {
    return new BsonString(text);
  }
}
