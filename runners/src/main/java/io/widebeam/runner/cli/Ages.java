package io.widebeam.runner.cli;

import java.time.Duration;
import java.util.Locale;

/** How long something took or has been, for people. */
final class Ages {
  private Ages() {}

  static String of(Duration age) {
    if (age.toSeconds() < 120) {
      return String.format(Locale.ROOT, "%.1f s", age.toMillis() / 1e3);
    }
    if (age.toHours() < 2) {
      return age.toMinutes() + " min";
    }
    return age.toDays() < 2 ? age.toHours() + " h" : age.toDays() + " days";
  }
}
