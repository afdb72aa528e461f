package io.widebeam.join;

import io.widebeam.join.Message.Answer;
import io.widebeam.join.Message.Row;
import io.widebeam.join.Message.Subscription;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderException;

/** A tag for the kind, then the fields in order. */
final class MessageCoder extends AtomicCoder<Message> {
  private static final MessageCoder INSTANCE = new MessageCoder();

  private static final int ROW = 1;
  private static final int SUBSCRIPTION = 2;
  private static final int ANSWER = 3;

  private MessageCoder() {}

  static MessageCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(Message message, OutputStream out) throws IOException {
    // Java 17 has no exhaustive pattern switch.
    if (message instanceof Row row) {
      out.write(ROW);
      Wire.writeInt(row.node(), out);
      Wire.writeBytes(row.address().bytes(), out);
      Wire.writeNullableBytes(row.row(), out);
      Wire.writeLong(row.version(), out);
      Wire.writeNullableBytes(row.gone(), out);
    } else if (message instanceof Subscription subscription) {
      out.write(SUBSCRIPTION);
      Wire.writeInt(subscription.node(), out);
      Wire.writeBytes(subscription.assembly().bytes(), out);
      Wire.writeBytes(subscription.address().bytes(), out);
      out.write(subscription.pointing() ? 1 : 0);
      Wire.writeLong(subscription.version(), out);
    } else if (message instanceof Answer answer) {
      out.write(ANSWER);
      Wire.writeInt(answer.node(), out);
      Wire.writeBytes(answer.address().bytes(), out);
      Wire.writeBytes(answer.joinKey().bytes(), out);
      Wire.writeLong(answer.subscription(), out);
      Wire.writeLong(answer.version(), out);
      Wire.writeBytesArray(answer.rows(), out);
    } else {
      throw new CoderException("no code for " + message.getClass());
    }
    Wire.writeLongs(message.positions(), out);
    Wire.writeLong(message.commitMillis(), out);
    if (!(message instanceof Subscription)) {
      out.write(message.due() ? 1 : 0);
    }
  }

  @Override
  public Message decode(InputStream in) throws IOException {
    int kind = in.read();
    return switch (kind) {
      case ROW ->
          new Row(
              Wire.readInt(in),
              new JoinKey(Wire.readBytes(in)),
              Wire.readNullableBytes(in),
              Wire.readLong(in),
              Wire.readNullableBytes(in),
              Wire.readLongs(in),
              Wire.readLong(in),
              in.read() == 1);
      case SUBSCRIPTION ->
          new Subscription(
              Wire.readInt(in),
              new JoinKey(Wire.readBytes(in)),
              new JoinKey(Wire.readBytes(in)),
              in.read() == 1,
              Wire.readLong(in),
              Wire.readLongs(in),
              Wire.readLong(in));
      case ANSWER ->
          new Answer(
              Wire.readInt(in),
              new JoinKey(Wire.readBytes(in)),
              new JoinKey(Wire.readBytes(in)),
              Wire.readLong(in),
              Wire.readLong(in),
              Wire.readBytesArray(in),
              Wire.readLongs(in),
              Wire.readLong(in),
              in.read() == 1);
      default -> throw new CoderException("unknown kind of message: " + kind);
    };
  }
}
