package io.widebeam.view;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import javax.annotation.Nullable;

/**
 * Which texts a database takes for equal: those that are the same once every character has been
 * replaced by what stands for it ('a' by 'A', 'ß' by 'SS', an accent by nothing), and blanks at the
 * end have been cut off where they count for nothing.
 */
public final class Collation implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final int ASCII = 0x80;

  /** One table for all encoders of a JVM: each of them is deserialized on its own. */
  private static final Map<Collation, Table> TABLES = new ConcurrentHashMap<>();

  private final String name;
  private final boolean padded;

  /** What is replaced and by what, in turns, compressed. */
  private final byte[] replacements;

  @Nullable private final String supplementary;

  private transient Table table;

  private Collation(
      String name, boolean padded, byte[] replacements, @Nullable String supplementary) {
    this.name = Objects.requireNonNull(name, "name");
    this.padded = padded;
    this.replacements = replacements;
    this.supplementary = supplementary;
  }

  /** Texts are equal if they have the same characters, but for blanks at the end. */
  public static Collation padded(String name) {
    return of(name, true, Map.of(), null);
  }

  /**
   * A collation by what stands for what.
   *
   * @param padded whether blanks at the end count for nothing
   * @param replacements by characters, and by sequences of up to three that are taken together;
   *     what is not in here stands for itself
   * @param supplementary what stands for all other characters beyond U+FFFF; null if each stands
   *     for itself
   */
  public static Collation of(
      String name,
      boolean padded,
      Map<String, String> replacements,
      @Nullable String supplementary) {
    return new Collation(name, padded, pack(replacements), supplementary);
  }

  /** As the database calls it. */
  public String name() {
    return name;
  }

  /**
   * What all texts that are equal to this one have in common, and no other.
   *
   * @param utf8 holds the text from {@code from} to before {@code to}
   */
  public byte[] key(byte[] utf8, int from, int to) {
    Table known = table();
    byte[] key = new byte[to - from];
    int end = 0;
    for (int i = from; i < to; i++) {
      byte replacement = utf8[i] < 0 ? 0 : known.ascii[utf8[i]];
      if (replacement == 0) {
        String text = new String(utf8, from, to - from, StandardCharsets.UTF_8);
        return known.replace(text, padded).getBytes(StandardCharsets.UTF_8);
      }
      key[i - from] = replacement;
      if (!padded || replacement != ' ') {
        end = i - from + 1;
      }
    }
    return end == key.length ? key : Arrays.copyOf(key, end);
  }

  private Table table() {
    Table known = table;
    if (known == null) {
      known = TABLES.computeIfAbsent(this, collation -> collation.unpack());
      table = known;
    }
    return known;
  }

  private static byte[] pack(Map<String, String> replacements) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(new DeflaterOutputStream(packed))) {
      Map<String, String> sorted = new TreeMap<>(replacements);
      sorted.entrySet().removeIf(entry -> entry.getKey().equals(entry.getValue()));
      out.writeInt(sorted.size());
      for (Map.Entry<String, String> entry : sorted.entrySet()) {
        out.writeUTF(entry.getKey());
        out.writeUTF(entry.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  private Table unpack() {
    Map<String, String> unpacked = new HashMap<>();
    try (DataInputStream in =
        new DataInputStream(new InflaterInputStream(new ByteArrayInputStream(replacements)))) {
      for (int i = in.readInt(); i > 0; i--) {
        unpacked.put(in.readUTF(), in.readUTF());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Table(unpacked, supplementary);
  }

  /** The replacements, as they are looked up. */
  private static final class Table {
    /** The single character of ASCII that stands for one; 0 if it takes a closer look. */
    private final byte[] ascii = new byte[ASCII];

    private final Map<Integer, String> characters = new HashMap<>();
    private final Map<String, String> sequences = new HashMap<>();
    @Nullable private final String supplementary;

    Table(Map<String, String> replacements, @Nullable String supplementary) {
      this.supplementary = supplementary;
      replacements.forEach(
          (from, to) -> {
            if (from.codePointCount(0, from.length()) == 1) {
              characters.put(from.codePointAt(0), to);
            } else {
              sequences.put(from, to);
            }
          });
      for (int c = 0; c < ASCII; c++) {
        String to = characters.getOrDefault(c, Character.toString(c));
        ascii[c] = to.length() == 1 && to.charAt(0) < ASCII ? (byte) to.charAt(0) : 0;
      }
      // Of those that begin with ASCII, none is of ASCII alone.
      sequences.keySet().stream()
          .filter(sequence -> sequence.chars().allMatch(c -> c < ASCII))
          .forEach(sequence -> ascii[sequence.charAt(0)] = 0);
    }

    String replace(String text, boolean padded) {
      StringBuilder replaced = new StringBuilder(text.length());
      int i = 0;
      while (i < text.length()) {
        int next = sequences.isEmpty() ? i : endOfSequence(text, i);
        if (next > i) {
          replaced.append(sequences.get(text.substring(i, next)));
        } else {
          int c = text.codePointAt(i);
          next = i + Character.charCount(c);
          String to = characters.get(c);
          if (to != null) {
            replaced.append(to);
          } else if (supplementary != null && Character.isSupplementaryCodePoint(c)) {
            replaced.append(supplementary);
          } else {
            replaced.appendCodePoint(c);
          }
        }
        i = next;
      }
      int end = replaced.length();
      while (padded && end > 0 && replaced.charAt(end - 1) == ' ') {
        end--;
      }
      return replaced.substring(0, end);
    }

    /** Where the longest sequence that begins here ends; here if there is none. */
    private int endOfSequence(String text, int from) {
      int second = text.offsetByCodePoints(from, 1);
      if (second == text.length()) {
        return from;
      }
      int third = text.offsetByCodePoints(second, 1);
      if (third < text.length()) {
        int end = text.offsetByCodePoints(third, 1);
        if (sequences.containsKey(text.substring(from, end))) {
          return end;
        }
      }
      return sequences.containsKey(text.substring(from, third)) ? third : from;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Collation collation
        && name.equals(collation.name)
        && padded == collation.padded
        && Arrays.equals(replacements, collation.replacements)
        && Objects.equals(supplementary, collation.supplementary);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, replacements.length);
  }

  @Override
  public String toString() {
    return name;
  }
}
