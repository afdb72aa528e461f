package io.widebeam.join;

import java.util.Arrays;

/**
 * Values in a canonical encoding: keys are equal exactly if SQL finds their values equal, and their
 * unsigned bytes sort as their values do. Immutable; made by {@link JoinKeyEncoder}.
 */
public final class JoinKey implements Comparable<JoinKey> {
  static final JoinKey EMPTY = new JoinKey(new byte[0]);

  private final byte[] bytes;
  private final int hash;

  /** A key of these bytes, which must not be changed any more. */
  public static JoinKey of(byte[] bytes) {
    return new JoinKey(bytes);
  }

  JoinKey(byte[] bytes) {
    this.bytes = bytes;
    this.hash = Arrays.hashCode(bytes);
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return bytes.length;
  }

  public JoinKey append(JoinKey other) {
    byte[] joined = Arrays.copyOf(bytes, bytes.length + other.bytes.length);
    System.arraycopy(other.bytes, 0, joined, bytes.length, other.bytes.length);
    return new JoinKey(joined);
  }

  public boolean startsWith(JoinKey prefix) {
    return bytes.length >= prefix.bytes.length
        && Arrays.equals(bytes, 0, prefix.bytes.length, prefix.bytes, 0, prefix.bytes.length);
  }

  @Override
  public int compareTo(JoinKey other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof JoinKey key && hash == key.hash && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
