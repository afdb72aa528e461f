package io.widebeam.cdc;

import io.widebeam.deadletter.DeadLetter;
import io.widebeam.deadletter.DeadLetterCoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.CustomCoder;
import org.apache.beam.sdk.util.VarInt;

/**
 * The source's element: some changes in the order of the log, with their event times, and what
 * could not become a change. Runners take their time over every element of a source; a batch lets
 * many changes share it.
 */
final class CdcBatch<T> {
  /** A dead letter and its event time. */
  record Letter(DeadLetter letter, long eventMillis) {
    /** What one is taken to weigh in the queue. */
    static final long TYPICAL_BYTES = 1024;
  }

  private final List<T> values;
  private final long[] eventMillis;
  private final List<Letter> letters;

  /**
   * @param values at least one, or at least one letter
   * @param eventMillis one for each value, never descending; not copied
   */
  CdcBatch(List<T> values, long[] eventMillis, List<Letter> letters) {
    this.values = values;
    this.eventMillis = eventMillis;
    this.letters = letters;
  }

  T value(int index) {
    return values.get(index);
  }

  /** The value's event time, in milliseconds since the epoch. */
  long eventMillis(int index) {
    return eventMillis[index];
  }

  /** The event time of the batch's beginning. */
  long firstMillis() {
    return values.isEmpty() ? letters.get(0).eventMillis() : eventMillis[0];
  }

  List<Letter> letters() {
    return letters;
  }

  List<T> values() {
    return values;
  }

  int size() {
    return values.size();
  }

  /** This batch with another one's values after its own; this one is not used any more. */
  CdcBatch<T> plus(CdcBatch<T> next) {
    values.addAll(next.values);
    letters.addAll(next.letters);
    long[] times = Arrays.copyOf(eventMillis, values.size());
    System.arraycopy(next.eventMillis, 0, times, eventMillis.length, next.eventMillis.length);
    return new CdcBatch<>(values, times, letters);
  }

  /** This batch with no more values than that. */
  CdcBatch<T> first(int count) {
    int size = Math.min(count, values.size());
    return new CdcBatch<>(values.subList(0, size), Arrays.copyOf(eventMillis, size), letters);
  }

  /** Encodes a batch by its values' coder. */
  static final class BatchCoder<T> extends CustomCoder<CdcBatch<T>> {
    private final Coder<T> values;

    BatchCoder(Coder<T> values) {
      this.values = values;
    }

    @Override
    public void encode(CdcBatch<T> batch, OutputStream out) throws IOException {
      VarInt.encode(batch.size(), out);
      long previous = 0;
      for (int i = 0; i < batch.size(); i++) {
        VarInt.encode(batch.eventMillis[i] - previous, out);
        previous = batch.eventMillis[i];
        values.encode(batch.values.get(i), out);
      }
      VarInt.encode(batch.letters.size(), out);
      for (Letter letter : batch.letters) {
        VarInt.encode(letter.eventMillis, out);
        DeadLetterCoder.of().encode(letter.letter, out);
      }
    }

    @Override
    public CdcBatch<T> decode(InputStream in) throws IOException {
      int size = VarInt.decodeInt(in);
      List<T> decoded = new ArrayList<>(size);
      long[] eventMillis = new long[size];
      long previous = 0;
      for (int i = 0; i < size; i++) {
        previous += VarInt.decodeLong(in);
        eventMillis[i] = previous;
        decoded.add(values.decode(in));
      }
      int letterCount = VarInt.decodeInt(in);
      List<Letter> letters = new ArrayList<>(letterCount);
      for (int i = 0; i < letterCount; i++) {
        long millis = VarInt.decodeLong(in);
        letters.add(new Letter(DeadLetterCoder.of().decode(in), millis));
      }
      return new CdcBatch<>(decoded, eventMillis, letters);
    }

    @Override
    public List<? extends Coder<?>> getCoderArguments() {
      return List.of(values);
    }

    @Override
    public void verifyDeterministic() throws NonDeterministicException {
      values.verifyDeterministic();
    }
  }
}
