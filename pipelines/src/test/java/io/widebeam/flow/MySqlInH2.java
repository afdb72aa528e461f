package io.widebeam.flow;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;

/**
 * Functions of MySQL's that H2 lacks, or has under that name with another meaning: as far as {@link
 * RandomSql} goes. Public for H2.
 */
public final class MySqlInH2 {
  private MySqlInH2() {}

  /** As far as the generator's formats go. */
  @Nullable
  public static String dateFormat(@Nullable LocalDateTime time, String format) {
    return time == null ? null : time.format(formatter(format));
  }

  @Nullable
  public static LocalDate stringToDate(@Nullable String text, String format) {
    return text == null ? null : LocalDate.parse(text, formatter(format));
  }

  private static DateTimeFormatter formatter(String format) {
    return DateTimeFormatter.ofPattern(
        format
            .replace("%Y", "yyyy")
            .replace("%y", "yy")
            .replace("%m", "MM")
            .replace("%c", "M")
            .replace("%d", "dd")
            .replace("%e", "d")
            .replace("%H", "HH")
            .replace("%i", "mm")
            .replace("%s", "ss"),
        Locale.ENGLISH);
  }

  @Nullable
  public static String substringIndex(@Nullable String text, String delimiter, int count) {
    if (text == null || count != 1) {
      return null;
    }
    return text.split(Pattern.quote(delimiter), -1)[0];
  }

  public static String joined(String separator, @Nullable String a, @Nullable String b) {
    return Stream.of(Optional.ofNullable(a), Optional.ofNullable(b))
        .flatMap(Optional::stream)
        .collect(Collectors.joining(separator));
  }

  @Nullable
  public static String reverse(@Nullable String text) {
    return text == null ? null : new StringBuilder(text).reverse().toString();
  }

  @Nullable
  public static Long wholeUnits(
      String unit, @Nullable LocalDateTime from, @Nullable LocalDateTime to) {
    return from == null || to == null ? null : ChronoUnit.valueOf(unit).between(from, to);
  }
}
