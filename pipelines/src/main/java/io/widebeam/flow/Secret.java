package io.widebeam.flow;

import java.io.Serializable;
import java.util.Objects;

/** A text that must not be shown, such as a password: every rendering of it is {@code ***}. */
public final class Secret implements Serializable {
  private static final long serialVersionUID = 1L;

  private final String text;

  private Secret(String text) {
    this.text = Objects.requireNonNull(text, "text");
  }

  public static Secret of(String text) {
    return new Secret(text);
  }

  /** The text itself, for the one call that hands it to a driver. */
  public String reveal() {
    return text;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Secret secret && secret.text.equals(text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return "***";
  }
}
