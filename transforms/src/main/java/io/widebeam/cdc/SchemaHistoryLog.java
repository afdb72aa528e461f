package io.widebeam.cdc;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The changes of the tables' schemas that one reader has seen, as JSON documents. It only grows, so
 * a checkpoint is a length, and its bytes are at hand already encoded.
 */
final class SchemaHistoryLog {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final List<String> documents = new ArrayList<>();

  /** Where each document ends in {@link #bytes}. */
  private final List<Integer> ends = new ArrayList<>();

  synchronized void append(String document) {
    byte[] utf8 = document.getBytes(StandardCharsets.UTF_8);
    try {
      new DataOutputStream(bytes).writeInt(utf8.length);
      bytes.write(utf8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    documents.add(document);
    ends.add(bytes.size());
  }

  synchronized void clear() {
    bytes.reset();
    documents.clear();
    ends.clear();
  }

  synchronized int size() {
    return documents.size();
  }

  synchronized List<String> documents() {
    return List.copyOf(documents);
  }

  /** The encoded form of the first documents. */
  synchronized byte[] encoded(int count) {
    // After a clear the log may be shorter than a checkpoint taken before; that one starts anew.
    int known = Math.min(count, documents.size());
    byte[] prefix = new byte[known == 0 ? 0 : ends.get(known - 1)];
    System.arraycopy(bytes.toByteArray(), 0, prefix, 0, prefix.length);
    return prefix;
  }

  static SchemaHistoryLog decode(byte[] encoded) {
    SchemaHistoryLog log = new SchemaHistoryLog();
    ByteBuffer in = ByteBuffer.wrap(encoded);
    while (in.hasRemaining()) {
      byte[] document = new byte[in.getInt()];
      in.get(document);
      log.append(new String(document, StandardCharsets.UTF_8));
    }
    return log;
  }
}
